import assert from 'node:assert/strict';
import { type ConnectorHarness, type ContractCase } from './harness.js';
import { patienceOf, publishedAll, rejectionOf, send, start } from './steps.js';
import { waitFor } from '../wait-for.js';

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen);
}

/** What a connector tells about itself. */
export const insightCases: readonly ContractCase[] = [
  {
    name: 'capabilities are frozen and make sense',
    async run(harness: ConnectorHarness): Promise<void> {
      const { capabilities } = harness.connector;
      assert.ok(isDeepFrozen(capabilities), 'capabilities must be frozen, at every level');
      assert.ok(Number.isInteger(capabilities.text.maxLength) && capabilities.text.maxLength >= 16);
      assert.ok(['utf16', 'code-points'].includes(capabilities.text.unit));
      const { maxOutbound } = capabilities.attachments;
      assert.ok(Number.isInteger(maxOutbound) && maxOutbound >= 0);
      assert.ok(['lookup', 'platform', 'none'].includes(capabilities.duplicateProtection));
      assert.ok(['none', 'markdown'].includes(capabilities.formatting));
      assert.deepEqual(JSON.parse(JSON.stringify(capabilities)), capabilities, 'capabilities are data');
      await start(harness);
      assert.deepEqual(harness.connector.capabilities, capabilities, 'capabilities must not change');
    },
  },
  {
    name: 'a snapshot is JSON and does not change afterwards',
    async run(harness: ConnectorHarness): Promise<void> {
      const { connector } = harness;
      const check = (): { snapshot: unknown; json: string } => {
        const snapshot = connector.getSnapshot();
        const json = JSON.stringify(snapshot);
        assert.deepEqual(JSON.parse(json), snapshot, 'a snapshot must survive JSON unchanged');
        return { snapshot, json };
      };
      const taken = [check()];
      await start(harness);
      taken.push(check());
      const message = await harness.receive('hello');
      await publishedAll(harness, [message], 'a message');
      await send(harness, 'hi', await harness.aDestination());
      taken.push(check());
      await harness.connector.stop();
      taken.push(check());
      for (const { snapshot, json } of taken) {
        assert.equal(JSON.stringify(snapshot), json, 'a snapshot must not change after it was taken');
      }
    },
  },
  {
    name: 'the counters move',
    async run(harness: ConnectorHarness): Promise<void> {
      const counters = () => harness.connector.getSnapshot().counters;
      await start(harness);
      const before = { ...counters() };
      await publishedAll(
        harness,
        [await harness.receive('one'), await harness.receive('two')],
        'two messages',
      );
      await waitFor(
        () => counters().received === before.received + 2,
        patienceOf(harness),
        'received to be 2',
      );
      assert.notEqual(
        harness.connector.getSnapshot().lastMessageAt,
        undefined,
        'lastMessageAt must be known',
      );
      await send(harness, 'three', await harness.aDestination());
      assert.equal(counters().sent, before.sent + 1, 'a message sent must be counted');
      await rejectionOf(send(harness, 'four', harness.anUnknownDestination()), 'an unknown destination');
      assert.equal(counters().sendFailures, before.sendFailures + 1, 'a failed send must be counted');
      assert.equal(counters().sent, before.sent + 1, 'a failed send is no message sent');
      const { lastError } = harness.connector.getSnapshot();
      assert.equal(lastError?.code, 'TARGET_NOT_FOUND', 'the last error must be known');
    },
  },
  {
    name: 'no secret is seen outside',
    async run(harness: ConnectorHarness): Promise<void> {
      const snapshots = [harness.connector.getSnapshot()];
      await start(harness);
      snapshots.push(harness.connector.getSnapshot());
      await publishedAll(harness, [await harness.receive('hello')], 'a message');
      const error = await rejectionOf(
        send(harness, 'no', harness.anUnknownDestination()),
        'an unknown destination',
      );
      snapshots.push(harness.connector.getSnapshot());
      await harness.dropConnection();
      snapshots.push(harness.connector.getSnapshot());
      await harness.connector.stop();
      snapshots.push(harness.connector.getSnapshot());
      const text = `${JSON.stringify(snapshots)} ${error.message} ${error.hint} ${error.stack ?? ''}`;
      const seen = harness.secrets.filter((secret) => text.includes(secret)).length;
      assert.equal(seen, 0, 'no secret may stand in a snapshot or an error');
      assert.deepEqual(
        harness.host.findSecrets(harness.secrets).map((found) => found.split(' ').slice(-2).join(' ')),
        [],
        'no secret may stand in a log, a state or an envelope',
      );
    },
  },
];
