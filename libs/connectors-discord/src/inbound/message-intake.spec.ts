import { ConnectorError } from '@bitbrat/connectors-core';
import { RecordingHost } from '@bitbrat/connectors-testing';
import { DiscordEnvelopeBuilder, type Place } from './discord-envelope-builder.js';
import { MessageIntake } from './message-intake.js';
import { type NativeMessage } from '../platform/native-message.js';

const BOT = '999';
const channel: Place = { kind: 'channel', guildId: '2' };

const message = (fields: Partial<NativeMessage> = {}): NativeMessage => ({
  id: '101',
  channelId: '3',
  guildId: '2',
  author: { id: '11', username: 'ada', isBot: false },
  content: 'hi',
  timestamp: '2026-11-20T09:15:30.123000+00:00',
  type: 0,
  mentions: [],
  attachments: [],
  stickers: [],
  hasExtras: false,
  isForward: false,
  ...fields,
});

function setup(): {
  intake: MessageIntake;
  host: RecordingHost;
  counts: { received: number; ignored: number; missing: number };
} {
  const host = new RecordingHost();
  const counts = { received: 0, ignored: 0, missing: 0 };
  const intake = new MessageIntake({
    builder: new DiscordEnvelopeBuilder(host.egressTopic),
    publish: host.publish,
    botUserId: () => BOT,
    rolesOf: () => [],
    clock: host.clock,
    logger: host.logger,
    onReceived: () => (counts.received += 1),
    onIgnored: () => (counts.ignored += 1),
    onContentMissing: () => (counts.missing += 1),
  });
  return { intake, host, counts };
}

describe('MessageIntake', () => {
  it.each([
    ['a bot', { author: { id: '12', username: 'x', isBot: true } }],
    ['itself', { author: { id: BOT, username: 'me', isBot: false } }],
    ['a webhook', { webhookId: '5' }],
    ['the platform: somebody joined', { type: 7 }],
    ['the platform: a pin', { type: 6 }],
  ])('leaves out what comes from %s, with its edits and deletion', async (_name, fields) => {
    const { counts, host, intake } = setup();
    const left = message(fields);
    await intake.take({ kind: 'created', message: left }, channel);
    await intake.take({ kind: 'edited', message: { ...left, editedTimestamp: left.timestamp } }, channel);
    await intake.take({ kind: 'deleted', message: left }, channel);
    expect(host.published).toEqual([]);
    expect(counts).toEqual({ received: 0, ignored: 1, missing: 0 });
  });

  it('publishes what comes by two roads once', async () => {
    const { counts, host, intake } = setup();
    host.holdPublishes();
    const roads = [1, 2, 3].map(() => intake.take({ kind: 'created', message: message() }, channel));
    host.releasePublishes();
    await Promise.all(roads);
    await intake.take({ kind: 'created', message: message() }, channel);
    expect(host.published).toHaveLength(1);
    expect(counts.received).toBe(1);
  });

  it('publishes again what the bus refused', async () => {
    const { host, intake } = setup();
    host.failNextPublish();
    await expect(intake.take({ kind: 'created', message: message() }, channel)).rejects.toThrow('refuses');
    await intake.take({ kind: 'created', message: message() }, channel);
    expect(host.published).toHaveLength(1);
  });

  it('does not hold up a channel with what can never be published', async () => {
    const { counts, host, intake } = setup();
    host.failNextPublish(1, new ConnectorError('PAYLOAD_INVALID', 'too large'));
    await intake.take({ kind: 'created', message: message() }, channel);
    expect(counts).toEqual({ received: 0, ignored: 1, missing: 0 });
    expect(host.logger.entries).toMatchObject([{ level: 'error', event: 'discord.message-unpublishable' }]);
  });

  it('leaves out updates that are no edits', async () => {
    const { host, intake } = setup();
    await intake.take({ kind: 'edited', message: message() }, channel);
    expect(host.published).toEqual([]);
  });

  it('remembers who wrote a deleted message', async () => {
    const { host, intake } = setup();
    await intake.take({ kind: 'created', message: message() }, channel);
    await intake.take({ kind: 'deleted', message: message() }, channel);
    await intake.take({ kind: 'deleted', message: message({ id: '77' }) }, channel);
    expect(host.published.map(({ from }) => from)).toEqual(['11', '11', 'unknown']);
  });

  it.each([
    ['an ordinary message', {}, channel, 1],
    ['one with a file', { attachments: [{ url: 'https://x.example/a' }] }, channel, 0],
    ['one with a sticker', { stickers: ['Wave'] }, channel, 0],
    ['one with an embed', { hasExtras: true }, channel, 0],
    ['one that mentions the bot', { mentions: [BOT] }, channel, 0],
    ['a direct message', {}, { kind: 'direct' }, 0],
  ] as const)('sees that the content is missing: %s', async (_name, fields, place, missing) => {
    const { counts, host, intake } = setup();
    await intake.take({ kind: 'created', message: message({ content: '', ...fields }) }, place);
    expect(counts.missing).toBe(missing);
    expect(host.published).toHaveLength(1);
  });
});
