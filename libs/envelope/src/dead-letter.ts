import { z } from 'zod';
import { errorInfoSchema } from './egress-outcome.js';
import { ENVELOPE_VERSION, timestampSchema } from './ingress-envelope.js';

/** What could not be delivered or read, on `internal.deadletter.v1`: the original bytes, the reason, where it came from. */
export const deadLetterSchema = z.looseObject({
  v: z.literal(ENVELOPE_VERSION),
  /** Derived from the origin, so that a repeated delivery makes the same dead letter. */
  id: z.string().min(1),
  type: z.literal('deadletter.v1'),
  error: errorInfoSchema,
  attempts: z.int().nonnegative(),
  origin: z.looseObject({
    /** Full topic name, prefix included. */
    topic: z.string().min(1),
    /** The bus's id of the message. */
    messageId: z.string().min(1),
    attributes: z.record(z.string(), z.string()),
    orderingKey: z.string().optional(),
  }),
  /** How many bytes the original body has. */
  bodyBytes: z.int().nonnegative(),
  /** The original body, byte for byte; of a body over 7,000,000 bytes the beginning, and `truncated` says so. */
  bodyBase64: z.base64(),
  truncated: z.boolean(),
  occurredAt: timestampSchema,
});

export type DeadLetter = z.infer<typeof deadLetterSchema>;
