export {
  type ContractCase,
  type CreateStateStoreHarness,
  type StateStoreHarness,
} from './testing/contract-case.js';
export {
  describeStateStore,
  runStateStoreContractCase,
  stateStoreContractCases,
} from './testing/state-store-contract.js';
