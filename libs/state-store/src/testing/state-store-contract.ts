import { type ContractCase, type CreateStateStoreHarness } from './contract-case.js';
import { lifecycleCases } from './lifecycle-cases.js';
import { valueCases } from './value-cases.js';
import { writeCases } from './write-cases.js';

// Structural, so that this library needs no test runner's types; jest and its like provide both.
declare const describe: (name: string, body: () => void) => void;
declare const it: (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/** What every store must do, as data: a spec may run a single case, also against a store that is to fail it. */
export const stateStoreContractCases: readonly ContractCase[] = [
  ...valueCases,
  ...writeCases,
  ...lifecycleCases,
];

/** Runs one case against a store of its own. */
export async function runStateStoreContractCase(
  contractCase: ContractCase,
  createHarness: CreateStateStoreHarness,
): Promise<void> {
  const harness = await createHarness();
  try {
    await contractCase.run(harness);
  } finally {
    await harness.dispose();
  }
}

/** Registers the contract suite for a driver. `createHarness` is called once per case. */
export function describeStateStore(name: string, createHarness: CreateStateStoreHarness): void {
  describe(`${name} keeps the contract of StateStore`, () => {
    for (const contractCase of stateStoreContractCases) {
      it(contractCase.name, () => runStateStoreContractCase(contractCase, createHarness), 30_000);
    }
  });
}
