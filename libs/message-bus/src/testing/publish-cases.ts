import assert from 'node:assert/strict';
import { BusError, type OutgoingMessage } from '../message-bus.js';
import { type BusHarness, type ContractCase, freshNames, recorderFor, textMessage } from './contract-case.js';

const isBusError = (code: string) => (error: unknown) => error instanceof BusError && error.code === code;

const invalidMessages: readonly [string, OutgoingMessage][] = [
  ['empty', { data: new Uint8Array(), attributes: {} }],
  ['too large', { data: new Uint8Array(10_000_001), attributes: {} }],
  [
    'too many attributes',
    {
      data: Buffer.from('x'),
      attributes: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`k${index}`, 'v'])),
    },
  ],
  ['key too long', { data: Buffer.from('x'), attributes: { ['k'.repeat(257)]: 'v' } }],
  ['key empty', { data: Buffer.from('x'), attributes: { '': 'v' } }],
  ['value too long', { data: Buffer.from('x'), attributes: { k: 'é'.repeat(513) } }],
  ['ordering key too long', { data: Buffer.from('x'), attributes: {}, orderingKey: 'k'.repeat(1025) }],
];

export const publishCases: readonly ContractCase[] = [
  {
    name: 'delivers body, attributes and ordering key as they were published',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const recorder = recorderFor(harness);
      await harness.bus.subscribe({ topic, subscription }, recorder.handler());
      const data = Uint8Array.from({ length: 256 }, (_, index) => index);
      const attributes = { 'ce-id': 'twilio:IM1', emoji: '👩‍👩‍👧 — grüße', empty: '' };
      const before = Date.now();
      const id = await harness.bus.publish(topic, { data, attributes, orderingKey: 'b07-ü' });

      await recorder.until('a message received', () => recorder.messages.length > 0);
      const [message] = recorder.messages;
      assert.ok(message);
      assert.deepEqual(new Uint8Array(message.data), data);
      assert.deepEqual({ ...message.attributes }, attributes);
      assert.equal(message.orderingKey, 'b07-ü');
      assert.equal(message.id, id);
      assert.equal(message.topic, topic);
      assert.equal(message.attempt, 1);
      // The bus may be another machine with another clock.
      assert.ok(Math.abs(message.publishedAt - before) < 60_000, `published at ${message.publishedAt}`);
    },
  },
  {
    name: 'delivers unicode text, a body without attributes and attributes without a body',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const recorder = recorderFor(harness);
      await harness.bus.subscribe({ topic, subscription }, recorder.handler());
      const text = 'żółć 漢字 👍🏽 \u0000 \u2028';
      await Promise.all([
        harness.bus.publish(topic, { data: Buffer.from(text), attributes: {} }),
        harness.bus.publish(topic, { data: new Uint8Array(), attributes: { only: 'this' } }),
      ]);
      await recorder.until('both received', () => recorder.messages.length === 2);
      assert.deepEqual(recorder.texts.sort(), ['', text].sort());
      const bodyless = recorder.messages.find((message) => message.data.byteLength === 0);
      assert.deepEqual({ ...bodyless?.attributes }, { only: 'this' });
      assert.equal(bodyless?.orderingKey, undefined);
    },
  },
  {
    name: 'gives each message an id of its own',
    async run(harness: BusHarness): Promise<void> {
      const { topic } = freshNames();
      const ids = await Promise.all(
        Array.from({ length: 50 }, (_, index) => harness.bus.publish(topic, textMessage(`${index}`))),
      );
      assert.equal(new Set(ids).size, 50);
      assert.ok(ids.every((id) => id !== ''));
    },
  },
  {
    name: 'takes a message to a topic that nobody has subscribed to',
    async run(harness: BusHarness): Promise<void> {
      assert.notEqual(await harness.bus.publish(freshNames().topic, textMessage('gone')), '');
    },
  },
  {
    name: 'refuses a message that breaks a limit',
    async run(harness: BusHarness): Promise<void> {
      const { topic } = freshNames();
      for (const [what, message] of invalidMessages) {
        await assert.rejects(harness.bus.publish(topic, message), isBusError('INVALID_MESSAGE'), what);
      }
      const largest = { data: Buffer.from('x'), attributes: { ['k'.repeat(256)]: 'v'.repeat(1024) } };
      assert.notEqual(await harness.bus.publish(topic, largest), '');
    },
  },
  {
    name: 'refuses names that no topic or subscription can have',
    async run(harness: BusHarness): Promise<void> {
      const { topic, subscription } = freshNames();
      const handler = recorderFor(harness).handler();
      for (const name of ['ab', '1abc', 'goog-topic', 'a/b/c', 'a b c', 'a'.repeat(256)]) {
        const isInvalid = isBusError('INVALID_NAME');
        await assert.rejects(harness.bus.publish(name, textMessage('x')), isInvalid, name);
        await assert.rejects(harness.bus.subscribe({ topic: name, subscription }, handler), isInvalid, name);
        await assert.rejects(harness.bus.subscribe({ topic, subscription: name }, handler), isInvalid, name);
      }
    },
  },
  {
    name: 'does not publish when the signal is aborted already',
    async run(harness: BusHarness): Promise<void> {
      const { topic } = freshNames();
      const signal = AbortSignal.abort();
      await assert.rejects(
        harness.bus.publish(topic, textMessage('x'), { signal }),
        (error) => error instanceof BusError && error.code === 'ABORTED',
      );
    },
  },
];
