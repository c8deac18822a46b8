import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { type BusProxy } from '../machinery/bus-proxy.js';
import { type Fault, type Heal } from '../fault.js';
import { type Injector } from '../machinery/injector.js';

/** What can happen to the service's state file and its folder. */
export function stateFaults(directory: string, injector: Injector): readonly Fault[] {
  return [
    {
      // As a disk that is not mounted: nothing there can be read or written.
      name: 'state.unavailable',
      weight: 1,
      lastsMs: [1_000, 8_000],
      quick: true,
      cause: () => {
        renameSync(directory, `${directory}.away`);
        writeFileSync(directory, '');
        return () => {
          rmSync(directory, { recursive: true });
          renameSync(`${directory}.away`, directory);
        };
      },
    },
    {
      name: 'state.slow',
      weight: 1,
      lastsMs: [2_000, 10_000],
      quick: true,
      cause: ({ random }) => {
        injector.set({ diskMs: random.pick([300, 2_000]) });
        return () => {
          injector.set({ diskMs: 0 });
        };
      },
    },
  ];
}

/** What can happen to the network between the service and Firestore. */
export function firestoreFaults(proxy: BusProxy): readonly Fault[] {
  const row = (
    what: string,
    lastsMs: Fault['lastsMs'],
    cause: (delayMs: number) => Heal | undefined,
  ): Fault => ({
    name: `state.${what}`,
    weight: 1,
    lastsMs,
    quick: true,
    cause: ({ random }) => cause(random.pick([200, 1_500])),
  });
  return [
    row('cut', [0, 0], () => {
      proxy.cut();
      return undefined;
    }),
    row('refuse', [1_000, 10_000], () => {
      proxy.state.refusing = true;
      proxy.cut();
      return () => {
        proxy.state.refusing = false;
      };
    }),
    row('hang', [1_000, 12_000], () => {
      proxy.state.hanging = true;
      return () => {
        proxy.state.hanging = false;
      };
    }),
    row('slow', [2_000, 10_000], (delayMs) => {
      proxy.state.delayMs = delayMs;
      return () => {
        proxy.state.delayMs = 0;
      };
    }),
  ];
}
