import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ingressEnvelopeSchema } from '@bitbrat/envelope';
import { type ChatLine, type ParsedLine, toChatLine } from '../platform/chat-line.js';
import { toNativeMessage } from '../platform/native-message.js';
import { parseBadges, TwitchEnvelopeBuilder } from './twitch-envelope-builder.js';

interface Fixture {
  readonly name: string;
  /** As Twitch sends it. */
  readonly line: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

const file = join(process.cwd(), 'src/fixtures/lines.json');
const fixtures = JSON.parse(readFileSync(file, 'utf8')) as Fixture[]; // our own file, and each result is compared
const parser = jest.requireActual<{ msg(line: string): ParsedLine | null }>('tmi.js/lib/parser.js');
const receivedAt = '2026-02-02T02:02:02.222Z';
const builder = new TwitchEnvelopeBuilder('internal.egress.v1.test');

function lineOf(text: string): ChatLine {
  const parsed = parser.msg(text);
  if (parsed === null) throw new Error(`tmi.js cannot read ${text}`);
  return toChatLine(parsed);
}

describe('TwitchEnvelopeBuilder', () => {
  it.each(fixtures)('maps: $name', ({ line, expected }) => {
    const message = toNativeMessage(lineOf(line));
    if (message === undefined) throw new Error('no message');
    const envelope = builder.build(message, receivedAt);
    expect(ingressEnvelopeSchema.parse(JSON.parse(JSON.stringify(envelope)))).toEqual(envelope);
    const { id = message.id, metadata, replyTo = {}, ...rest } = expected;
    expect(envelope).toMatchObject({
      v: '1',
      id: `twitch:${String(id)}`,
      type: 'chat.message.v1',
      source: 'twitch',
      sender: { isBot: false },
      attachments: [],
      receivedAt,
      replyTo: { topic: 'internal.egress.v1.test', connector: 'twitch', ...(replyTo as object) }, // an object in our file
      ...rest,
    });
    if (metadata !== undefined) expect(envelope.metadata).toEqual(metadata);
  });

  it('gives one line one id and one correlation id, whenever it is read', () => {
    const [first, second] = [receivedAt, '2026-03-03T03:03:03.333Z'].map((at) => {
      const message = toNativeMessage(
        lineOf(':alice!alice@alice.tmi.twitch.tv PRIVMSG #bitbrat :without an id'),
      );
      if (message === undefined) throw new Error('no message');
      const { correlationId, id } = builder.build(message, at);
      return { correlationId, id };
    });
    expect(first).toEqual(second);
  });
});

describe('toNativeMessage', () => {
  it.each([
    'PING :tmi.twitch.tv',
    ':tmi.twitch.tv NOTICE #bitbrat :text',
    ':alice!alice@alice.tmi.twitch.tv PRIVMSG #bitbrat',
    ':alice!alice@alice.tmi.twitch.tv PRIVMSG bitbrat :to a person',
    ':alice!alice@alice.tmi.twitch.tv WHISPER bitbrat_bot',
    'PRIVMSG #bitbrat :from nobody',
    '@login=alice;msg-id=raid :tmi.twitch.tv USERNOTICE #bitbrat',
    '@msg-id=resub :tmi.twitch.tv USERNOTICE #bitbrat :from nobody',
  ])('takes %j for no message', (line) => {
    expect(toNativeMessage(lineOf(line))).toBeUndefined();
  });
});

describe('parseBadges', () => {
  it.each([
    [undefined, {}],
    ['', {}],
    ['moderator/1', { moderator: '1' }],
    ['a/1,,/x,b,c/2/3', { a: '1', c: '2/3' }],
  ])('%j', (badges, expected) => {
    expect(parseBadges(badges)).toEqual(expected);
  });
});
