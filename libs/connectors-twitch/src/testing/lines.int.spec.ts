import { ingressEnvelopeSchema } from '@bitbrat/envelope';
import fc from 'fast-check';
import { Gateway, waitFor } from './twitch-world.js';

const WORDS = [
  ...[
    'PRIVMSG',
    'USERNOTICE',
    'WHISPER',
    'NOTICE',
    'USERSTATE',
    'ROOMSTATE',
    'CLEARCHAT',
    'CLEARMSG',
    'PART',
    'JOIN',
  ],
  ...['PONG', 'PING', 'CAP', 'MODE', 'HOSTTARGET', '353', '366', '376', '001', 'GLOBALUSERSTATE', 'TOMORROW'],
];
const TAGS = [
  ...[
    'id',
    'user-id',
    'room-id',
    'display-name',
    'badges',
    'tmi-sent-ts',
    'msg-id',
    'login',
    'bits',
    'emotes',
  ],
  ...[
    'client-nonce',
    'thread-id',
    'message-id',
    'system-msg',
    'first-msg',
    '__proto__',
    'constructor',
    'ban-duration',
  ],
];
const HOSTILE = [
  '',
  '0',
  '1',
  'true',
  '-1',
  '1e999',
  '99999999999999999999',
  '\\s\\:\\\\',
  '\u{e0000}',
  '1/2,/,x/',
  'NaN',
];

/** No line break: that ends a line. */
const printable = fc
  .string({ unit: 'binary', maxLength: 400, size: 'max' })
  .map((text) => text.replace(/[\r\n]/g, ''));
const aValue = fc.oneof(
  fc.constantFrom(...HOSTILE),
  printable.map((text) => text.replace(/[; ]/g, '')),
);
const someTags = fc
  .array(fc.tuple(fc.constantFrom(...TAGS), aValue), { maxLength: 12 })
  .map((tags) => tags.map(([name, value]) => `${name}=${value}`).join(';'));
const aLine = fc.oneof(
  printable,
  fc
    .record({
      tags: someTags,
      source: fc.constantFrom('tmi.twitch.tv', 'alice!alice@alice.tmi.twitch.tv', 'x', '', '!@'),
      command: fc.constantFrom(...WORDS),
      target: fc.constantFrom('#bitbrat', '#', '#elsewhere', 'bitbrat_bot', '*', ''),
      text: printable,
    })
    .map(({ command, source, tags, target, text }) => `@${tags} :${source} ${command} ${target} :${text}`),
);

describe('any line', () => {
  it('leaves the connection alone, and what becomes an envelope is a valid one', async () => {
    const gateway = await Gateway.create();
    await gateway.start();
    try {
      const { twitch } = gateway.sandbox;
      const lines = fc.sample(aLine, { numRuns: 1_500 }).filter((line) => line !== '');
      for (const line of lines) twitch.sendEvent({ kind: 'raw', line });
      gateway.write('the last one');
      await waitFor(() => gateway.texts().includes('the last one'), 'the message behind them');
      for (const envelope of gateway.host.published)
        expect(ingressEnvelopeSchema.safeParse(envelope).error).toBeUndefined();
      expect(gateway.host.published.length).toBeGreaterThan(10);
      expect(gateway.connections).toBeGreaterThan(0);
    } finally {
      await gateway.dispose();
    }
  });
});
