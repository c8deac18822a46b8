export { type Emulator, type EmulatorOptions } from './emulator.js';
export {
  describeWithFirestoreEmulator,
  type FirestoreEmulator,
  startFirestoreEmulator,
} from './firestore-emulator.js';
export { freePort } from './free-port.js';
export { describeWithPubSubEmulator, type PubSubEmulator, startPubSubEmulator } from './pubsub-emulator.js';
