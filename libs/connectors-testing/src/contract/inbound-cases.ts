import assert from 'node:assert/strict';
import { correlationIdOf, decodeIngress, encodeIngress } from '@bitbrat/envelope';
import { type ConnectorHarness, type ContractCase, type ReceivedMessage } from './harness.js';
import { envelopesOf, idOf, patienceOf, publishedAll, send, start, staysTrue } from './steps.js';
import { waitFor } from '../wait-for.js';

const UNICODE = 'Grüße, שלום, 你好 👨‍👩‍👧‍👦 e\u0301 "quoted" <b>&amp;</b> \\n 100%';

/** Writes `perChannel` messages in each channel, the channels side by side, and gives them channel by channel. */
function writeIn(
  harness: ConnectorHarness,
  channels: readonly string[],
  perChannel: number,
): Promise<ReceivedMessage[][]> {
  return Promise.all(
    channels.map(async (channel) => {
      const written: ReceivedMessage[] = [];
      for (let i = 0; i < perChannel; i++)
        written.push(await harness.receive(`${channel} ${i}`, { channel }));
      return written;
    }),
  );
}

/** First appearances count: under a fault a message may be published again, with the same id. */
function assertOrder(harness: ConnectorHarness, byChannel: readonly (readonly ReceivedMessage[])[]): void {
  const seen = [...new Set(harness.host.published.map(({ id }) => id))];
  for (const written of byChannel) {
    const ids = written.map((message) => idOf(harness, message));
    const published = seen.filter((id) => ids.includes(id));
    assert.deepEqual(published, ids, 'the messages of a channel must keep their order');
  }
}

/** From the platform to the bus. */
export const inboundCases: readonly ContractCase[] = [
  {
    name: 'a message becomes one valid envelope',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const before = harness.host.clock.now();
      const message = await harness.receive(UNICODE);
      const [envelope] = await publishedAll(
        harness,
        [message],
        `an envelope with id ${idOf(harness, message)}`,
      );
      await staysTrue(harness, () => harness.host.published.length === 1, 'one message is one envelope');
      assert.ok(envelope);
      const encoded = encodeIngress(envelope);
      assert.ok(encoded.ok, 'the envelope must be fit for the bus');
      const decoded = decodeIngress(encoded.value.data);
      assert.ok(decoded.ok, `the envelope must be valid: ${decoded.ok ? '' : decoded.fault.detail}`);
      assert.deepEqual(decoded.value, envelope, 'the envelope must survive JSON unchanged');
      assert.equal(envelope.source, harness.connector.name, 'the source must be the name of the connector');
      assert.equal(envelope.type, 'chat.message.v1');
      assert.equal(envelope.text, UNICODE, 'the text must be kept to the letter');
      assert.equal(
        envelope.correlationId,
        correlationIdOf(envelope.id),
        'the correlation id must follow from the id',
      );
      assert.equal(
        envelope.replyTo.topic,
        harness.host.egressTopic,
        'replyTo must name the topic of the host',
      );
      assert.equal(envelope.replyTo.connector, harness.connector.name, 'replyTo must name the connector');
      assert.ok(
        Math.abs(Date.parse(envelope.receivedAt) - before) < 60_000,
        `receivedAt must be the host's time, it is ${envelope.receivedAt}`,
      );
    },
  },
  {
    name: 'replyTo leads back to where the message was written',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      for (const channel of ['one', 'two']) {
        const message = await harness.receive('ping', { channel });
        const [envelope] = await publishedAll(harness, [message], 'the message to answer');
        assert.ok(envelope);
        const { destination, inReplyTo } = envelope.replyTo;
        const answer = `pong ${channel}`;
        await send(harness, answer, destination, inReplyTo === undefined ? {} : { inReplyTo });
        assert.deepEqual(
          await harness.sentTexts(message.destination),
          [answer],
          'the answer must arrive there',
        );
      }
    },
  },
  {
    name: 'own messages are not published',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const first = await harness.receive('first');
      const [envelope] = await publishedAll(harness, [first], 'the first message');
      await send(harness, 'sent by the connector', envelope?.replyTo.destination ?? first.destination);
      await harness.receive('written by the bot elsewhere', { own: true });
      const last = await harness.receive('last');
      await publishedAll(harness, [last], 'the message behind the own ones');
      await staysTrue(
        harness,
        () => harness.host.published.length === 2,
        'own messages must not be published',
      );
    },
  },
  {
    name: 'a message without body has an empty text',
    async run(harness: ConnectorHarness): Promise<void> {
      if (!harness.connector.capabilities.attachments.inbound) return;
      await start(harness);
      const [envelope] = await publishedAll(harness, [await harness.receive('')], 'the message without body');
      assert.equal(envelope?.text, '');
    },
  },
  {
    name: 'order is kept in each of several channels',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const byChannel = await writeIn(harness, ['a', 'b', 'c', 'd'], 25);
      const envelopes = await publishedAll(harness, byChannel.flat(), '100 messages in four channels');
      assertOrder(harness, byChannel);
      assert.equal(harness.host.published.length, 100, 'each message must be published once');
      const channelIds = new Set(envelopes.map(({ channel }) => channel.id));
      assert.equal(channelIds.size, 4, 'each channel must have an id of its own');
    },
  },
  {
    name: 'while the bus is away nothing is lost',
    async run(harness: ConnectorHarness): Promise<void> {
      await start(harness);
      const counted = harness.connector.getSnapshot().counters.received;
      harness.host.holdPublishes();
      const byChannel = await writeIn(harness, ['a', 'b'], 5);
      await waitFor(() => harness.host.heldPublishes > 0, patienceOf(harness), 'a publish to be tried');
      await staysTrue(
        harness,
        () => harness.connector.getSnapshot().counters.received === counted,
        'a message counts as received when the bus has acknowledged it, not before',
      );
      harness.host.releasePublishes();
      await publishedAll(harness, byChannel.flat(), 'all messages from the time when the bus was away');
      assertOrder(harness, byChannel);
      await waitFor(
        () => harness.connector.getSnapshot().counters.received >= counted + 10,
        patienceOf(harness),
        'the messages to be counted',
      );
    },
  },
  {
    name: 'a message that the bus refused comes again with the same id',
    async run(harness: ConnectorHarness): Promise<void> {
      if (!harness.redelivers) return;
      await start(harness);
      harness.host.failNextPublish();
      const refused = await harness.receive('refused once');
      await waitFor(
        () => harness.host.refusalsLeft === 0,
        patienceOf(harness),
        'the publish that is refused',
      );
      const next = await harness.receive('next');
      const patience = Math.min(1_000, patienceOf(harness));
      const comesByItself = await waitFor(
        () => envelopesOf(harness, refused).length > 0,
        patience,
        'the refused message',
      ).then(
        () => true,
        () => false,
      );
      if (!comesByItself) {
        await harness.connector.stop();
        await start(harness);
      }
      await publishedAll(harness, [refused, next], 'the refused message and the one behind it');
    },
  },
];
