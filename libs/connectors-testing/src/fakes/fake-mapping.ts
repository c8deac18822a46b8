import { type ConnectorCapabilities, type ConnectorErrorCode } from '@bitbrat/connectors-core';
import { correlationIdOf, ENVELOPE_VERSION, envelopeId, type IngressEnvelope } from '@bitbrat/envelope';
import { isoTime } from '@bitbrat/foundation';
import { type FakeMessage, type FakePlatformError } from './fake-platform.js';

/** What the fake platform can do. */
export const FAKE_CAPABILITIES: ConnectorCapabilities = Object.freeze({
  text: Object.freeze({ maxLength: 200, unit: 'utf16', multiline: true }),
  attachments: Object.freeze({ inbound: true, maxOutbound: 2 }),
  directMessages: false,
  replies: true,
  receipts: false,
  edits: false,
  formatting: 'none',
  duplicateProtection: 'lookup',
});

/** What the platform's answers mean. */
export const FAKE_CODES: Readonly<Record<FakePlatformError['status'], ConnectorErrorCode>> = {
  unauthorized: 'AUTH_FAILED',
  'not-found': 'TARGET_NOT_FOUND',
  forbidden: 'FORBIDDEN',
  unavailable: 'UPSTREAM_UNAVAILABLE',
  'no-answer': 'TIMEOUT',
  disconnected: 'NOT_CONNECTED',
};

/** A native message as it travels. */
export function toFakeEnvelope(
  message: FakeMessage,
  source: string,
  topic: string,
  receivedAt: string,
): IngressEnvelope {
  const id = envelopeId(source, String(message.id));
  return {
    v: ENVELOPE_VERSION,
    id,
    type: 'chat.message.v1',
    source,
    from: message.author,
    sender: { id: message.author, displayName: message.author, roles: [], isBot: false },
    channel: { id: message.channel, kind: 'channel' },
    text: message.text,
    attachments: [],
    occurredAt: isoTime(message.createdAt),
    receivedAt,
    correlationId: correlationIdOf(id),
    replyTo: { topic, connector: source, destination: message.channel, inReplyTo: String(message.id) },
    metadata: { index: message.id },
  };
}
