import { type Fault } from '../fault.js';
import { type Injector } from '../machinery/injector.js';

/**
 * What can happen to the clock of the service's machine. A platform's clock that is wrong the other way looks the same to the service, so
 * tokens die before their time or live on after it.
 */
export function clockFaults(injector: Injector): readonly Fault[] {
  const jump = (name: string, choices: readonly number[]): Fault => ({
    name: `clock.${name}`,
    weight: 1,
    lastsMs: [1_000, 12_000],
    quick: true,
    cause: ({ random }) => {
      injector.set({ clockMs: random.pick(choices) });
      return () => {
        injector.set({ clockMs: 0 });
      };
    },
  });
  return [jump('ahead', [90_000, 600_000]), jump('behind', [-90_000, -600_000])];
}
