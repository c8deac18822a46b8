import { type EgressOutcome } from '@bitbrat/envelope';
import { type BusServer, startBusServer } from './support/bus-server.js';
import { waitUntil } from './support/wait-until.js';
import { PLATFORMS, World } from './support/world.js';

const GENERAL = '1000000000000000003';
const FAMILY = '👨‍👩‍👧‍👦';
const FAMILIES = FAMILY.repeat(Math.ceil(10_000 / FAMILY.length));

const TEXTS = {
  'CR LF': 'hello\r\nPRIVMSG #bitbrat :injected\r\nJOIN #other',
  'a slash command': '/ban viewer',
  'a dot command': '.timeout viewer 600',
  'a command behind spaces': '  /clear',
  'a mass mention': '@everyone @here <@1000000000000000001>',
  'emoji families': FAMILIES,
  'a NUL': 'a\u0000b',
  'a direction override': '\u202Etxet desrever',
} as const;

describe('malicious text from a bot', () => {
  let server: BusServer | undefined;
  let world: World;
  let conversationSid: string;

  beforeAll(async () => {
    server = await startBusServer('local');
    world = await World.start(server, { ECHO_BOT_ENABLED: 'false' }, PLATFORMS);
    world.sandbox.twitch.configureChannel('bitbrat', { moderators: ['bitbrat_bot'] });
    const receipt = await world.sandbox.twilio.receiveMessage({ from: '+15550601', body: 'hello' });
    ({ conversationSid } = receipt);
    await waitUntil('the conversation', () => (world.bus.envelopes.length > 0 ? true : undefined));
  });
  afterAll(async () => {
    await world.stop();
    await server?.stop();
  });

  const send = async (connector: string, name: string, text: string): Promise<EgressOutcome> => {
    const destination = { twilio: conversationSid, twitch: 'bitbrat', discord: GENERAL }[connector] ?? '';
    const id = `${connector} ${name}`;
    await world.bus.send({ id, target: { connector, destination }, text });
    return waitUntil(
      `the outcome of ${id}`,
      () => world.bus.outcomes.find(({ eventId }) => eventId === id),
      50_000,
    );
  };
  const standing = {
    twilio: () =>
      world.sandbox.twilio
        .messages(conversationSid)
        .flatMap(({ author, body }) => (author === 'bitbrat' ? [body ?? ''] : [])),
    twitch: () =>
      world.sandbox.twitch
        .messages('bitbrat')
        .flatMap(({ login, text }) => (login === 'bitbrat_bot' ? [text] : [])),
    discord: () =>
      world.sandbox.discord.messages(GENERAL).flatMap(({ content, fromBot }) => (fromBot ? [content] : [])),
  };

  for (const connector of PLATFORMS) {
    it.each(Object.entries(TEXTS))(`arrives as text on ${connector}: %s`, async (name, text) => {
      const before = standing[connector]().length;
      const outcome = await send(connector, name, text);
      expect(outcome).toMatchObject({ status: 'sent' });
      const arrived = standing[connector]().slice(before);
      expect(arrived).toHaveLength(outcome.platformMessageIds.length);
      // White space and invisible characters may differ by platform; what is visible may not.
      const visible = (value: string): string => value.replaceAll(/[\s\p{Cc}\u{E0000}]/gu, '');
      // On Twitch a sign of a command gets a visible character in front.
      const shown = arrived.map((part) => (connector === 'twitch' ? part.replace(/^> /, '') : part));
      expect(visible(shown.join(''))).toBe(visible(text));
      for (const part of arrived) expect(part.isWellFormed()).toBe(true);
      if (name === 'emoji families') {
        for (const part of arrived) expect(part.replaceAll(FAMILY, '').trim()).toBe('');
      }
    });

    it.each([
      ['nothing', ''],
      ['only spaces', '   \n\t '],
    ])(`is refused with a clear reason on ${connector}: %s`, async (name, text) => {
      const before = standing[connector]().length;
      const id = `${connector} ${name}`;
      const destination = { twilio: conversationSid, twitch: 'bitbrat', discord: GENERAL }[connector];
      await world.bus.send({ id, target: { connector, destination }, text });
      const letter = await waitUntil('the dead letter', () =>
        world.bus.deadLetters.find(({ bodyBase64 }) => Buffer.from(bodyBase64, 'base64').includes(`"${id}"`)),
      );
      expect(letter.error).toMatchObject({
        code: 'INVALID',
        message: 'text: expected text or an attachment',
      });
      expect(standing[connector]()).toHaveLength(before);
    });
  }

  it('has executed no command and notified nobody', () => {
    const { discord, twitch } = world.sandbox;
    expect(twitch.commands().filter(({ login }) => login === 'bitbrat_bot')).toEqual([]);
    expect(twitch.messages('bitbrat').map(({ text }) => text)).not.toContain('injected');
    for (const { fromBot, pings } of discord.messages(GENERAL)) {
      if (fromBot) expect(pings).toEqual({ everyone: false, users: [], roles: [] });
    }
  });
});
