import assert from 'node:assert/strict';
import { lengthOf } from '@bitbrat/connectors-core';
import { type Attachment } from '@bitbrat/envelope';
import { type ConnectorHarness, type ContractCase } from './harness.js';
import { errorOf, rejectionOf, rejectsWith, send, start } from './steps.js';

const FAMILY = '👨‍👩‍👧‍👦';

/** Sends a text that needs several messages, and checks what stands on the platform. */
async function assertArrivesWhole(harness: ConnectorHarness, text: string): Promise<readonly string[]> {
  const destination = await harness.aDestination();
  const receipt = await send(harness, text, destination);
  const parts = await harness.sentTexts(destination);
  const { maxLength, unit } = harness.connector.capabilities.text;
  assert.equal(parts.join(''), text, 'the parts joined must be the text');
  assert.ok(
    parts.every((part) => lengthOf(part, unit) <= maxLength),
    `no part may be longer than ${maxLength} ${unit}`,
  );
  assert.equal(receipt.platformMessageIds.length, parts.length, 'the receipt must have an id for each part');
  return parts;
}

/** From the gateway to the platform. */
export const outboundCases: readonly ContractCase[] = [
  {
    name: 'a text arrives, and the receipt names it',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const destination = await harness.aDestination();
      const texts = ['hello', 'Grüße 👨‍👩‍👧‍👦 e\u0301 "quoted" <b>', 'hello'];
      const receipts = [];
      for (const text of texts) receipts.push(await send(harness, text, destination));
      assert.deepEqual(await harness.sentTexts(destination), texts, 'each text must arrive once, in order');
      assert.ok(receipts.every(({ duplicate }) => !duplicate));
      const ids = receipts.flatMap(({ platformMessageIds }) => platformMessageIds);
      assert.equal(new Set(ids).size, 3, 'each message must have an id of its own');
      assert.ok(!ids.includes(''), 'no id may be empty');
    },
  },
  {
    name: 'a long text arrives whole, in order, within the limit',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const { maxLength } = harness.connector.capabilities.text;
      const words = Array.from(
        { length: Math.ceil((maxLength * 2.5) / 6) },
        (_, i) => `w${String(i).padStart(4, '0')}`,
      );
      const parts = await assertArrivesWhole(harness, words.join(' '));
      assert.ok(parts.length > 1, 'a text beyond the limit must be split');
    },
  },
  {
    name: '10,000 characters of emoji families arrive with none cut',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const parts = await assertArrivesWhole(harness, FAMILY.repeat(Math.floor(10_000 / FAMILY.length)));
      for (const part of parts) {
        assert.equal(part, FAMILY.repeat(part.length / FAMILY.length), 'no emoji may be cut');
      }
    },
  },
  {
    name: 'line breaks arrive where the platform has them',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const destination = await harness.aDestination();
      await send(harness, 'one\ntwo', destination);
      const expected = harness.connector.capabilities.text.multiline ? 'one\ntwo' : 'one two';
      assert.deepEqual(await harness.sentTexts(destination), [expected]);
    },
  },
  {
    name: 'a message that has expired is not sent',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const destination = await harness.aDestination();
      const late = await errorOf(send(harness, 'late', destination, { expiresAt: 0 }), 'sendText');
      assert.equal(late?.code, 'EXPIRED');
      await send(harness, 'in time', destination, { expiresAt: 8.64e15 });
      assert.deepEqual(await harness.sentTexts(destination), ['in time']);
    },
  },
  {
    name: 'a text that may have been sent is sent once',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const destination = await harness.aDestination();
      const once = { idempotencyKey: 'same-key', mayHaveBeenSent: true };
      const first = await send(harness, 'once', destination, once);
      assert.equal(first.duplicate, false, 'what never reached the platform is no duplicate');
      assert.deepEqual(await harness.sentTexts(destination), ['once'], 'it must be sent the first time');
      if (harness.connector.capabilities.duplicateProtection === 'none') return;
      const second = await send(harness, 'once', destination, once);
      assert.deepEqual(await harness.sentTexts(destination), ['once'], 'it must not be sent again');
      assert.equal(second.duplicate, true, 'the receipt must say that it was there already');
      assert.deepEqual(second.platformMessageIds, first.platformMessageIds, 'both receipts name one message');
      await send(harness, 'once', destination, { idempotencyKey: 'other-key', mayHaveBeenSent: true });
      assert.equal((await harness.sentTexts(destination)).length, 2, 'another key is another message');
    },
  },
  {
    name: 'a long text that may have been sent is sent once',
    async run(harness: ConnectorHarness): Promise<void> {
      if (harness.connector.capabilities.duplicateProtection === 'none') return;
      await start(harness);
      const destination = await harness.aDestination();
      const text = 'part '
        .repeat(Math.ceil((harness.connector.capabilities.text.maxLength * 2.2) / 5))
        .trim();
      const options = { idempotencyKey: 'long-key', mayHaveBeenSent: true };
      await send(harness, text, destination, options);
      await send(harness, text, destination, options);
      assert.equal((await harness.sentTexts(destination)).join(''), text, 'each part must be sent once');
    },
  },
  {
    name: 'a send that the platform cannot take now is sent once when tried again',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const destination = await harness.aDestination();
      await harness.failNextSend('retryable');
      const options = { idempotencyKey: 'retry-key' };
      // A connector may try again by itself; then the call resolves.
      const error = await errorOf(send(harness, 'again', destination, options), 'sendText');
      if (error !== undefined) {
        assert.equal(error.retryable, true, `the error must be retryable, it is ${error.code}`);
        assert.deepEqual(await harness.sentTexts(destination), [], 'a failed send must have sent nothing');
        await send(harness, 'again', destination, { ...options, mayHaveBeenSent: error.ambiguous });
      }
      assert.deepEqual(await harness.sentTexts(destination), ['again'], 'it must stand there once');
    },
  },
  {
    name: 'a text of which a part is refused says what has arrived, and goes on from there when tried again',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const length = harness.connector.capabilities.text.maxLength * 2.2;
      const text = 'part '.repeat(Math.ceil(length / 5)).trim();
      for (const part of [1, 2, 3]) {
        const destination = await harness.aDestination();
        const already = (await harness.sentTexts(destination)).length;
        const idempotencyKey = `part-key-${part}`;
        await harness.refusePart(part);
        const error = await rejectionOf(send(harness, text, destination, { idempotencyKey }), 'sendText');
        assert.equal(error.retryable, true, `the error must be retryable, it is ${error.code}`);
        assert.equal(
          error.sentMessageIds.length,
          part - 1,
          'the error must name the parts that were accepted',
        );
        const again = { idempotencyKey, mayHaveBeenSent: part > 1 };
        const { platformMessageIds } = await send(harness, text, destination, again);
        assert.deepEqual(
          platformMessageIds.slice(0, part - 1),
          error.sentMessageIds,
          'the receipt must name the parts of the first try, too',
        );
        const texts = (await harness.sentTexts(destination)).slice(already);
        assert.equal(texts.join(''), text, 'each part must be sent once, in order');
      }
    },
  },
  {
    name: 'a send whose answer is lost is not sent again',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const destination = await harness.aDestination();
      await harness.failNextSend('answer-lost');
      const options = { idempotencyKey: 'lost-key' };
      const error = await errorOf(send(harness, 'lost', destination, options), 'sendText');
      if (error !== undefined) {
        assert.equal(error.ambiguous, true, `nobody knows what happened, so ${error.code} is the wrong code`);
        if (harness.connector.capabilities.duplicateProtection === 'none') return;
        await send(harness, 'lost', destination, { ...options, mayHaveBeenSent: true });
      }
      assert.deepEqual(await harness.sentTexts(destination), ['lost'], 'it must stand there once');
    },
  },
  {
    name: 'an unknown destination is TARGET_NOT_FOUND, final',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const error = await rejectsWith(
        send(harness, 'hello', harness.anUnknownDestination()),
        'TARGET_NOT_FOUND',
        'an unknown destination',
      );
      assert.equal(error.retryable, false);
      const destination = await harness.aDestination();
      await send(harness, 'others are not affected', destination);
      assert.deepEqual(await harness.sentTexts(destination), ['others are not affected']);
    },
  },
  {
    name: 'an empty text is PAYLOAD_INVALID',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const destination = await harness.aDestination();
      for (const text of ['', '  ', ' \n\t ']) {
        await rejectsWith(
          send(harness, text, destination),
          'PAYLOAD_INVALID',
          `the text ${JSON.stringify(text)}`,
        );
      }
      assert.deepEqual(await harness.sentTexts(destination), [], 'nothing may be sent');
    },
  },
  {
    name: 'sendText before start and after stop is NOT_CONNECTED',
    async run(harness: ConnectorHarness): Promise<void> {
      const destination = await harness.aDestination();
      await rejectsWith(send(harness, 'early', destination), 'NOT_CONNECTED', 'sendText before start');
      await start(harness);
      await harness.connector.stop();
      await rejectsWith(send(harness, 'late', destination), 'NOT_CONNECTED', 'sendText after stop');
      assert.deepEqual(await harness.sentTexts(destination), [], 'nothing may be sent');
      await start(harness);
      await send(harness, 'now', destination);
      assert.deepEqual(await harness.sentTexts(destination), ['now'], 'nothing may have been kept for later');
    },
  },
  {
    name: 'an aborted send rejects and sends nothing',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const destination = await harness.aDestination();
      await rejectionOf(send(harness, 'no', destination, { signal: AbortSignal.abort() }), 'an aborted send');
      await send(harness, 'yes', destination);
      assert.deepEqual(await harness.sentTexts(destination), ['yes']);
    },
  },
  {
    name: 'more attachments than the platform takes are UNSUPPORTED',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const destination = await harness.aDestination();
      const count = harness.connector.capabilities.attachments.maxOutbound + 1;
      const attachments: Attachment[] = Array.from({ length: count }, (_, i) => ({
        url: `https://files.example/${i}.png`,
        contentType: 'image/png',
      }));
      await rejectsWith(
        send(harness, 'see', destination, { attachments }),
        'UNSUPPORTED',
        `${count} attachments`,
      );
      assert.deepEqual(await harness.sentTexts(destination), [], 'nothing may be sent');
    },
  },
];
