import { LEASE_BREAKING } from '../fault.js';
import {
  type AcceptedFact,
  type DeletionFact,
  type Facts,
  type OutcomeFact,
  type WrittenFact,
} from '../facts.js';

/** Milliseconds in peace within which the service has read and published what somebody wrote. */
const PROMPT_MS = 10_000;
/** Milliseconds after a disturbance until everything works again: the longest back-off of a read, a publish and a reconnect. */
const AFTERMATH_MS = 30_000;

/**
 * Whether a message was deleted with its conversation before the service can be expected to have read it: since it was written, the
 * service had not been left in peace for ten seconds.
 */
export function isDeletedUnread({ channel, platform, wallTime }: WrittenFact, facts: Facts): boolean {
  const deletion = facts.deletions.find((fact) => fact.platform === platform && fact.channel === channel);
  if (deletion === undefined) return false;
  const writtenAt = deletion.at - (deletion.wallTime - wallTime);
  return writtenAt <= deletion.at && peaceMs(writtenAt, deletion, facts) < PROMPT_MS;
}

/** Whether an event was rightly refused: its conversation was deleted, the outcome says so, and it has become a dead letter. */
export function isRefusedAsDeleted(
  { destination, id, platform }: AcceptedFact,
  givenUp: readonly OutcomeFact[],
  { deadLetters, deletions }: Facts,
): boolean {
  const deletion = deletions.find((fact) => fact.platform === platform && fact.channel === destination);
  return (
    deletion !== undefined &&
    deadLetters.includes(id) &&
    givenUp.every(
      ({ at, code, status }) => status === 'failed' && code === 'TARGET_NOT_FOUND' && at >= deletion.at,
    )
  );
}

/** Milliseconds between the two moments in which neither platform nor service, its clock and the bus were disturbed. */
function peaceMs(from: number, { at: to, platform }: DeletionFact, { troubles }: Facts): number {
  const disturbed = troubles
    .filter(({ lane }) => [platform, ...LEASE_BREAKING].includes(lane))
    .map((trouble) => ({ from: trouble.from, to: trouble.to + AFTERMATH_MS }))
    .sort((a, b) => a.from - b.from);
  let peace = 0;
  let reached = from;
  for (const trouble of [...disturbed, { from: to, to }]) {
    peace += Math.max(0, Math.min(trouble.from, to) - reached);
    reached = Math.max(reached, trouble.to);
  }
  return peace;
}
