import { BusError, type OutgoingMessage } from './message-bus.js';

/**
 * What Pub/Sub takes (its documentation, "Quotas and limits", "Resource limits"). Each driver keeps to it, so that what
 * works on a laptop works in the cloud.
 */
export const MESSAGE_LIMITS = {
  /** Body, attributes and ordering key together, in bytes. */
  messageBytes: 10_000_000,
  attributes: 100,
  attributeKeyBytes: 256,
  attributeValueBytes: 1024,
  orderingKeyBytes: 1024,
} as const;

const RESOURCE_NAME = /^(?!goog)[A-Za-z][\w.~+%-]{2,254}$/;

/**
 * Size of a message in bytes as the limits count it.
 * @throws BusError `INVALID_MESSAGE` that names the limit, the figure and never a value
 */
export function measureMessage(message: OutgoingMessage): number {
  const entries = Object.entries(message.attributes);
  if (message.data.byteLength === 0 && entries.length === 0) {
    throw invalid('the message is empty: give it a body or an attribute');
  }
  if (entries.length > MESSAGE_LIMITS.attributes) {
    throw invalid(`${entries.length} attributes, ${MESSAGE_LIMITS.attributes} are allowed`);
  }
  let bytes = message.data.byteLength;
  for (const [key, value] of entries) bytes += measureAttribute(key, value);
  if (message.orderingKey !== undefined) {
    const length = Buffer.byteLength(message.orderingKey);
    if (length > MESSAGE_LIMITS.orderingKeyBytes) {
      throw invalid(`ordering key of ${length} bytes, ${MESSAGE_LIMITS.orderingKeyBytes} are allowed`);
    }
    bytes += length;
  }
  if (bytes > MESSAGE_LIMITS.messageBytes) {
    throw invalid(`message of ${bytes} bytes, ${MESSAGE_LIMITS.messageBytes} are allowed`);
  }
  return bytes;
}

function measureAttribute(key: string, value: string): number {
  const keyBytes = Buffer.byteLength(key);
  if (keyBytes === 0 || keyBytes > MESSAGE_LIMITS.attributeKeyBytes) {
    throw invalid(`attribute key of ${keyBytes} bytes, 1 to ${MESSAGE_LIMITS.attributeKeyBytes} are allowed`);
  }
  if (key.startsWith('goog')) throw invalid(`attribute key "${key}": keys may not begin with "goog"`);
  const valueBytes = Buffer.byteLength(value);
  if (valueBytes > MESSAGE_LIMITS.attributeValueBytes) {
    throw invalid(
      `attribute "${key}" of ${valueBytes} bytes, ${MESSAGE_LIMITS.attributeValueBytes} are allowed`,
    );
  }
  return keyBytes + valueBytes;
}

/**
 * Passes a name that a topic or subscription can have.
 * @throws BusError `INVALID_NAME`
 */
export function assertResourceName(kind: 'topic' | 'subscription', name: string): void {
  if (RESOURCE_NAME.test(name)) return;
  throw new BusError(
    'INVALID_NAME',
    `${kind} "${name}": expected 3 to 255 of the characters A-Z a-z 0-9 - _ . ~ + %, a letter first, and not "goog" at the beginning`,
  );
}

function invalid(detail: string): BusError {
  return new BusError('INVALID_MESSAGE', `invalid message: ${detail}`);
}
