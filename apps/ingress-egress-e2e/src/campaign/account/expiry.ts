import { type JudgedEvent } from './egress-groups.js';
import { sdkWaitMs } from './documented-waits.js';
import { type Facts, type StandingFact } from '../facts.js';
import { stalledMs } from './stalls.js';
import { type Finding } from './verdict.js';

/**
 * Milliseconds from a try's beginning to the moment at which the platform has taken it, in health: the
 * campaign sees the latter alone. A fault that slows requests down comes on top.
 */
const ON_ITS_WAY_MS = 1_000;

/**
 * Judges `expiresAt`: an event is `expired` at that moment or later by the service's own clock, to the
 * millisecond, and no try begins after it. What stands later than a message needs for its way was sent too
 * late, but where the platform, network, clock or process held it up.
 */
export function expiryFindings(
  event: JudgedEvent,
  messages: readonly StandingFact[],
  facts: Facts,
): Finding[] {
  const { expiresAt, id, outcomes, token } = event;
  if (expiresAt === undefined) return [];
  const keys = [id, token];
  const findings: Finding[] = [];
  for (const { occurredAt, status } of outcomes) {
    if (status !== 'expired' || occurredAt >= expiresAt) continue;
    const detail = `${token}: expired ${expiresAt - occurredAt} ms before its time`;
    findings.push({ kind: 'egress expired early', detail, keys });
  }
  const own = messages.filter((message) => isOwn(message, event));
  const last = Math.max(-Infinity, ...own.map(({ wallTime }) => wallTime));
  const lateMs = last - expiresAt;
  if (lateMs > ON_ITS_WAY_MS && !wasHeldUp(event, expiresAt, last, facts)) {
    const detail = `${token}: stands ${Math.round(lateMs)} ms after it had expired`;
    findings.push({ kind: 'egress sent after expiry', detail, keys });
  }
  return findings;
}

/** Of several equal texts only those that an outcome names can be judged. */
function isOwn({ id }: StandingFact, { outcomes }: JudgedEvent): boolean {
  return outcomes.some(({ messageIds }) => messageIds.includes(id));
}

/** Whether a try that began in time can have come to the platform so late. */
function wasHeldUp(event: JudgedEvent, expiresAt: number, stoodAt: number, facts: Facts): boolean {
  const { startedAt, stalls, troubles } = facts;
  const from = expiresAt - startedAt;
  const to = stoodAt - startedAt;
  const stalled = stalledMs(stalls, from, to) >= to - from - ON_ITS_WAY_MS;
  return (
    stalled ||
    troubles.some(
      ({ lane, name, ...trouble }) =>
        [event.platform, 'service', 'clock'].includes(lane) &&
        trouble.from <= to &&
        trouble.to + sdkWaitMs(name) >= from,
    )
  );
}
