/**
 * The CloudEvents 1.0 attributes of a message on the bus (binary binding), and the trace it belongs to.
 *
 * Pub/Sub allows 1,024 bytes a value; longer values are left out of the attributes, never cut: the body has them.
 */
export interface BusAttributes {
  readonly 'ce-specversion': '1.0';
  readonly 'ce-id': string;
  readonly 'ce-source': string;
  readonly 'ce-type': string;
  readonly 'ce-time': string;
  readonly 'ce-subject'?: string;
  /** W3C trace context. */
  readonly traceparent?: string;
}

/** Bytes of one attribute's value that Pub/Sub takes (googleapis/google-cloud-python#7906). */
export const MAX_ATTRIBUTE_BYTES = 1024;

export interface AttributeInput {
  readonly id: string;
  /** Who says so: `/connectors/twilio`, `/ingress-egress/{instance}`. */
  readonly source: string;
  readonly type: string;
  readonly time: string;
  /** What it is about: the channel or the destination. */
  readonly subject?: string | undefined;
  readonly traceparent?: string | undefined;
}

export function toAttributes(input: AttributeInput): Record<string, string> {
  const candidates: [keyof BusAttributes, string | undefined][] = [
    ['ce-specversion', '1.0'],
    ['ce-id', input.id],
    ['ce-source', input.source],
    ['ce-type', input.type],
    ['ce-time', input.time],
    ['ce-subject', input.subject],
    ['traceparent', input.traceparent],
  ];
  const attributes: Record<string, string> = {};
  for (const [key, value] of candidates) {
    if (value !== undefined && value !== '' && Buffer.byteLength(value) <= MAX_ATTRIBUTE_BYTES) {
      attributes[key] = value;
    }
  }
  return attributes;
}
