import { BUSES, type BusServer, describeOnBus, startBusServer } from './support/bus-server.js';
import { waitUntil } from './support/wait-until.js';
import { PLATFORMS, World } from './support/world.js';

const TWITCH_BOT = 'bitbrat_bot';
const GENERAL = '1000000000000000003';

for (const bus of BUSES) {
  const body = (): void => {
    let server: BusServer | undefined;
    let world: World;

    beforeAll(async () => {
      server = await startBusServer(bus);
      world = await World.start(server, { DISCORD_CHANNELS: '' }, PLATFORMS);
      // As a moderator the bot may send 100 messages in 30 seconds instead of 20.
      world.sandbox.twitch.configureChannel('bitbrat', { moderators: [TWITCH_BOT] });
    });
    afterAll(async () => {
      const code = await world.stop();
      await server?.stop();
      expect(code).toBe(0);
    });

    const twitchAnswers = (): string[] =>
      world.sandbox.twitch
        .messages('bitbrat')
        .flatMap(({ login, text }) => (login === TWITCH_BOT ? [text] : []));
    const discordAnswers = (channelId: string): string[] =>
      world.sandbox.discord.messages(channelId).flatMap(({ content, fromBot }) => (fromBot ? [content] : []));
    const twilioAnswers = (sid: string): (string | null)[] =>
      world.sandbox.twilio
        .messages(sid)
        .flatMap(({ author, body: text }) => (author === 'bitbrat' ? [text] : []));

    it('answers on Twitch', async () => {
      world.sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'viewer', text: 'hello Twitch 👋🏽' });
      await waitUntil('the answer', () => (twitchAnswers().includes('hello Twitch 👋🏽') ? true : undefined));
    });

    it('answers in a Discord channel, in a thread and in a direct message', async () => {
      const { discord } = world.sandbox;
      const thread = discord.createChannel({ name: 'a thread', parentId: GENERAL });
      const places = [
        discord.receiveMessage({ author: 'member', content: 'hello channel', channelId: GENERAL }),
        discord.receiveMessage({ author: 'member', content: 'hello thread', channelId: thread.id }),
        discord.receiveMessage({ author: 'member', content: 'hello you', dm: true }),
      ];
      for (const { channelId } of places) {
        await waitUntil(`the answer in ${channelId}`, () =>
          discordAnswers(channelId).length > 0 ? true : undefined,
        );
      }
      expect(places.map(({ channelId }) => discordAnswers(channelId))).toEqual([
        ['hello channel'],
        ['hello thread'],
        ['hello you'],
      ]);
    });

    it('serves all three at once under load, each channel in order', async () => {
      const { discord, twilio, twitch } = world.sandbox;
      const channels = ['one', 'two', 'three'].map((name) => discord.createChannel({ name }).id);
      const before = twitchAnswers().length;
      const numbers = ['+15550401', '+15550402', '+15550403'];
      const rounds = Array.from({ length: 12 }, (_, index) => `round ${index + 1}`);
      const sids = new Set<string>();
      for (const text of rounds) {
        for (const channelId of channels)
          discord.receiveMessage({ author: 'member', content: text, channelId });
        twitch.receiveMessage({ channel: 'bitbrat', login: 'viewer', text });
        for (const from of numbers)
          sids.add((await twilio.receiveMessage({ from, body: text })).conversationSid);
      }
      const counts = (): number[] => [
        twitchAnswers().length - before,
        ...channels.map((id) => discordAnswers(id).length),
        ...[...sids].map((sid) => twilioAnswers(sid).length),
      ];
      await waitUntil(
        'all answers',
        () => (counts().every((count) => count >= rounds.length) ? true : undefined),
        50_000,
      ).catch((error: unknown) => {
        throw new Error(`answers: ${counts().join(', ')}`, { cause: error });
      });
      expect(twitchAnswers().slice(before)).toEqual(rounds);
      for (const id of channels) expect(discordAnswers(id)).toEqual(rounds);
      for (const sid of sids) expect(twilioAnswers(sid)).toEqual(rounds);
    });
  };
  const name = `all platforms through the built service on the ${bus} bus`;
  describeOnBus(bus, name, body);
}

/** Resolves with all states when that of the connector is the wanted one. */
function statusOf(world: World, connector: string, wanted: string): Promise<Record<string, unknown>> {
  return waitUntil(`${connector} ${wanted}`, async () => {
    const response = await fetch(`${world.service.url}/healthz`).catch(() => undefined);
    const health = (await response?.json()) as { connectors: Record<string, { status: string }> } | undefined; // the service's own answer
    return health?.connectors[connector]?.status === wanted ? health.connectors : undefined;
  });
}

describe('one connector that cannot start', () => {
  it('leaves the others at work, says why, and keeps the service unready', async () => {
    const world = await World.start(undefined, {}, ['twilio', 'twitch']);
    await world.service.stop();
    const body = '{"status":400,"message":"Invalid refresh token"}';
    world.sandbox.twitch.injectFault({ kind: 'request', endpoint: 'token', status: 400, body });
    world.sandbox.twitch.injectFault({ kind: 'expire-tokens' });
    await world.startService({ ready: false });
    await statusOf(world, 'twilio', 'connected');
    const { conversationSid } = await world.sandbox.twilio.receiveMessage({
      from: '+15550501',
      body: 'hello',
    });
    await waitUntil('the answer', () =>
      world.sandbox.twilio.messages(conversationSid).length > 1 ? true : undefined,
    );
    const health = await statusOf(world, 'twitch', 'failed');
    expect(health).toMatchObject({
      twilio: { status: 'connected' },
      twitch: { status: 'failed', error: { code: 'AUTH_FAILED' }, hint: expect.any(String) as string },
    });
    expect((await fetch(`${world.service.url}/readyz`)).status).toBe(503);
    await world.stop();
  });
});
