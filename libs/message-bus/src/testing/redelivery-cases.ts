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

export const redeliveryCases: readonly ContractCase[] = [
  {
    name: 'delivers a nacked message again, with its id and a counted attempt',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const recorder = recorderFor(harness);
      const answer = ({ attempt }: { attempt: number }): Disposition => (attempt < 3 ? 'nack' : 'ack');
      await harness.bus.subscribe({ topic, subscription }, recorder.handler(answer));
      const id = await harness.bus.publish(topic, textMessage('again', 'k'));
      await recorder.until('three deliveries', () => recorder.messages.length >= 3);
      assert.deepEqual(
        recorder.messages.map((message) => [message.id, message.attempt]),
        [
          [id, 1],
          [id, 2],
          [id, 3],
        ],
      );
      assert.deepEqual(new Set(recorder.texts), new Set(['again']));
    },
  },
  {
    name: 'delivers again when the handler rejects or throws',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const recorder = recorderFor(harness);
      const record = recorder.handler();
      await harness.bus.subscribe({ topic, subscription }, (message) => {
        void record(message);
        if (message.attempt > 1) return Promise.resolve('ack');
        if (message.attributes['fault'] === 'throw') throw new Error('thrown');
        return Promise.reject(new Error('rejected'));
      });
      await harness.bus.publish(topic, { data: Buffer.from('a'), attributes: { fault: 'throw' } });
      await harness.bus.publish(topic, { data: Buffer.from('b'), attributes: { fault: 'reject' } });
      await recorder.until('both twice', () => recorder.messages.length >= 4);
      assert.deepEqual(recorder.texts.sort(), ['a', 'a', 'b', 'b']);
    },
  },
  {
    name: 'goes on with other messages while a nacked one waits',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const recorder = recorderFor(harness);
      const answer = ({ data }: { data: Uint8Array }): Disposition =>
        Buffer.from(data).toString() === 'bad' && !recorder.texts.includes('good') ? 'nack' : 'ack';
      await harness.bus.subscribe({ topic, subscription, maxInFlight: 1 }, recorder.handler(answer));
      await harness.bus.publish(topic, textMessage('bad', 'k1'));
      await harness.bus.publish(topic, textMessage('good', 'k2'));
      await recorder.untilText('good');
      await recorder.until('the bad one again', () => recorder.texts.at(-1) === 'bad');
    },
  },
  {
    name: 'delivers a nacked message before later ones of its key, where the driver promises it',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const recorder = recorderFor(harness);
      const answer = ({ data, attempt }: { data: Uint8Array; attempt: number }): Disposition =>
        Buffer.from(data).toString() === 'm1' && attempt < 3 ? 'nack' : 'ack';
      await harness.bus.subscribe({ topic, subscription, maxInFlight: 1 }, recorder.handler(answer));
      const texts = ['m0', 'm1', 'm2', 'm3'];
      await Promise.all(texts.map((text) => harness.bus.publish(topic, textMessage(text, 'k'))));
      await recorder.until('six deliveries', () => recorder.messages.length >= 6);
      if (harness.redeliversInOrder) {
        assert.deepEqual(recorder.texts, ['m0', 'm1', 'm1', 'm1', 'm2', 'm3']);
      }
      assert.deepEqual([...new Set(recorder.texts)].sort(), texts);
    },
  },
  {
    name: 'does not deliver again what was acknowledged',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const [first, second] = [recorderFor(harness), recorderFor(harness)];
      const reading = await harness.bus.subscribe({ topic, subscription }, first.handler());
      const texts = Array.from({ length: 20 }, (_, index) => `m${index}`);
      await Promise.all(texts.map((text) => harness.bus.publish(topic, textMessage(text, 'k'))));
      await first.until('twenty received', () => first.messages.length >= 20);
      await reading.close(CLOSE_MS);
      await harness.bus.subscribe({ topic, subscription }, second.handler());
      await harness.bus.publish(topic, textMessage('marker', 'k'));
      await second.untilText('marker');
      assert.deepEqual(second.texts, ['marker']);
    },
  },
];
