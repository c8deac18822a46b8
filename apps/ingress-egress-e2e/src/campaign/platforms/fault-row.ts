import { type Fault } from '../fault.js';

/** One of the list, by the seed. */
export type Pick = <T>(list: readonly T[]) => T;

/** A local platform's switches. */
export interface FaultSwitch<Input> {
  injectFault(input: Input): { readonly id: string | null };
  heal(id: string): number;
}

/** Every HTTP status that is an error. */
export const ERROR_STATUSES: readonly number[] = Array.from({ length: 200 }, (_, i) => 400 + i);

/** Makes a row of the table of faults from what a local platform offers. */
export type FaultRow<Input> = (
  what: string,
  weight: number,
  lastsMs: readonly [number, number],
  make: (pick: Pick) => Input,
  traits?: Partial<Fault>,
) => Fault;

/**
 * Rows of one platform; each fault is healed by the id that it got, and one that is over at once has none.
 */
export function faultRowsOf<Input>(platform: string, sandbox: FaultSwitch<Input>): FaultRow<Input> {
  return (what, weight, lastsMs, make, traits = {}) => ({
    name: `${platform}.${what}`,
    weight,
    lastsMs,
    quick: true,
    ...traits,
    cause: ({ random }) => {
      const { id } = sandbox.injectFault(make((list) => random.pick(list)));
      return id === null ? undefined : () => void sandbox.heal(id);
    },
  });
}
