export {
  type ContractCase,
  type CreateStateStoreHarness,
  type StateStoreHarness,
} from './testing/contract-case.js';
export { describeWithEmulator } from './testing/describe-with-emulator.js';
export { type EmulatorOptions, type FirestoreEmulator, startFirestoreEmulator } from './testing/emulator.js';
export {
  type EmulatorAvailability,
  emulatorAvailability,
  type EmulatorInstallation,
  type SearchEnvironment,
} from './testing/emulator-installation.js';
export {
  describeStateStore,
  runStateStoreContractCase,
  stateStoreContractCases,
} from './testing/state-store-contract.js';
