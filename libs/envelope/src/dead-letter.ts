import { z } from 'zod';
import { errorInfoSchema } from './egress-outcome.js';
import { timestampSchema, versionSchema } from './ingress-envelope.js';

const originSchema = z
  .looseObject({
    topic: z.string().min(1).describe('Full topic name, prefix included.'),
    messageId: z.string().min(1).describe("The bus's id of the message."),
    attributes: z.record(z.string(), z.string()).describe('Its attributes.'),
    orderingKey: z.string().optional().describe('Its ordering key, where it had one.'),
  })
  .meta({ id: 'DeadLetterOrigin', description: 'Where the message was read.' });

/** Published on `internal.deadletter.v1`. */
export const deadLetterSchema = z
  .looseObject({
    v: versionSchema,
    id: z.string().min(1).describe('`{topic}:{message id}`: a repeated delivery makes the same dead letter.'),
    type: z.literal('deadletter.v1').describe('A dead letter.'),
    error: errorInfoSchema.describe('Why it could not be delivered or read.'),
    attempts: z.int().nonnegative().describe('How often it was tried.'),
    origin: originSchema,
    bodyBytes: z.int().nonnegative().describe('How many bytes the original body has.'),
    bodyBase64: z
      .base64()
      .describe(
        'The original body, byte for byte; of a body that does not fit into this message (over some 5,200,000 bytes) the beginning, and `truncated` is true.',
      ),
    bodySha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe('SHA-256 of the whole original body, in hexadecimal.'),
    truncated: z.boolean().describe('Whether `bodyBase64` is less than the whole body.'),
    occurredAt: timestampSchema.describe('When it was given up.'),
  })
  .meta({
    title: 'DeadLetter',
    description: 'What could not be delivered or read: the original bytes, the reason, where it came from.',
  });

/** @see deadLetterSchema */
export type DeadLetter = z.infer<typeof deadLetterSchema>;
