import { z } from 'zod';

/** The attributes of a message on the bus: the CloudEvents 1.0 binary binding, and the trace it belongs to. */
export const busAttributesSchema = z
  .looseObject({
    'ce-specversion': z.literal('1.0').describe('Version of CloudEvents.'),
    'ce-id': z.string().min(1).optional().describe("The body's `id`."),
    'ce-source': z
      .string()
      .min(1)
      .describe('Who says so: `/connectors/twilio`, `/ingress-egress/{instance}`, `/bots/{your name}`.'),
    'ce-type': z.string().min(1).describe("The body's `type`: filter by it without parsing the body."),
    'ce-time': z.string().min(1).describe('When it happened: RFC 3339, UTC.'),
    'ce-subject': z.string().min(1).optional().describe('What it is about: the channel or the destination.'),
    traceparent: z
      .string()
      .min(1)
      .optional()
      .describe('W3C trace context. Copy it into the answer and both belong to one trace.'),
  })
  .meta({
    title: 'BusAttributes',
    description:
      'Attributes beside every body. A value of more than 1,024 bytes is left out, never cut: the body has it.',
  });

/** @see busAttributesSchema */
export type BusAttributes = z.infer<typeof busAttributesSchema>;

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

/** Attributes that are empty or over the limit are left out. */
export function toAttributes(input: AttributeInput): Record<string, string> {
  const candidates: [string, string | undefined][] = [
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
