import { z } from 'zod';
import { egressTargetSchema } from './egress-event.js';
import { ENVELOPE_VERSION, timestampSchema } from './ingress-envelope.js';

/** What became of an egress event. `unknown`: the platform's answer was lost and cannot be had again. */
export const egressStatusSchema = z.enum([
  'sent',
  'delivered',
  'read',
  'failed',
  'expired',
  'suppressed',
  'unknown',
]);

/** An error as it travels: a code from the connectors' table, words for people, no secret. */
export const errorInfoSchema = z.looseObject({
  code: z.string().min(1),
  message: z.string(),
  retryable: z.boolean(),
  /** The platform's own code, where it gave one. */
  nativeCode: z.string().optional(),
});

/** Published on `internal.egress.outcome.v1`. */
export const egressOutcomeSchema = z.looseObject({
  v: z.literal(ENVELOPE_VERSION),
  /** `{event id}:{status}`: a repeated outcome has the same id. */
  id: z.string().min(1),
  type: z.literal('chat.outcome.v1'),
  eventId: z.string().min(1),
  correlationId: z.string().min(1),
  status: egressStatusSchema,
  target: egressTargetSchema,
  /** The platform's message ids in order; more than one where the text was split. */
  platformMessageIds: z.array(z.string()),
  /** How often sending was tried, this process and earlier deliveries together as far as the bus counts them. */
  attempts: z.int().nonnegative(),
  error: errorInfoSchema.optional(),
  occurredAt: timestampSchema,
});

export type EgressStatus = z.infer<typeof egressStatusSchema>;
export type ErrorInfo = z.infer<typeof errorInfoSchema>;
export type EgressOutcome = z.infer<typeof egressOutcomeSchema>;
