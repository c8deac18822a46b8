import { describeWithEmulator } from './describe-with-emulator.js';
import { type Emulator, type EmulatorOptions } from './emulator.js';
import { type SearchEnvironment } from './emulator-installation.js';
import { type EmulatorKind } from './emulator-kind.js';
import { startEmulator } from './emulator-process.js';

/** The jar names no main class; the CLI's script `cloud_firestore_emulator` does. */
const MAIN_CLASS = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore';

export const FIRESTORE: EmulatorKind = {
  name: 'Firestore',
  debianPackage: 'google-cloud-cli-firestore-emulator',
  jar: { folder: 'platform/cloud-firestore-emulator', file: /^cloud-firestore-emulator\.jar$/ },
  defaultHeapMb: 256,
  run: (jar) => ['-cp', jar, MAIN_CLASS],
  reset: (projectId) => ({
    method: 'DELETE',
    path: `/emulator/v1/projects/${projectId}/databases/(default)/documents`,
  }),
};

/** A running emulator of Firestore on 127.0.0.1. It ends with this process at the latest, however that ends. */
export interface FirestoreEmulator extends Emulator {
  /** Removes all documents. */
  reset(): Promise<void>;
}

/**
 * Starts the Firestore emulator and waits until it answers.
 * @throws Error that names what is missing and the package which has it
 */
export function startFirestoreEmulator(options: EmulatorOptions): Promise<FirestoreEmulator> {
  return startEmulator(FIRESTORE, options);
}

/**
 * Registers a suite that needs the Firestore emulator. Where the emulator is missing, the suite fails under `CI=true` and is
 * skipped, by a name that says why, on a person's machine.
 * @param environment `process.env`
 */
export function describeWithFirestoreEmulator(
  name: string,
  environment: SearchEnvironment,
  body: () => void,
): void {
  describeWithEmulator(FIRESTORE, name, environment, body);
}
