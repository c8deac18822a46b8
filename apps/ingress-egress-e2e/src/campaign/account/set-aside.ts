import { type JudgedEvent } from './egress-groups.js';
import { type Facts, type TroubleFact } from '../facts.js';

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
 * Whether a process may have ended with the event in hand, and nothing says so. What it had done by then nobody can tell, so
 * `unknown` is the true outcome, even of an event that could not be sent.
 */
export function mayHaveDiedInHand(event: JudgedEvent, facts: Facts): boolean {
  return deathsOf(event, facts) > 0 || stoppedWithoutStore(event, facts);
}

/** Processes that were killed between the event's publication and its outcome `unknown`. */
function deathsOf(event: JudgedEvent, facts: Facts): number {
  return meanwhile(event, facts, ({ name }) => KILLS.includes(name)).length;
}

/** Whether a process stopped while the store was away, which then does not know that it gave its events back. */
function stoppedWithoutStore(event: JudgedEvent, facts: Facts): boolean {
  const stops = meanwhile(event, facts, ({ lane }) => lane === 'service');
  const absences = meanwhile(event, facts, ({ lane }) => lane === 'state');
  return stops.some((stop) => absences.some(({ from, to }) => from <= stop.to && to >= stop.from));
}

/** What went wrong between the event's publication and its outcome `unknown`. */
function meanwhile(
  { at, outcomes }: JudgedEvent,
  { troubles }: Facts,
  matches: (trouble: TroubleFact) => boolean,
): readonly TroubleFact[] {
  const settled = outcomes.find(({ status }) => status === 'unknown');
  if (settled === undefined) return [];
  return troubles.filter((trouble) => matches(trouble) && trouble.to >= at && trouble.from <= settled.at);
}
