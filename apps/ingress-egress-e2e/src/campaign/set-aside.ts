import { type JudgedEvent } from './egress-groups.js';
import { type Facts } from './facts.js';

/** Processes that die with an event in hand before the service sets it aside. */
const DEATHS = 3;
/** Faults that end a process without a word. */
const KILLS: readonly string[] = [
  'service.kill',
  'service.kill-while-bus-is-away',
  'service.restart-with-backlog',
  'service.deploy-killed',
];

/**
 * Whether an event may have been set aside as `unknown`, whether or not it stands: it has become a dead letter, and so many
 * processes were killed between its publication and its outcome.
 */
export function isSetAside(event: JudgedEvent, facts: Facts): boolean {
  return facts.deadLetters.includes(event.id) && deathsOf(event, facts) >= DEATHS;
}

/**
 * Whether a process may have been killed with the event in hand. What it had done by then nobody can tell, so
 * `unknown` is the true outcome, even of an event that could not be sent.
 */
export function mayHaveDiedInHand(event: JudgedEvent, facts: Facts): boolean {
  return deathsOf(event, facts) > 0;
}

/** Processes that were killed between the event's publication and its outcome `unknown`. */
function deathsOf({ at, outcomes }: JudgedEvent, { troubles }: Facts): number {
  const settled = outcomes.find(({ status }) => status === 'unknown');
  if (settled === undefined) return 0;
  return troubles.filter(({ from, name, to }) => KILLS.includes(name) && to >= at && from <= settled.at)
    .length;
}
