export { busContractCases, describeMessageBus, runBusContractCase } from './testing/bus-contract.js';
export { type BusHarness, type ContractCase, type CreateBusHarness } from './testing/contract-case.js';
export { describeWithEmulator } from './testing/describe-with-emulator.js';
export { type EmulatorOptions, type PubSubEmulator, startPubSubEmulator } from './testing/emulator.js';
export {
  type EmulatorAvailability,
  emulatorAvailability,
  type EmulatorInstallation,
  type SearchEnvironment,
} from './testing/emulator-installation.js';
export { Recorder } from './testing/recorder.js';
export { ManualClock } from './testing/manual-clock.js';
