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
export function isSetAside({ at, id, outcomes }: JudgedEvent, { deadLetters, troubles }: Facts): boolean {
  const settled = outcomes.find(({ status }) => status === 'unknown');
  if (settled === undefined || !deadLetters.includes(id)) return false;
  const kills = troubles.filter(
    ({ from, name, to }) => KILLS.includes(name) && to >= at && from <= settled.at,
  );
  return kills.length >= DEATHS;
}
