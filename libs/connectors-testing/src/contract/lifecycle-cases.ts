import assert from 'node:assert/strict';
import { type ConnectorHarness, type ContractCase } from './harness.js';
import {
  connectionsClosed,
  envelopesOf,
  keepUp,
  patienceOf,
  publishedAll,
  rejectionOf,
  send,
  start,
  statusOf,
  staysTrue,
} from './steps.js';
import { waitFor, within } from '../wait-for.js';

/** Start, stop, loss of the connection. */
export const lifecycleCases: readonly ContractCase[] = [
  {
    name: 'has a slug for a name, and shows it',
    async run(harness: ConnectorHarness): Promise<void> {
      const { name } = harness.connector;
      assert.match(name, /^[a-z][a-z0-9-]{0,31}$/, 'the name must be a slug');
      assert.equal(harness.connector.getSnapshot().name, name, 'the snapshot must show the name');
      assert.equal(statusOf(harness), 'stopped', 'before the first start the state must be stopped');
      await start(harness);
      assert.equal(harness.connector.name, name, 'the name must not change');
      const [envelope] = await publishedAll(harness, [await harness.receive('hello')], 'a message');
      assert.equal(envelope?.source, name, 'envelopes must show the name');
    },
  },
  {
    name: 'start resolves when connected, and the state says so',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      assert.equal(statusOf(harness), 'connected', 'after start the snapshot must say connected');
      assert.equal(harness.host.states.at(-1)?.status, 'connected', 'after start the host must know of it');
      await publishedAll(harness, [await harness.receive('hello')], 'a message written right after start');
    },
  },
  {
    name: 'a second start is a no-op',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const reported = harness.host.states.length;
      await start(harness);
      assert.equal(harness.host.states.length, reported, 'a second start must report no state');
      const message = await harness.receive('once');
      await publishedAll(harness, [message], 'a message after a second start');
      await staysTrue(harness, () => envelopesOf(harness, message).length === 1, 'published once, not twice');
    },
  },
  {
    name: 'concurrent starts are one start',
    async run(harness: ConnectorHarness): Promise<void> {
      await Promise.all([start(harness), start(harness), start(harness)]);
      assert.equal(statusOf(harness), 'connected');
      const message = await harness.receive('once');
      await publishedAll(harness, [message], 'a message after concurrent starts');
      await staysTrue(harness, () => envelopesOf(harness, message).length === 1, 'published once, not twice');
    },
  },
  {
    name: 'stop is idempotent, in any state',
    async run(harness: ConnectorHarness): Promise<void> {
      const stop = (when: string): Promise<void> =>
        assert.doesNotReject(within(harness.connector.stop(), patienceOf(harness), `stop ${when}`));
      await stop('before the first start');
      assert.equal(statusOf(harness), 'stopped');
      const starting = start(harness).catch(() => undefined);
      await stop('while starting');
      await within(starting, patienceOf(harness), 'the start that was stopped to settle');
      assert.equal(statusOf(harness), 'stopped', 'a stop while starting must win');
      await start(harness);
      await Promise.all([stop('when connected'), stop('a second time')]);
      await stop('when stopped');
      assert.equal(statusOf(harness), 'stopped');
    },
  },
  {
    name: 'after stop nothing is published and no state is reported but stopped',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      await publishedAll(harness, [await harness.receive('before')], 'a message before the stop');
      await harness.connector.stop();
      const calls = harness.host.publishCalls;
      const reported = harness.host.states.length;
      assert.equal(harness.host.states.at(-1)?.status, 'stopped', 'stop must be reported');
      await harness.receive('while stopped');
      await staysTrue(
        harness,
        () => harness.host.publishCalls === calls,
        'nothing may be published after stop',
      );
      assert.equal(statusOf(harness), 'stopped');
      assert.ok(
        harness.host.states.slice(reported).every(({ status }) => status === 'stopped'),
        'no state may be reported after stop',
      );
      await connectionsClosed(harness);
    },
  },
  {
    name: 'works again after stop and start',
    async run(harness: ConnectorHarness): Promise<void> {
      for (const text of ['first life', 'second life', 'third life']) {
        await start(harness);
        assert.equal(statusOf(harness), 'connected');
        const message = await harness.receive(text);
        await publishedAll(harness, [message], `a message of the ${text}`);
        await staysTrue(harness, () => envelopesOf(harness, message).length === 1, 'published once a life');
        await harness.connector.stop();
      }
    },
  },
  {
    name: 'an aborted start rejects and leaves nothing behind',
    async run(harness: ConnectorHarness): Promise<void> {
      const abort = new AbortController();
      const starting = harness.connector.start(abort.signal);
      abort.abort();
      await rejectionOf(
        within(starting, patienceOf(harness), 'the aborted start'),
        'start, aborted on the way',
      );
      const early = harness.connector.start(AbortSignal.abort());
      await rejectionOf(within(early, patienceOf(harness), 'the aborted start'), 'start, aborted before');
      const calls = harness.host.publishCalls;
      await harness.receive('nobody listens');
      await staysTrue(
        harness,
        () => harness.host.publishCalls === calls && ['stopped', 'failed'].includes(statusOf(harness)),
        'an aborted start may not connect, nor publish',
      );
      await connectionsClosed(harness);
      await start(harness);
      await publishedAll(
        harness,
        [await harness.receive('now')],
        'a message after a start that was not aborted',
      );
    },
  },
  {
    name: 'refused credentials are AUTH_FAILED, final, with a hint',
    async run(harness: ConnectorHarness): Promise<void> {
      if (harness.refuseCredentials === undefined) return;
      await harness.refuseCredentials();
      const error = await rejectionOf(start(harness), 'start with refused credentials');
      assert.equal(error.code, 'AUTH_FAILED', `start must reject with AUTH_FAILED, got ${error.code}`);
      assert.equal(error.retryable, false);
      const { state } = harness.connector.getSnapshot();
      assert.ok(state.status === 'failed', `the state must be failed, it is ${state.status}`);
      assert.equal(state.error.code, 'AUTH_FAILED', 'the state must carry the code');
      assert.equal(state.error.retryable, false);
      assert.notEqual(state.hint.trim(), '', 'the state must hint at what a person can do');
      assert.equal(harness.host.states.at(-1)?.status, 'failed', 'the host must know of it');
      const told = `${error.message} ${error.hint}`;
      assert.ok(!harness.secrets.some((secret) => told.includes(secret)), 'the error must not tell a secret');
    },
  },
  {
    name: 'a lost connection is reported and comes back',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      await publishedAll(harness, [await harness.receive('before')], 'a message before the drop');
      const reported = harness.host.states.length;
      const since = (): string[] => harness.host.states.slice(reported).map(({ status }) => status);
      await harness.dropConnection();
      const during = harness.redelivers ? [await harness.receive('during')] : [];
      await waitFor(
        () => since().some((status) => status !== 'connected'),
        patienceOf(harness),
        'the loss of the connection to be reported',
      );
      await keepUp(harness, 'the connection to come back');
      assert.equal(harness.host.states.at(-1)?.status, 'connected', 'the return must be reported');
      const after = await harness.receive('after');
      await publishedAll(harness, [...during, after], 'the messages since the drop');
      const destination = await harness.aDestination();
      await send(harness, 'still here', destination);
      assert.deepEqual(await harness.sentTexts(destination), ['still here']);
    },
  },
];
