import { z } from 'zod';
import {
  attachmentSchema,
  connectorNameSchema,
  ENVELOPE_VERSION,
  timestampSchema,
} from './ingress-envelope.js';
import { metadataSchema } from './json.js';

export const egressTargetSchema = z.looseObject({
  connector: connectorNameSchema,
  /** The platform's address: conversation SID, channel name, channel id. */
  destination: z.string().min(1).max(256),
});

/**
 * One message that a bot wants sent. `id` is the idempotency key: two events with one id are one message.
 *
 * Text and attachments may not both be empty.
 */
export const egressEventSchema = z
  .looseObject({
    v: z.literal(ENVELOPE_VERSION),
    id: z.string().min(1).max(256),
    type: z.literal('chat.send.v1'),
    target: egressTargetSchema,
    text: z.string(),
    attachments: z.array(attachmentSchema).default([]),
    /** The platform's id of the message that is answered. */
    inReplyTo: z.string().optional(),
    correlationId: z.string().min(1),
    /** After this time the message is not sent any more; its outcome is `expired`. */
    expiresAt: timestampSchema.optional(),
    metadata: metadataSchema.default({}),
  })
  .refine((event) => event.text.trim() !== '' || event.attachments.length > 0, {
    path: ['text'],
    message: 'expected text or an attachment',
  });

export type EgressTarget = z.infer<typeof egressTargetSchema>;
export type EgressEvent = z.infer<typeof egressEventSchema>;
