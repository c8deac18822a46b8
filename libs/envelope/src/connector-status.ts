import { z } from 'zod';
import { errorInfoSchema } from './egress-outcome.js';
import { connectorNameSchema, timestampSchema, versionSchema } from './ingress-envelope.js';

/** A span in which messages could not be received. */
const gapSchema = z
  .looseObject({
    from: timestampSchema.describe('Start of the span.'),
    to: timestampSchema.describe('End of the span.'),
    reason: z.string().describe('Why, for people.'),
    lost: z
      .int()
      .nonnegative()
      .optional()
      .describe('How many messages are known to be lost; absent where nobody can know.'),
  })
  .meta({ id: 'Gap', description: 'A span of time whose messages are lost for good.' });

/** One part of a connector that fails by itself. */
const problemSchema = z
  .looseObject({
    subject: z.string().min(1).describe('The part, e.g. `guild 123`, `channel #name`, `identity bot`.'),
    since: timestampSchema.describe('Since when it fails.'),
    error: errorInfoSchema.describe('Why it fails.'),
    hint: z.string().describe('What a person can do about it.'),
    nextAttemptAt: timestampSchema
      .optional()
      .describe('When it is tried again without anyone doing anything.'),
  })
  .meta({ id: 'Problem', description: 'A part of a connector that fails while the others work.' });

/** Published on `internal.connector.status.v1`. */
export const connectorStatusSchema = z
  .looseObject({
    v: versionSchema,
    id: z.string().min(1).describe('Unique; a repeated delivery has the same one.'),
    type: z.literal('connector.status.v1').describe('A status.'),
    connector: connectorNameSchema.describe('The connector that it is about.'),
    instanceId: z.string().min(1).describe('The instance of the gateway in which it runs.'),
    state: z
      .enum(['stopped', 'starting', 'connected', 'reconnecting', 'failed'])
      .describe(
        '`connected`: messages flow; `starting`, `reconnecting`: wait; `failed`: `error` and `hint` say what to do, `nextAttemptAt` when it is tried again; `stopped`: on purpose.',
      ),
    since: timestampSchema.describe('Since when it is in this state.'),
    attempt: z
      .int()
      .nonnegative()
      .optional()
      .describe('How many times connecting was tried, this one included.'),
    error: errorInfoSchema.optional().describe('Why it is not connected.'),
    hint: z.string().optional().describe('What a person can do about it.'),
    nextAttemptAt: timestampSchema
      .optional()
      .describe(
        'When connecting is tried again without anyone doing anything; with `reconnecting` and `failed`.',
      ),
    problems: z
      .array(problemSchema)
      .optional()
      .describe(
        'With `connected`: the parts that fail by themselves while the others work, oldest first, 20 at most.',
      ),
    problemCount: z
      .int()
      .nonnegative()
      .optional()
      .describe('How many parts fail, those that `problems` leaves out included.'),
    gap: gapSchema
      .optional()
      .describe('Messages that people wrote in this span could not be received and cannot be fetched.'),
    occurredAt: timestampSchema.describe('When the state changed.'),
  })
  .meta({ title: 'ConnectorStatus', description: 'How a connector is; one message per change of state.' });

/** @see connectorStatusSchema */
export type ConnectorStatus = z.infer<typeof connectorStatusSchema>;
