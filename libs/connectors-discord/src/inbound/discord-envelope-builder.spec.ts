import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeIngress, encodeIngress, type IngressEnvelope } from '@bitbrat/envelope';
import { DiscordEnvelopeBuilder, type Place } from './discord-envelope-builder.js';
import { type NativeMessage, toNativeMessage } from '../platform/native-message.js';

interface Fixture {
  readonly name: string;
  readonly wire: unknown;
  readonly envelope: Record<string, unknown>;
}

const fixtures = JSON.parse(
  readFileSync(join(__dirname, '..', 'fixtures', 'messages.json'), 'utf8'),
) as readonly Fixture[]; // the file is ours

const RECEIVED_AT = '2026-11-20T09:20:00.000Z';
const TOPIC = 'internal.egress.v1.test';
const builder = new DiscordEnvelopeBuilder(TOPIC);
const guildId = '1200000000000000002';
const channel: Place = { kind: 'channel', name: 'general', guildId };

function nativeOf(wire: unknown): NativeMessage {
  const message = toNativeMessage(wire, guildId);
  if (message === undefined) throw new Error('the fixture is unreadable');
  return message;
}

const rolesOf = ({ member }: NativeMessage): string[] => (member === undefined ? [] : ['moderators']);

/** The envelope after its way over the bus, or the fault. */
function overTheBus(envelope: IngressEnvelope): unknown {
  const encoded = encodeIngress(envelope);
  return encoded.ok ? decodeIngress(encoded.value.data) : encoded;
}

describe('DiscordEnvelopeBuilder', () => {
  it.each(fixtures)('builds $name', ({ envelope: expected, wire }) => {
    const message = nativeOf(wire);
    const envelope = builder.build(message, channel, rolesOf(message), RECEIVED_AT);
    expect(envelope).toMatchObject({
      ...expected,
      source: 'discord',
      receivedAt: RECEIVED_AT,
      channel: { id: message.channelId, kind: 'channel', name: 'general' },
      replyTo: { topic: TOPIC, connector: 'discord', destination: message.channelId, inReplyTo: message.id },
    });
    expect(overTheBus(envelope)).toEqual({ ok: true, value: envelope });
  });

  const [first] = fixtures;
  const message = nativeOf(first?.wire);

  it('gives each edit an id of its own, by its time', () => {
    const edited = { ...message, content: 'new', editedTimestamp: '2026-11-20T09:19:00.500000+00:00' };
    const envelope = builder.buildEdited(edited, channel, [], RECEIVED_AT);
    expect(envelope).toMatchObject({
      id: `discord:${message.id}:2026-11-20T09:19:00.500Z`,
      type: 'chat.message.edited.v1',
      text: 'new',
      occurredAt: '2026-11-20T09:19:00.500Z',
      metadata: { messageId: message.id },
    });
    expect(overTheBus(envelope)).toEqual({ ok: true, value: envelope });
  });

  it.each([
    ['a known author', { id: '7', displayName: 'Ada', roles: [], isBot: false }, '7'],
    ['an author that nobody remembers', undefined, 'unknown'],
  ])('tells the deletion of a message of %s', (_name, author, from) => {
    const envelope = builder.buildDeleted(
      { id: '55', channelId: '66', guildId },
      channel,
      author,
      RECEIVED_AT,
    );
    expect(envelope).toMatchObject({
      id: 'discord:55:deleted',
      type: 'chat.message.deleted.v1',
      from,
      text: '',
      occurredAt: RECEIVED_AT,
      metadata: { guildId, channelId: '66', messageId: '55' },
    });
    expect(overTheBus(envelope)).toEqual({ ok: true, value: envelope });
  });

  it('names the thread and the channel that it belongs to', () => {
    const thread: Place = { kind: 'thread', name: 'help', guildId, parentId: '88' };
    expect(builder.build(message, thread, [], RECEIVED_AT)).toMatchObject({
      channel: { kind: 'thread', name: 'help' },
      metadata: { threadId: message.channelId, parentChannelId: '88' },
    });
  });

  it('has no guild in a direct channel', () => {
    const { guildId: _guildId, ...direct } = message;
    const envelope = builder.build(direct, { kind: 'direct' }, [], RECEIVED_AT);
    expect(envelope.channel).toEqual({ id: message.channelId, kind: 'direct' });
    expect(envelope.metadata).not.toHaveProperty('guildId');
  });

  it('takes our time where the platform gives none that can be read', () => {
    const { occurredAt } = builder.build({ ...message, timestamp: 'soon' }, channel, [], RECEIVED_AT);
    expect(occurredAt).toBe(RECEIVED_AT);
  });
});
