export { busContractCases, describeMessageBus, runBusContractCase } from './testing/bus-contract.js';
export { type BusHarness, type ContractCase, type CreateBusHarness } from './testing/contract-case.js';
export { Recorder } from './testing/recorder.js';
