import { z } from 'zod';
import { errorInfoSchema } from './egress-outcome.js';
import { connectorNameSchema, ENVELOPE_VERSION, timestampSchema } from './ingress-envelope.js';

/** Published on `internal.connector.status.v1`. */
export const connectorStatusSchema = z.looseObject({
  v: z.literal(ENVELOPE_VERSION),
  id: z.string().min(1),
  type: z.literal('connector.status.v1'),
  connector: connectorNameSchema,
  instanceId: z.string().min(1),
  state: z.enum(['stopped', 'starting', 'connected', 'reconnecting', 'failed']),
  since: timestampSchema,
  attempt: z.int().nonnegative().optional(),
  error: errorInfoSchema.optional(),
  /** What a person can do about it. */
  hint: z.string().optional(),
  /** Messages that people wrote in this span could not be received. */
  gap: z
    .looseObject({
      from: timestampSchema,
      to: timestampSchema,
      reason: z.string(),
      /** How many are known to be lost; absent where nobody can know. */
      lost: z.int().nonnegative().optional(),
    })
    .optional(),
  occurredAt: timestampSchema,
});

export type ConnectorStatus = z.infer<typeof connectorStatusSchema>;
