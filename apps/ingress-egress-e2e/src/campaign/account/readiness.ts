import { AFTERMATH_MS, LEASE_BREAKING } from '../fault.js';
import { type Facts, type TroubleFact } from '../facts.js';

/** A span of time in milliseconds since the run began. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds after a fault within which a connection that it has broken is given up. */
const BREAKS_WITHIN_MS = 15_000;

/**
 * When what a message to a platform needs was not there: the platform, the connection to it, the process, its
 * clock, bus and store. Ascending.
 */
export function absencesOf(platform: string, facts: Facts): readonly Span[] {
  const disconnected = disconnections(platform, facts);
  const lanes = [platform, 'state', ...LEASE_BREAKING];
  const faults = facts.troubles
    .filter(({ isOverlap, lane }) => isOverlap !== true && lanes.includes(lane))
    .map((trouble) => ({ from: trouble.from, to: noticedBy(trouble, disconnected) }));
  return [...faults, ...disconnected].sort((a, b) => a.from - b.from);
}

/** A broken connection is there only when a connection that was made after the fault is. */
function noticedBy({ detectionMs = 0, from, to }: TroubleFact, disconnected: readonly Span[]): number {
  const until = to + Math.max(BREAKS_WITHIN_MS, detectionMs);
  const broken = disconnected.find((span) => span.from >= from && span.from <= until);
  return broken === undefined ? to : Math.max(to, Math.min(broken.to, to + AFTERMATH_MS + detectionMs));
}

/**
 * Spans in which some process of the service was alive that was not connected to the platform, or none was
 * alive.
 */
function disconnections(platform: string, { states }: Facts): readonly Span[] {
  const alive = new Map<number, boolean>();
  const spans: Span[] = [];
  let from: number | undefined = 0;
  for (const state of states) {
    if (!state.isAlive) alive.delete(state.process);
    else if (state.platform === undefined || state.platform === platform)
      alive.set(state.process, state.isConnected);
    const isReady = alive.size > 0 && [...alive.values()].every(Boolean);
    if (isReady && from !== undefined) {
      spans.push({ from, to: state.at });
      from = undefined;
    } else if (!isReady) {
      from ??= state.at;
    }
  }
  return from === undefined ? spans : [...spans, { from, to: Infinity }];
}

/**
 * The first moment from which everything stays there for `forMs`.
 * @param absences ascending by their beginning
 */
export function readyFrom(start: number, forMs: number, absences: readonly Span[]): number {
  let ready = start;
  for (const { from, to } of absences) {
    if (from > ready + forMs) break;
    if (to >= ready) ready = to;
  }
  return ready;
}
