import { type EgressStatus } from '@bitbrat/envelope';
import { type JudgedEvent } from './egress-groups.js';
import { LEASE_BREAKING } from '../fault.js';
import { type Facts, type RetryFact, type TroubleFact } from '../facts.js';
import { documentedWaits, REDELIVERY_MS } from './documented-waits.js';
import { absencesOf, readyFrom, type Span } from './readiness.js';
import { stalledMs } from './stalls.js';
import { type Finding } from './verdict.js';

/** Milliseconds that a message may wait after everything it needs is there. */
export const LIMIT_MS = 2_000;

/** Of others nobody can tell when they could have been sent. */
const JUDGED: readonly EgressStatus[] = ['sent', 'expired'];

export interface LatencyAccount {
  readonly findings: readonly Finding[];
  /** See `Verdict`. */
  readonly healMs: readonly number[];
}

/** What an event's place in its queue is judged by. */
interface Progress {
  readonly settledByLane: Map<string, number>;
  readonly sentByPlatform: Map<string, readonly number[]>;
  readonly sentByDestination: Map<string, readonly number[]>;
}

/**
 * Judges how long messages took. An event's time begins when it was published, when the one before it was
 * settled, or when all that it needs was back, whichever is last. From then on it has two seconds, the waits
 * that the service documents, and what the machine itself stood still.
 * @param events in the order of their publication
 * @param stoodAt when each event's last message came to stand, in milliseconds since the run began
 */
export function judgeLatency(
  events: readonly JudgedEvent[],
  stoodAt: ReadonlyMap<JudgedEvent, number>,
  facts: Facts,
): LatencyAccount {
  const absences = new Map<string, readonly Span[]>();
  for (const name of facts.promises.keys()) absences.set(name, absencesOf(name, facts));
  const retries = groupRetries(facts.retries);
  const progress: Progress = {
    settledByLane: new Map(),
    sentByPlatform: new Map(),
    sentByDestination: new Map(),
  };
  const findings: Finding[] = [];
  const healMs: number[] = [];
  for (const event of events) {
    const start = startOf(event, progress);
    const sentAt = stoodAt.get(event);
    const endedAt = sentAt ?? expiredAt(event, facts);
    if (endedAt !== undefined && event.outcomes.some(({ status }) => JUDGED.includes(status))) {
      const own = absences.get(event.platform) ?? [];
      const tries = (retries.get(event.id) ?? []).filter(({ at }) => at <= endedAt);
      const recent = {
        platform: progress.sentByPlatform.get(event.platform) ?? [],
        destination: progress.sentByDestination.get(laneOf(event)) ?? [],
      };
      const ready = readyFrom(start, LIMIT_MS, own);
      const due = documentedWaits({ event, ready, tries, recent, facts });
      const limit = Math.max(due, lentUntil(event, facts.troubles)) + LIMIT_MS;
      const late = endedAt - limit - stalledMs(facts.stalls, ready, endedAt);
      if (late > 0) {
        const detail = `${event.token}: ${sentAt === undefined ? 'expired' : 'sent'} ${Math.round(endedAt - ready)} ms after all was there, ${Math.round(late)} ms too late`;
        findings.push({ kind: 'egress late', detail, keys: [event.id, event.token] });
      }
      if (sentAt !== undefined && ready > start && sentAt >= ready) healMs.push(Math.round(sentAt - ready));
    }
    note(event, sentAt, progress);
  }
  return { findings, healMs: healMs.sort((a, b) => a - b) };
}

/** When an event that has expired had its last chance. */
function expiredAt({ expiresAt, isUnsendable }: JudgedEvent, { startedAt }: Facts): number | undefined {
  return expiresAt === undefined || isUnsendable === true ? undefined : expiresAt - startedAt;
}

function startOf(event: JudgedEvent, { settledByLane }: Progress): number {
  return Math.max(event.at, ...queuesOf(event).map((queue) => settledByLane.get(queue) ?? 0));
}

/** The service keeps the order of a destination, and the bus that of an ordering key. */
function queuesOf(event: JudgedEvent): readonly string[] {
  return [laneOf(event), ...(event.orderingKey === undefined ? [] : [`key ${event.orderingKey}`])];
}

function laneOf({ destination, platform }: JudgedEvent): string {
  return `${platform}\n${destination}`;
}

function note(event: JudgedEvent, sentAt: number | undefined, progress: Progress): void {
  const settledAt = Math.max(sentAt ?? 0, event.outcomes[0]?.at ?? 0);
  for (const queue of queuesOf(event)) {
    progress.settledByLane.set(queue, Math.max(progress.settledByLane.get(queue) ?? 0, settledAt));
  }
  if (sentAt === undefined) return;
  const { sentByDestination, sentByPlatform } = progress;
  sentByPlatform.set(event.platform, [...(sentByPlatform.get(event.platform) ?? []).slice(-60), sentAt]);
  sentByDestination.set(laneOf(event), [...(sentByDestination.get(laneOf(event)) ?? []).slice(-10), sentAt]);
}

/**
 * Until when the bus may keep what it had lent to a connection that was lost: such an event, or one of its
 * ordering key that was lent together with it, comes again when the lease has ended.
 */
function lentUntil(event: JudgedEvent, troubles: readonly TroubleFact[]): number {
  const settledAt = event.outcomes[0]?.at ?? Infinity;
  const lost = troubles.filter(
    ({ from, lane, lendsUntil, to }) =>
      LEASE_BREAKING.includes(lane) && event.at <= (lendsUntil ?? to) + LIMIT_MS && settledAt >= from,
  );
  return Math.max(-Infinity, ...lost.map(({ to }) => to + REDELIVERY_MS));
}

function groupRetries(retries: readonly RetryFact[]): ReadonlyMap<string, readonly RetryFact[]> {
  const groups = new Map<string, RetryFact[]>();
  for (const retry of retries) {
    const group = groups.get(retry.eventId);
    if (group === undefined) groups.set(retry.eventId, [retry]);
    else group.push(retry);
  }
  return groups;
}
