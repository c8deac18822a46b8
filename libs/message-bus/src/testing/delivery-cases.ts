import assert from 'node:assert/strict';
import { type Disposition } from '../message-bus.js';
import {
  type BusHarness,
  CLOSE_MS,
  type ContractCase,
  freshNames,
  recorderFor,
  textMessage,
} from './contract-case.js';

export const deliveryCases: readonly ContractCase[] = [
  {
    name: 'calls handlers in the order of publishing per ordering key',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const recorder = recorderFor(harness);
      await harness.bus.subscribe({ topic, subscription }, recorder.handler());
      const keys = ['b00', 'b01', 'b02', 'b03'];
      const published = Array.from({ length: 50 }, (_, index) =>
        keys.map((key) => harness.bus.publish(topic, textMessage(`${key}:${index}`, key))),
      );
      await Promise.all(published.flat());
      await recorder.until('200 received', () => recorder.messages.length >= 200);
      for (const key of keys) {
        const ofKey = recorder.texts.filter((text) => text.startsWith(key));
        assert.deepEqual(
          ofKey,
          Array.from({ length: 50 }, (_, index) => `${key}:${index}`),
        );
      }
    },
  },
  {
    name: 'gives every subscription of a topic each message, and other topics none',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription, otherSubscription } = freshNames();
      const other = freshNames();
      const [first, second, third] = [recorderFor(harness), recorderFor(harness), recorderFor(harness)];
      await harness.bus.subscribe({ topic, subscription }, first.handler());
      await harness.bus.subscribe({ topic, subscription: otherSubscription }, second.handler());
      await harness.bus.subscribe({ topic: other.topic, subscription: other.subscription }, third.handler());
      await Promise.all(['a', 'b', 'c'].map((text) => harness.bus.publish(topic, textMessage(text))));
      await harness.bus.publish(other.topic, textMessage('elsewhere'));
      for (const recorder of [first, second]) {
        await recorder.until('three received', () => recorder.messages.length === 3);
        assert.deepEqual(recorder.texts.sort(), ['a', 'b', 'c']);
      }
      await third.untilText('elsewhere');
      assert.deepEqual(third.texts, ['elsewhere']);
    },
  },
  {
    name: 'shares the messages of a subscription among its subscribers',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const all = recorderFor(harness);
      await harness.bus.subscribe({ topic, subscription }, all.handler());
      await harness.bus.subscribe({ topic, subscription }, all.handler());
      // By the time the second round has come, a second copy of the first would have, too.
      for (const round of ['first', 'second']) {
        const texts = Array.from({ length: 40 }, (_, index) => `${round}-${index}`);
        await Promise.all(texts.map((text) => harness.bus.publish(topic, textMessage(text))));
        await all.until(`${round} round received`, () => texts.every((text) => all.texts.includes(text)));
      }
      assert.equal(all.texts.filter((text) => text.startsWith('first')).length, 40);
    },
  },
  {
    name: 'has no more than maxInFlight messages with the handler at once',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const recorder = recorderFor(harness);
      const waiting: ((disposition: Disposition) => void)[] = [];
      let inHand = 0;
      let most = 0;
      const handler = recorder.handler(async () => {
        most = Math.max(most, ++inHand);
        const disposition = await new Promise<Disposition>((resolve) => waiting.push(resolve));
        inHand--;
        return disposition;
      });
      await harness.bus.subscribe({ topic, subscription, maxInFlight: 3 }, handler);
      await Promise.all(
        Array.from({ length: 12 }, (_, index) => harness.bus.publish(topic, textMessage(`m${index}`))),
      );
      for (let handled = 0; handled < 12; handled++) {
        await recorder.until(`message ${handled + 1} in hand`, () => recorder.messages.length > handled);
        const expected = Math.min(12, handled + 3);
        await recorder.until(`${expected} handed out`, () => recorder.messages.length >= expected);
        waiting.shift()?.('ack');
      }
      assert.equal(most, 3);
      assert.equal(new Set(recorder.texts).size, 12);
    },
  },
  {
    name: 'gives a subscription only what was published after it was made',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription, otherSubscription } = freshNames();
      const [early, late] = [recorderFor(harness), recorderFor(harness)];
      await harness.bus.subscribe({ topic, subscription }, early.handler());
      await harness.bus.publish(topic, textMessage('before'));
      await harness.bus.subscribe({ topic, subscription: otherSubscription }, late.handler());
      await harness.bus.publish(topic, textMessage('after'));
      await late.untilText('after');
      await early.until('both received', () => early.messages.length === 2);
      assert.deepEqual(late.texts, ['after']);
    },
  },
  {
    name: 'keeps the messages of a subscription that nobody reads for its next subscriber',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const [first, second] = [recorderFor(harness), recorderFor(harness)];
      const reading = await harness.bus.subscribe({ topic, subscription }, first.handler());
      await harness.bus.publish(topic, textMessage('one', 'k'));
      await first.untilText('one');
      await reading.close(CLOSE_MS);
      for (const text of ['two', 'three']) await harness.bus.publish(topic, textMessage(text, 'k'));
      await harness.bus.subscribe({ topic, subscription }, second.handler());
      await second.until('two received', () => second.messages.length >= 2);
      assert.deepEqual(second.texts, ['two', 'three']);
      assert.deepEqual(first.texts, ['one']);
    },
  },
];
