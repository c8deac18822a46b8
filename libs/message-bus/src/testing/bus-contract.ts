import { deliveryCases } from './delivery-cases.js';
import { type ContractCase, type CreateBusHarness } from './contract-case.js';
import { lifecycleCases } from './lifecycle-cases.js';
import { publishCases } from './publish-cases.js';
import { redeliveryCases } from './redelivery-cases.js';

// Structural, so that this library needs no test runner's types; jest and its like provide both.
declare const describe: (name: string, body: () => void) => void;
declare const it: (name: string, body: () => Promise<void>, timeoutMs?: number) => void;

/** What every bus must do, as data: a spec may run a single case, also against a bus that is to fail it. */
export const busContractCases: readonly ContractCase[] = [
  ...publishCases,
  ...deliveryCases,
  ...redeliveryCases,
  ...lifecycleCases,
];

/** Runs one case against a bus of its own. */
export async function runBusContractCase(
  contractCase: ContractCase,
  createHarness: CreateBusHarness,
): Promise<void> {
  const harness = await createHarness();
  try {
    await contractCase.run(harness);
  } finally {
    await harness.dispose();
  }
}

/** Registers the contract suite for a driver. `createHarness` is called once per case. */
export function describeMessageBus(name: string, createHarness: CreateBusHarness): void {
  describe(`${name} keeps the contract of MessageBus`, () => {
    for (const contractCase of busContractCases) {
      it(contractCase.name, () => runBusContractCase(contractCase, createHarness), 30_000);
    }
  });
}
