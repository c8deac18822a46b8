import { AssertionError } from 'node:assert/strict';
import { settle } from '@bitbrat/foundation/testing';
import { brokenInbound } from '../fakes/broken-inbound.js';
import { brokenInsight } from '../fakes/broken-insight.js';
import { brokenLifecycle } from '../fakes/broken-lifecycle.js';
import { brokenOutbound } from '../fakes/broken-outbound.js';
import { brokenParts } from '../fakes/broken-parts.js';
import { createFakeHarness } from '../fakes/fake-harness.js';
import { connectorContractCases } from './describe-contract.js';

const BROKEN = [...brokenLifecycle, ...brokenInbound, ...brokenOutbound, ...brokenInsight, ...brokenParts];

describe('the contract finds a connector that', () => {
  it.each(BROKEN)('%s: "%s"', async (_flaw, caseName, Broken) => {
    const contractCase = connectorContractCases.find(({ name }) => name === caseName);
    expect(contractCase).toBeDefined();
    const harness = createFakeHarness((...parts) => new Broken(...parts), 200);
    try {
      await expect(contractCase?.run(harness)).rejects.toBeInstanceOf(AssertionError);
    } finally {
      harness.host.releasePublishes();
      const stopped = harness.connector.stop().catch(() => undefined);
      await Promise.race([stopped, settle()]); // some never end their stop: that is their flaw
      await harness.dispose();
    }
  });

  it('breaks any of its promises: each case has a flaw that it finds', () => {
    const proven = new Set(BROKEN.map(([, caseName]) => caseName));
    expect(connectorContractCases.filter(({ name }) => !proven.has(name))).toEqual([]);
  });
});
