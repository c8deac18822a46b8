import { LEASE_BREAKING } from '../fault.js';
import { type Facts, type GapFact, type StateFact, type TroubleFact } from '../facts.js';
import { stalledMs } from './stalls.js';
import { type Finding } from './verdict.js';

/** What a gap may be longer than the faults that caused it, in milliseconds. */
const LONGER_MS = 3_000;
/** A connector dates a gap's beginning two seconds early, to be sure. */
const MARGIN_MS = 2_000;
/** Lanes after whose faults nobody knows when a gap began. */
const UNKNOWN_LANES: readonly string[] = ['state', 'clock'];
/**
 * Milliseconds between two notes of how far a process has heard; one that is killed leaves the last of them.
 */
const NOTE_EVERY_MS = 60_000;
/** The first wait of a connector that has failed: a minute, and jitter that prolongs it by a tenth. */
const SLOW_RETRY_MS = 66_000;

/**
 * Gaps that are longer than what caused them. The gap may begin where the first fault in it began and must
 * end within three seconds of the last fault's end; what the service needs to notice a fault, and the
 * machine's own standstills, come on top. A gap that tells how many messages it has cost is judged by their
 * number.
 */
export function longGaps(facts: Facts): Finding[] {
  return facts.gaps.filter(({ lost }) => lost === undefined).flatMap((gap) => judgeGap(gap, facts));
}

function judgeGap(gap: GapFact, { stalls, startedAt, states, troubles }: Facts): Finding[] {
  const from = gap.from - startedAt;
  const to = gap.to - startedAt;
  const near = troubles.filter(
    ({ lane, ...trouble }) =>
      [gap.platform, 'state', ...LEASE_BREAKING].includes(lane) &&
      trouble.from <= to &&
      trouble.to + (trouble.detectionMs ?? 0) + LONGER_MS >= from,
  );
  const finding = (detail: string): Finding[] => [
    { kind: 'gap too long', detail: `${gap.platform}: ${detail}`, keys: [] },
  ];
  if (near.length === 0) {
    const isBegin = states.every(
      ({ at, isConnected, platform }) => !isConnected || platform !== gap.platform || at >= to - LONGER_MS,
    );
    return isBegin ? [] : finding(`a gap of ${to - from} ms, and nothing had gone wrong`);
  }
  const allowedMs = stalledMs(stalls, from, to);
  const begun = Math.min(...near.map(earliestOf));
  const slowRetries = slowRetriesOf(gap.platform, states).filter(({ at }) => at >= from && at <= to);
  const ended = Math.max(
    ...near.map((trouble) => trouble.to + (trouble.detectionMs ?? 0)),
    ...slowRetries.map(({ until }) => until),
  );
  // It begins in 1970 where the store could not be read at the start, or the clock was set back.
  const isUnknown = from < -NOTE_EVERY_MS && near.some(({ lane }) => UNKNOWN_LANES.includes(lane));
  const earlyMs = isUnknown ? 0 : begun - MARGIN_MS - from;
  const lateMs = to - ended - allowedMs;
  if (lateMs > LONGER_MS)
    return finding(`the gap ends ${Math.round(lateMs)} ms after the faults that caused it`);
  if (earlyMs > LONGER_MS)
    return finding(`the gap begins ${Math.round(earlyMs)} ms before the faults that caused it`);
  return [];
}

/** Until when a connector that has failed waits for its next try; twice as long each time in a row. */
function slowRetriesOf(name: string, states: readonly StateFact[]): readonly { at: number; until: number }[] {
  let failures = 0;
  return states.flatMap(({ at, hasFailed, isConnected, platform }) => {
    if (platform !== name) return [];
    if (isConnected) failures = 0;
    if (hasFailed !== true) return [];
    failures += 1;
    return [{ at, until: at + SLOW_RETRY_MS * 2 ** (failures - 1) }];
  });
}

/** Where a gap may begin: a process that ends without a word leaves its last note only. */
function earliestOf({ from, isStandstill, lane }: TroubleFact): number {
  return lane === 'service' && isStandstill !== true ? from - NOTE_EVERY_MS : from;
}
