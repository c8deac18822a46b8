import { type EgressOutcome, egressOutcomeSchema } from '@bitbrat/envelope';
import { z } from 'zod';

/** What is left to do for an event whose outcome is known. */
export interface KnownSettlement {
  readonly outcome: EgressOutcome;
  /** How its claim ends. */
  readonly end: 'done' | 'left' | 'released';
}

/** Error messages are kept in a claim up to this length, in UTF-16 code units. */
const MAX_MESSAGE = 500;

const settlementSchema = z.object({
  outcome: egressOutcomeSchema,
  end: z.enum(['done', 'left', 'released']),
});

/** As it is kept in a claim. */
export function writeSettlement({ end, outcome }: KnownSettlement): string {
  const { error } = outcome;
  const short =
    error === undefined ? {} : { error: { ...error, message: error.message.slice(0, MAX_MESSAGE) } };
  return JSON.stringify({ end, outcome: { ...outcome, ...short } });
}

/** Undefined where the text is none of ours. */
export function readSettlement(text: string): KnownSettlement | undefined {
  try {
    const parsed = settlementSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
