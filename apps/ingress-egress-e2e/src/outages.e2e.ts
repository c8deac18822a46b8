import { type BusServer, startBusServer } from './support/bus-server.js';
import { waitUntil } from './support/wait-until.js';
import { World } from './support/world.js';

const GENERAL = '1000000000000000003';

describe('outages of Twitch and Discord', () => {
  let server: BusServer | undefined;
  let world: World;
  let written: string[];

  beforeEach(async () => {
    server = await startBusServer('local');
    world = await World.start(server, { ECHO_BOT_ENABLED: 'false' }, ['twitch', 'discord']);
    written = [];
  });
  afterEach(async () => {
    await world.stop();
    await server?.stop();
  });

  const write = (count: number): void => {
    for (let i = 0; i < count; i += 1) {
      const content = `message ${written.length + 1}`;
      world.sandbox.discord.receiveMessage({ author: 'member', content, channelId: GENERAL });
      written.push(content);
    }
  };
  const published = (): string[] =>
    world.bus.uniqueEnvelopes().flatMap(({ source, text }) => (source === 'discord' ? [text] : []));
  const account = async (): Promise<void> => {
    await waitUntil(
      'each message published',
      () => (published().length >= written.length ? true : undefined),
      50_000,
    );
    expect(published()).toEqual(written);
  };

  it('resumes the Discord session over refused connects: nothing lost', async () => {
    const { discord } = world.sandbox;
    write(3);
    const { id } = discord.injectFault({ kind: 'refuse-connections', target: 'gateway', how: 'reset' });
    discord.injectFault({ kind: 'drop', how: 'reset' });
    await discord.waitFor(
      () => (discord.stats().sessions.attached === 0 ? true : undefined),
      'the socket to end',
    );
    write(3);
    await discord.waitFor(() => refusals() >= 3 || undefined, 'refused connects', 30_000);
    write(3);
    if (id !== null) discord.heal(id);
    await account();
    write(3);
    await account();
    expect(discord.stats().counters.gateway).toMatchObject({ identify: 1 });
  });

  const refusals = (): number => (world.sandbox.discord.stats().counters.gateway['upgrade'] ?? 0) - 1;

  it('fetches what was missed when the Discord session is gone: nothing lost', async () => {
    const { discord } = world.sandbox;
    write(3);
    await account();
    const { id } = discord.injectFault({
      kind: 'refuse-connections',
      target: 'gateway',
      how: 'http',
      status: 503,
    });
    discord.injectFault({ kind: 'lose-sessions' });
    write(120);
    if (id !== null) discord.heal(id);
    await account();
    write(3);
    await account();
    expect(discord.stats().counters.gateway['identify']).toBeGreaterThan(1);
  });

  it('catches up from its cursor after the service was killed', async () => {
    write(5);
    await account();
    await world.service.kill();
    write(120);
    await world.startService();
    write(5);
    await account();
  });

  it('misses nothing when Twitch asks for a new connection', async () => {
    const { twitch } = world.sandbox;
    const write = (text: string): unknown =>
      twitch.receiveMessage({ channel: 'bitbrat', login: 'viewer', text });
    write('before');
    await waitUntil('the first', () => world.bus.envelopes.find(({ text }) => text === 'before'));
    twitch.injectFault({ kind: 'reconnect' });
    const upgrades = twitch.stats().connections.length;
    let count = 0;
    await waitUntil('the new connection alone', () => {
      write(`line ${(count += 1)}`);
      return twitch.stats().connections.length === upgrades && count > 20 ? true : undefined;
    });
    write('after');
    await waitUntil('the last', () => world.bus.envelopes.find(({ text }) => text === 'after'));
    const texts = world.bus.envelopes.map(({ text }) => text).filter((text) => text.startsWith('line '));
    expect(new Set(texts).size).toBe(count);
    expect(texts).toHaveLength(count);
  });
});
