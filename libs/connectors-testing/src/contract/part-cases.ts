import assert from 'node:assert/strict';
import { type ConnectorProblem } from '@bitbrat/connectors-core';
import { waitFor } from '../wait-for.js';
import { type ConnectorHarness, type ContractCase } from './harness.js';
import { patienceOf, publishedAll, start, statusOf } from './steps.js';

/** Problems of the last state that the host was told; none where it is not connected. */
function problemsOf({ host }: ConnectorHarness): readonly ConnectorProblem[] {
  const state = host.states.at(-1);
  return state?.status === 'connected' ? (state.problems ?? []) : [];
}

/** What becomes of the whole when a part fails. */
export const partCases: readonly ContractCase[] = [
  {
    name: 'a part that fails is reported as a problem while the others work, and solved',
    async run(harness: ConnectorHarness): Promise<void> {
      if (harness.failPart === undefined) return;
      await start(harness);
      const part = await harness.failPart();
      await waitFor(
        () => {
          assert.equal(statusOf(harness), 'connected', 'a part that fails must not take the connector down');
          return problemsOf(harness).length > 0;
        },
        patienceOf(harness),
        'a problem in the state',
      );
      for (const { subject, error, hint } of problemsOf(harness)) {
        assert.notEqual(subject.trim(), '', 'a problem must name the part');
        assert.notEqual(error.code, '', 'a problem must have a code');
        assert.notEqual(hint.trim(), '', 'a problem must hint at what a person can do');
      }
      const { state } = harness.connector.getSnapshot();
      assert.ok(state.status === 'connected' && (state.problemCount ?? 0) > 0, 'the snapshot must say so');
      const elsewhere = await harness.receive('elsewhere', { channel: part.unharmedChannel });
      await publishedAll(harness, [elsewhere], 'a message in a part that works');
      await part.heal();
      await waitFor(() => problemsOf(harness).length === 0, patienceOf(harness), 'the problem to be solved');
      assert.equal(statusOf(harness), 'connected');
    },
  },
];
