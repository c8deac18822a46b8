export { type Emulator, type EmulatorOptions } from './emulator.js';
export {
  type EmulatorAvailability,
  type EmulatorInstallation,
  type SearchEnvironment,
} from './emulator-installation.js';
export {
  describeWithFirestoreEmulator,
  type FirestoreEmulator,
  firestoreEmulatorAvailability,
  startFirestoreEmulator,
} from './firestore-emulator.js';
export {
  describeWithPubSubEmulator,
  type PubSubEmulator,
  pubSubEmulatorAvailability,
  startPubSubEmulator,
} from './pubsub-emulator.js';
