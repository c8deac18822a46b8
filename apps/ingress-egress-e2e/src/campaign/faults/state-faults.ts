import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Fault } from '../fault.js';

/** What can happen to the folder of the service's state file. */
export function stateFaults(directory: string): readonly Fault[] {
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
  ];
}
