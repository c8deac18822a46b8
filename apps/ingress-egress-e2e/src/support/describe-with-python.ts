import { spawnSync } from 'node:child_process';
import { describeWithPubSubEmulator } from '@bitbrat/emulators';

/**
 * Registers a suite that needs Python and the Pub/Sub emulator. Where one is missing, the suite fails under `CI=true` and is
 * skipped, by a name that says why, on a person's machine.
 */
export function describeWithPython(name: string, body: () => void): void {
  if (spawnSync('python3', ['--version']).status === 0) {
    describeWithPubSubEmulator(name, process.env, body);
  } else if (process.env['CI'] === 'true') {
    it(`${name} finds python3`, () => {
      throw new Error('missing: python3 (Debian: python3)');
    });
  } else {
    describe.skip(`${name} (skipped, missing: python3)`, body);
  }
}
