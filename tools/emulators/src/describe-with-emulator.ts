import { emulatorAvailability, type SearchEnvironment } from './emulator-installation.js';
import { type EmulatorKind } from './emulator-kind.js';

interface Describe {
  (name: string, body: () => void): void;
  readonly skip: (name: string, body: () => void) => void;
}

// Structural, so that this library needs no test runner's types; jest and its like provide it.
declare const describe: Describe;
declare const it: (name: string, body: () => void) => void;

/**
 * Registers a suite that needs an emulator. Where the emulator is missing, the suite fails under `CI=true` and is skipped, by
 * a name that says why, on a person's machine.
 */
export function describeWithEmulator(
  kind: EmulatorKind,
  name: string,
  environment: SearchEnvironment,
  body: () => void,
): void {
  const availability = emulatorAvailability(kind, environment);
  if (availability.available) {
    describe(name, body);
  } else if (environment['CI'] === 'true') {
    describe(name, () => {
      it(`finds the ${kind.name} emulator`, () => {
        throw new Error(availability.reason);
      });
    });
  } else {
    describe.skip(`${name} (skipped, ${availability.reason})`, body);
  }
}
