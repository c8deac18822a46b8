import { AFTERMATH_MS } from '../fault.js';
import { type Facts, type OutcomeFact } from '../facts.js';
import { type JudgedEvent } from '../account/egress-groups.js';

/** What faults are called that answer requests with any HTTP status. */
export const STATUS_FAULT = 'any-status';

/**
 * Whether an event was rightly refused: the platform had answered requests with statuses of all kinds while
 * it was being sent, among them those that say that it will never be taken, and it has become a dead letter.
 */
export function isRefusedByStatus(
  { at, id, platform }: JudgedEvent,
  givenUp: readonly OutcomeFact[],
  { deadLetters, troubles }: Facts,
): boolean {
  const until = givenUp[0]?.at ?? Infinity;
  return (
    givenUp.every(({ status }) => status === 'failed') &&
    deadLetters.includes(id) &&
    troubles.some(
      ({ from, name, to }) =>
        name === `${platform}.${STATUS_FAULT}` && from <= until && to + AFTERMATH_MS >= at,
    )
  );
}
