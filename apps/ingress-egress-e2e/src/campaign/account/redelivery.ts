import { REDELIVERY_MS, sendWindowMs } from './documented-waits.js';
import { LEASE_BREAKING } from '../fault.js';
import { type AcceptedFact, type Facts, type OutcomeFact } from '../facts.js';
import { stalledMs } from './stalls.js';

/** Milliseconds until the service has noticed a disturbance: that its clock was set, within a second. */
const NOTICE_MS = 2_000;

/** An event with the outcomes that the bus has delivered, in order of time. */
export interface SettledEvent {
  readonly event: AcceptedFact;
  readonly outcomes: readonly OutcomeFact[];
}

/**
 * Whether an event may stand behind a later one. What the bus takes back from a service that stops, dies or
 * loses its connection it delivers again, and Google's emulator (unlike the service) then delivers it behind
 * later messages of its ordering key.
 *
 * So there must have been such a disturbance while the event was in hand, given to the bus and not settled;
 * the later one must have been settled after it had begun; and the event must have been settled within the
 * time of a redelivery after it, or after a further disturbance that came within this time. What the machine itself
 * stood still comes on top.
 */
export function isReordered(
  late: SettledEvent,
  overtaking: SettledEvent,
  { stalls, troubles }: Facts,
): boolean {
  const settledAt = late.outcomes[0]?.at ?? Infinity;
  const overtakenAt = overtaking.outcomes[0]?.at ?? Infinity;
  const disturbances = troubles
    .filter(({ lane }) => LEASE_BREAKING.includes(lane))
    .sort((a, b) => a.from - b.from);
  const redeliveryMs = REDELIVERY_MS + sendWindowMs(late.event.platform);
  const reachOf = (first: number): number =>
    disturbances
      .slice(first)
      .reduce(
        (reach, { from, to }) => (from <= reach ? Math.max(reach, to + redeliveryMs) : reach),
        disturbances[first]?.from ?? 0,
      );
  return disturbances.some(
    ({ from, to }, place) =>
      late.event.at <= to + NOTICE_MS &&
      Math.min(settledAt, overtakenAt) >= from &&
      settledAt <= reachOf(place) + stalledMs(stalls, to, settledAt),
  );
}
