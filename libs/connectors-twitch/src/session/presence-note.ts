import { type IngressGap } from '@bitbrat/connectors-core';
import { isoTime } from '@bitbrat/foundation';
import { z } from 'zod';

/** What one process leaves to the next one. */
export interface PresenceNote {
  /** Until when nothing was missed, but for the gaps below; milliseconds since 1970. */
  readonly heardUntil: number;
  /** Gaps of which it is not known that the bus has them, oldest first. */
  readonly untold: readonly IngressGap[];
}

/** The most gaps that are noted one by one; a document of Firestore holds 1 MiB. */
const MAX_GAPS = 100;

const time = z.iso.datetime({ offset: true });
const noteSchema = z.object({
  heardUntil: time,
  untold: z.array(
    z.object({ from: time, to: time, reason: z.string(), lost: z.number().int().nonnegative().optional() }),
  ),
});

/** Undefined for what is not a note. */
export function readNote(text: string): PresenceNote | undefined {
  const parsed = noteSchema.safeParse(toJson(text));
  if (!parsed.success) return undefined;
  const { heardUntil, untold } = parsed.data;
  return {
    heardUntil: Date.parse(heardUntil),
    untold: untold.map(({ lost, ...gap }) => (lost === undefined ? gap : { ...gap, lost })),
  };
}

/** Of many gaps the oldest are noted as one that covers them all. */
export function writeNote({ heardUntil, untold }: PresenceNote): string {
  const gaps =
    untold.length <= MAX_GAPS
      ? untold
      : [cover(untold.slice(0, 1 - MAX_GAPS)), ...untold.slice(1 - MAX_GAPS)];
  return JSON.stringify({ heardUntil: isoTime(heardUntil), untold: gaps });
}

/** Those of single channels reach further back than the ones before them. */
function cover(gaps: readonly IngressGap[]): IngressGap {
  const from = gaps.reduce((first, gap) => Math.min(first, Date.parse(gap.from)), Infinity);
  const to = gaps.reduce((last, gap) => Math.max(last, Date.parse(gap.to)), -Infinity);
  return { from: isoTime(from), to: isoTime(to), reason: 'several gaps in a row' };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
