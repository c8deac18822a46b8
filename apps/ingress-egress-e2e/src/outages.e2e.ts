import { describeWithPubSubEmulator, type PubSubEmulator } from '@bitbrat/emulators';
import { waitUntil } from './support/wait-until.js';
import { startEmulator, World } from './support/world.js';

const GENERAL = '1000000000000000003';

describeWithPubSubEmulator('outages of Twitch and Discord', process.env, () => {
  let emulator: PubSubEmulator | undefined;
  let world: World;
  let written: string[];

  beforeEach(async () => {
    emulator = await startEmulator('pubsub');
    world = await World.start(emulator, { ECHO_BOT_ENABLED: 'false' }, ['twitch', 'discord']);
    written = [];
  });
  afterEach(async () => {
    await world.stop();
    await emulator?.stop();
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
  const connected = (platform: string): Promise<true> =>
    waitUntil(
      `${platform} connected`,
      async () => {
        const answer = await fetch(`${world.service.url}/readyz`);
        const { connectors } = (await answer.json()) as { connectors: Record<string, string> }; // the service's own answer
        return connectors[platform] === 'connected' ? true : undefined;
      },
      50_000,
    );

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

  it('reports the gap of a Twitch RECONNECT, and goes on', async () => {
    const { twitch } = world.sandbox;
    twitch.receiveMessage({ channel: 'bitbrat', login: 'viewer', text: 'before' });
    await waitUntil('the first', () => world.bus.envelopes.find(({ text }) => text === 'before'));
    twitch.injectFault({ kind: 'reconnect' });
    const status = await waitUntil(
      'the gap',
      () => world.bus.statuses.find(({ connector, gap }) => connector === 'twitch' && gap !== undefined),
      50_000,
    );
    const { from, reason, to } = status.gap ?? { from: '', to: '', reason: '' };
    expect(Date.parse(to)).toBeGreaterThan(Date.parse(from));
    expect(reason).not.toBe('');
    await connected('twitch');
    await twitch.waitForMember('bitbrat', 'bitbrat_bot');
    twitch.receiveMessage({ channel: 'bitbrat', login: 'viewer', text: 'after' });
    await waitUntil('the next', () => world.bus.envelopes.find(({ text }) => text === 'after'));
  });
});
