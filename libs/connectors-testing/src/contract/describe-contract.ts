import { type ConnectorHarness, type ContractCase } from './harness.js';
import { inboundCases } from './inbound-cases.js';
import { insightCases } from './insight-cases.js';
import { lifecycleCases } from './lifecycle-cases.js';
import { outboundCases } from './outbound-cases.js';
import { partCases } from './part-cases.js';

/** All that a connector promises, one case a promise. */
export const connectorContractCases: readonly ContractCase[] = [
  ...lifecycleCases,
  ...inboundCases,
  ...outboundCases,
  ...insightCases,
  ...partCases,
];

/**
 * Runs each case of the contract as a Jest test of its own, on a harness of its own.
 *
 * The connector is stopped and the harness disposed after each case, whatever became of it.
 */
export function describeConnectorContract(
  name: string,
  createHarness: () => Promise<ConnectorHarness>,
): void {
  describe(`${name} keeps the connector contract`, () => {
    let harness: ConnectorHarness | undefined;

    afterEach(async () => {
      const used = harness;
      harness = undefined;
      used?.host.releasePublishes();
      await used?.connector.stop();
      await used?.dispose();
    });

    it.each(connectorContractCases.map((contractCase) => [contractCase.name, contractCase] as const))(
      '%s',
      async (_name, contractCase) => {
        harness = await createHarness();
        await contractCase.run(harness);
      },
    );
  });
}
