import { z } from 'zod';
import { egressTargetSchema } from './egress-event.js';
import { timestampSchema, versionSchema } from './ingress-envelope.js';

/** What became of an egress event. */
export const egressStatusSchema = z.enum([
  'sent',
  'delivered',
  'read',
  'failed',
  'expired',
  'suppressed',
  'unknown',
]);

/** An error as it travels. */
export const errorInfoSchema = z
  .looseObject({
    code: z.string().min(1).describe('For programs, e.g. `TARGET_NOT_FOUND`. The set is open.'),
    message: z.string().describe('For people; never a secret.'),
    retryable: z.boolean().describe('Whether trying the same again later may succeed.'),
    nativeCode: z.string().optional().describe("The platform's own code, where it gave one."),
  })
  .meta({ id: 'ErrorInfo', description: 'What went wrong.' });

/** Published on `internal.egress.outcome.v1`. */
export const egressOutcomeSchema = z
  .looseObject({
    v: versionSchema,
    id: z
      .string()
      .min(1)
      .describe(
        '`{event id}:{status}`, of one part of a split text `{event id}:{status}:{part}`: a repeated outcome has the same id.',
      ),
    type: z.literal('chat.outcome.v1').describe('An outcome.'),
    eventId: z.string().min(1).describe("The egress event's `id`."),
    correlationId: z.string().min(1).describe("The egress event's."),
    status: egressStatusSchema.describe(
      "`sent`: the platform has accepted it; `delivered`, `read`: the platform said so later; `failed`: not sent, `error` says why; `expired`: `expiresAt` had passed; `suppressed`: the recipient does not want messages; `unknown`: the platform's answer was lost and cannot be had again.",
    ),
    target: egressTargetSchema.describe("The egress event's."),
    platformMessageIds: z
      .array(z.string())
      .describe("The platform's message ids in order; more than one where the text was split."),
    attempts: z
      .int()
      .nonnegative()
      .describe(
        'How often sending was tried, earlier deliveries included as far as the bus counts them; 0 with what the platform said later.',
      ),
    error: errorInfoSchema.optional().describe('Why it was not sent; absent where it was.'),
    occurredAt: timestampSchema.describe('When the outcome was known.'),
  })
  .meta({ title: 'EgressOutcome', description: 'What became of one egress event.' });

/** @see egressStatusSchema */
export type EgressStatus = z.infer<typeof egressStatusSchema>;
/** @see errorInfoSchema */
export type ErrorInfo = z.infer<typeof errorInfoSchema>;
/** @see egressOutcomeSchema */
export type EgressOutcome = z.infer<typeof egressOutcomeSchema>;
