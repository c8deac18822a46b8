import { z } from 'zod';
import { attachmentSchema, connectorNameSchema, timestampSchema, versionSchema } from './ingress-envelope.js';
import { metadataSchema } from './json.js';

/** The longest text that is sent, in UTF-16 code units; a longer one has the outcome `failed`, `PAYLOAD_INVALID`. */
export const MAX_TEXT_LENGTH = 100_000;

/** Where a message is to be sent. */
export const egressTargetSchema = z
  .looseObject({
    connector: connectorNameSchema.describe('The connector that sends.'),
    destination: z
      .string()
      .min(1)
      .max(256)
      .describe("The platform's address: conversation SID, channel name, channel id."),
  })
  .meta({ id: 'EgressTarget', description: 'Where the message goes.' });

/** One message that a bot wants sent. Text and attachments may not both be empty. */
export const egressEventSchema = z
  .looseObject({
    v: versionSchema,
    id: z
      .string()
      .min(1)
      .max(256)
      .describe(
        'The idempotency key: two events with one id are one message. An answer takes `reply:{envelope id}`.',
      ),
    type: z.literal('chat.send.v1').describe('What is asked for: send a message.'),
    target: egressTargetSchema,
    text: z
      .string()
      .describe(
        "Plain text, 100,000 UTF-16 code units at most (more: outcome `failed`, `PAYLOAD_INVALID`); it is split at the platform's limit, never cut. Not blank without an attachment.",
      ),
    attachments: z.array(attachmentSchema).default([]).describe('Files to send along, by public URL.'),
    inReplyTo: z
      .string()
      .optional()
      .describe("The platform's id of the message that is answered; shown where the platform can."),
    correlationId: z.string().min(1).describe("The envelope's, or one of your own; the outcome carries it."),
    expiresAt: timestampSchema
      .optional()
      .describe('After this time the message is not sent any more; its outcome is `expired`.'),
    metadata: metadataSchema.default({}).describe('Further facts as JSON, for your own use.'),
  })
  .refine((event) => event.text.trim() !== '' || event.attachments.length > 0, {
    path: ['text'],
    message: 'expected text or an attachment',
  })
  .meta({
    title: 'EgressEvent',
    description: 'One message that a bot wants sent. It has text, an attachment, or both.',
    // What the refinement above says, for readers of the JSON Schema.
    anyOf: [
      { properties: { text: { type: 'string', pattern: '\\S' } }, required: ['text'] },
      { properties: { attachments: { type: 'array', minItems: 1 } }, required: ['attachments'] },
    ],
  });

/** @see egressTargetSchema */
export type EgressTarget = z.infer<typeof egressTargetSchema>;
/** @see egressEventSchema */
export type EgressEvent = z.infer<typeof egressEventSchema>;
