import { describeWithEmulator } from './describe-with-emulator.js';
import { type Emulator, type EmulatorOptions } from './emulator.js';
import { type SearchEnvironment } from './emulator-installation.js';
import { type EmulatorKind } from './emulator-kind.js';
import { startEmulator } from './emulator-process.js';

export const PUBSUB: EmulatorKind = {
  name: 'Pub/Sub',
  debianPackage: 'google-cloud-cli-pubsub-emulator',
  jar: { folder: 'platform/pubsub-emulator/lib', file: /^cloud-pubsub-emulator-.*\.jar$/ },
  defaultHeapMb: 512,
  run: (jar) => ['-jar', jar],
  reset: () => ({ method: 'POST', path: '/reset' }),
};

/** A running emulator of Pub/Sub on 127.0.0.1. It ends with this process at the latest, however that ends. */
export interface PubSubEmulator extends Emulator {
  /** Removes all topics and subscriptions. */
  reset(): Promise<void>;
}

/**
 * Starts the Pub/Sub emulator and waits until it answers.
 * @throws Error that names what is missing and the package which has it
 */
export function startPubSubEmulator(options: EmulatorOptions): Promise<PubSubEmulator> {
  return startEmulator(PUBSUB, options);
}

/**
 * Registers a suite that needs the Pub/Sub emulator. Where the emulator is missing, the suite fails under `CI=true` and is
 * skipped, by a name that says why, on a person's machine.
 * @param environment `process.env`
 */
export function describeWithPubSubEmulator(
  name: string,
  environment: SearchEnvironment,
  body: () => void,
): void {
  describeWithEmulator(PUBSUB, name, environment, body);
}
