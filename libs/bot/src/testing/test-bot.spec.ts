import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeIngress, encodeIngress } from '@bitbrat/envelope';
import { type Bot } from '../bot.js';
import { type IngressEnvelope } from '../contract.js';
import { People } from './people.js';
import { testBot } from './test-bot.js';

const EXAMPLES = join(__dirname, '../../../../docs/contract/examples');

const example = (name: string): IngressEnvelope =>
  (JSON.parse(readFileSync(join(EXAMPLES, `${name}.json`), 'utf8')) as { body: IngressEnvelope }).body; // checked by the envelope's tests

/** The names of all fields; what metadata holds depends on the message. */
const shapeOf = (value: object): string[] =>
  Object.entries(value)
    .flatMap(([key, inner]: [string, unknown]) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner) && key !== 'metadata'
        ? shapeOf(inner).map((name) => `${key}.${name}`)
        : [key],
    )
    .sort();

const people = new People();
const discord = people.discord('hello');
const KINDS: [string, IngressEnvelope][] = [
  ['twilio-sms', people.sms('hello')],
  ['twilio-whatsapp', people.whatsApp('hello')],
  ['twitch-message', people.twitch('hello')],
  ['discord-message', discord],
  ['discord-dm', people.discordDirect('hello')],
  ['discord-edited', people.edited(discord, 'hello!')],
  ['discord-deleted', people.deleted(discord)],
];

const echo: Bot = { name: 'echo', onMessage: ({ text }, { reply }) => reply(text) };

describe('the envelopes of the test kit', () => {
  it.each(KINDS)('%s has the form of the example in the contract', (name, envelope) => {
    const expected = example(name);
    expect(shapeOf(envelope)).toEqual(shapeOf(expected));
    expect(Object.keys(envelope.metadata)).toEqual(
      expect.arrayContaining(Object.keys(expected.metadata).filter((key) => key !== 'color')),
    );
    expect([envelope.type, envelope.source, envelope.channel.kind]).toEqual([
      expected.type,
      expected.source,
      expected.channel.kind,
    ]);
  });

  it.each(KINDS)('%s is read by the library', (_name, envelope) => {
    const encoded = encodeIngress(envelope);
    expect(encoded.ok && decodeIngress(encoded.value.data)).toEqual({ ok: true, value: envelope });
  });

  it('are the same each time, and each has an id of its own', () => {
    const make = (): IngressEnvelope[] => {
      const some = new People();
      return [some.sms('a'), some.sms('a'), some.twitch('a'), some.discord('a'), some.discordDirect('a')];
    };
    expect(make()).toEqual(make());
    expect(new Set(make().map(({ id }) => id)).size).toBe(5);
  });
});

describe('a bot under test', () => {
  it('answers on each platform to where the message came from', async () => {
    const test = testBot(echo);
    for (const say of [test.sms, test.whatsApp, test.twitch, test.discord, test.discordDirect]) {
      const { answers, message } = await say('hello');
      expect(answers).toMatchObject([
        { text: 'hello', target: { connector: message.source, destination: message.replyTo.destination } },
      ]);
    }
    expect(test.answers).toHaveLength(5);
  });

  it('is given what people do besides', async () => {
    const events: string[] = [];
    const outcomes: string[] = [];
    const test = testBot({
      ...echo,
      onEvent: ({ type }) => void events.push(type),
      onOutcome: ({ eventId, status }) => void outcomes.push(`${eventId} ${status}`),
    });
    const { answers, message } = await test.sms('hello');
    await test.edit(message, 'hello!');
    await test.remove(message);
    await test.consent(message, 'out');
    await test.sms('beep', { isBot: true });
    expect(events).toEqual([
      'chat.message.edited.v1',
      'chat.message.deleted.v1',
      'contact.consent.v1',
      'chat.message.v1',
    ]);
    const [answer] = answers;
    if (answer !== undefined) await test.outcome(answer, 'delivered');
    expect(outcomes).toEqual([`reply:echo:${message.id} delivered`]);
    expect(test.answers).toHaveLength(1);
  });

  it('gives the same ids when a message is handed over again', async () => {
    const test = testBot(echo);
    const { answers, message } = await test.sms('hello');
    const again = await test.deliver(message, { attempt: 2 });
    expect(again.answers).toEqual(answers);
  });

  it('fails a test by what the handler throws, and by answers that the gateway would refuse', async () => {
    await expect(
      testBot({ ...echo, onMessage: () => Promise.reject(new Error('no')) }).sms('x'),
    ).rejects.toThrow('no');
    await expect(testBot(echo).sms('')).rejects.toThrow(/text: expected text or an attachment/);
  });
});
