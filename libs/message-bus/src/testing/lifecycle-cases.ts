import assert from 'node:assert/strict';
import { BusError, type Disposition } from '../message-bus.js';
import {
  type BusHarness,
  CLOSE_MS,
  type ContractCase,
  freshNames,
  recorderFor,
  textMessage,
} from './contract-case.js';
import { within } from './recorder.js';

const isClosed = (error: unknown): boolean => error instanceof BusError && error.code === 'CLOSED';

export const lifecycleCases: readonly ContractCase[] = [
  {
    name: 'finishes what the handler has in hand before a subscription is closed',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const [first, second] = [recorderFor(harness), recorderFor(harness)];
      let finish: (disposition: Disposition) => void = () => undefined;
      let ended = false;
      const answer = async (): Promise<Disposition> => {
        const disposition = await new Promise<Disposition>((resolve) => (finish = resolve));
        ended = true;
        return disposition;
      };
      const reading = await harness.bus.subscribe({ topic, subscription }, first.handler(answer));
      await harness.bus.publish(topic, textMessage('slow', 'k'));
      await first.untilText('slow');
      const closed = reading.close(CLOSE_MS).then(() => {
        assert.ok(ended, 'closed before the handler had ended');
      });
      // Awaited further down; a rejection before that is not to pass for unhandled.
      closed.catch(() => undefined);
      await harness.bus.publish(topic, textMessage('later', 'k'));
      finish('ack');
      await within(closed, harness.patienceMs, () => 'subscription closed');
      assert.deepEqual(first.texts, ['slow']);

      await harness.bus.subscribe({ topic, subscription }, second.handler());
      await second.untilText('later');
      assert.deepEqual(second.texts, ['later']);
    },
  },
  {
    name: 'delivers to the next subscriber what a closed one had not acknowledged in time',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const [first, second] = [recorderFor(harness), recorderFor(harness)];
      let finish: (disposition: Disposition) => void = () => undefined;
      const answer = (): Promise<Disposition> => new Promise((resolve) => (finish = resolve));
      const reading = await harness.bus.subscribe({ topic, subscription }, first.handler(answer));
      const id = await harness.bus.publish(topic, textMessage('stuck', 'k'));
      await first.untilText('stuck');
      await within(reading.close(100), harness.patienceMs, () => 'subscription closed');
      await harness.bus.subscribe({ topic, subscription }, second.handler());
      await second.untilText('stuck');
      assert.equal(second.messages[0]?.id, id);
      finish('ack');
    },
  },
  {
    name: 'closes a subscription and the bus more than once without harm',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const reading = await harness.bus.subscribe({ topic, subscription }, recorderFor(harness).handler());
      await Promise.all([reading.close(CLOSE_MS), reading.close(CLOSE_MS)]);
      await reading.close(CLOSE_MS);
      await Promise.all([harness.bus.close(CLOSE_MS), harness.bus.close(CLOSE_MS)]);
      await harness.bus.close(CLOSE_MS);
    },
  },
  {
    name: 'completes publishes under way when the bus is closed',
    async run(harness: BusHarness): Promise<void> {
      const { topic } = freshNames();
      const published = Array.from({ length: 105 }, (_, index) =>
        harness.bus.publish(topic, textMessage(`m${index}`, `b${index % 7}`)),
      );
      const settled = Promise.allSettled(published);
      await harness.bus.close(CLOSE_MS);
      const failed = (await settled).filter((result) => result.status === 'rejected');
      assert.deepEqual(failed, []);
    },
  },
  {
    name: 'refuses work after it was closed',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      await harness.bus.close(CLOSE_MS);
      await assert.rejects(harness.bus.publish(topic, textMessage('x')), isClosed);
      await assert.rejects(
        harness.bus.subscribe({ topic, subscription }, recorderFor(harness).handler()),
        isClosed,
      );
      await assert.rejects(harness.bus.checkHealth(harness.patienceMs), isClosed);
    },
  },
  {
    name: 'closes subscriptions that are still open when the bus is closed',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const recorder = recorderFor(harness);
      let ended = false;
      const answer = async (): Promise<Disposition> => {
        await new Promise((resolve) => setImmediate(resolve));
        ended = true;
        return 'ack';
      };
      await harness.bus.subscribe({ topic, subscription }, recorder.handler(answer));
      await harness.bus.publish(topic, textMessage('last'));
      await recorder.untilText('last');
      await harness.bus.close(CLOSE_MS);
      assert.ok(ended, 'closed before the handler had ended');
    },
  },
  {
    name: 'is healthy while it answers',
    async run(harness: BusHarness): Promise<void> {
      await harness.bus.checkHealth(harness.patienceMs);
    },
  },
];
