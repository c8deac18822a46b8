import { fastClock, Gateway, type GatewayOptions, waitFor } from './discord-world.js';

const OTHER = '1000000000000000777';

let gateway: Gateway;

/** Two guilds are configured, both of which exist. @returns the channel of the second */
async function withTwoGuilds(options: GatewayOptions = {}): Promise<string> {
  gateway = await Gateway.create({
    ...options,
    config: { guildIds: ['1000000000000000002', OTHER], ...options.config },
  });
  const { discord } = gateway.sandbox;
  discord.createGuild({ id: OTHER, name: 'other' });
  return discord.createChannel({ name: 'there', guildId: OTHER }).id;
}

const subjects = (): string[] => {
  const state = gateway.host.states.at(-1);
  return state?.status === 'connected' ? (state.problems ?? []).map(({ subject }) => subject) : [];
};

const problemOf = (subject: string): Promise<void> =>
  waitFor(() => subjects().includes(subject), `the problem of ${subject}`, 20_000);
const noProblem = (): Promise<void> =>
  waitFor(
    () => gateway.status === 'connected' && subjects().length === 0,
    'the problem to be solved',
    20_000,
  );
const seen = (text: string): Promise<void> =>
  waitFor(() => gateway.texts().includes(text), `the message ${text}`, 20_000);

afterEach(async () => {
  await gateway.dispose();
});

describe('a guild that fails', () => {
  it('by removing the bot leaves the others alone, and is caught up with when it is back', async () => {
    const there = await withTwoGuilds();
    await gateway.start();
    gateway.write('before', there);
    await seen('before');
    gateway.sandbox.discord.removeFromGuild(OTHER);
    await problemOf(`guild ${OTHER}`);
    gateway.write('missed', there);
    gateway.write('here');
    gateway.sandbox.discord.receiveMessage({ dm: true, author: 'bob', content: 'direct' });
    await seen('here');
    await seen('direct');
    expect(gateway.host.states.at(-1)).toMatchObject({
      status: 'connected',
      problems: [{ subject: `guild ${OTHER}`, error: { code: 'FORBIDDEN' } }],
    });
    gateway.sandbox.discord.inviteToGuild(OTHER);
    await noProblem();
    await seen('missed');
    gateway.write('after', there);
    await seen('after');
    expect(gateway.texts(there)).toEqual(['before', 'missed', 'after']);
    expect(gateway.count('identify')).toBe(1);
  }, 60_000);

  it('because the bot was never in it does not hold up the start', async () => {
    gateway = await Gateway.create({ config: { guildIds: ['1000000000000000002', OTHER] } });
    await gateway.start();
    await problemOf(`guild ${OTHER}`);
    gateway.write('here');
    await seen('here');
    expect(gateway.details['unavailableGuilds']).toEqual([OTHER]);
  }, 60_000);

  it('because it is not shown is reported after its time, and its messages come when it is', async () => {
    const there = await withTwoGuilds({ clock: fastClock(10) });
    gateway.sandbox.discord.injectFault({ kind: 'guild-outage', guildId: OTHER });
    const starting = gateway.start();
    await waitFor(() => Number(gateway.details['channels']) > 0, 'the first guild');
    gateway.write('here');
    await seen('here');
    await starting;
    await problemOf(`guild ${OTHER}`);
    gateway.write('meanwhile', there);
    gateway.sandbox.discord.heal();
    await noProblem();
    gateway.write('after', there);
    await seen('after');
  }, 60_000);

  it('by an outage is reported until it is over', async () => {
    const there = await withTwoGuilds();
    await gateway.start();
    gateway.write('before', there);
    await seen('before');
    gateway.sandbox.discord.injectFault({ kind: 'guild-outage', guildId: OTHER });
    await problemOf(`guild ${OTHER}`);
    gateway.write('meanwhile', there);
    gateway.sandbox.discord.heal();
    await noProblem();
    await seen('meanwhile');
    expect(gateway.texts(there)).toEqual(['before', 'meanwhile']);
  }, 60_000);
});

describe('a channel that fails', () => {
  it('by losing the right to be read is reported by itself, and solved when it is back', async () => {
    gateway = await Gateway.create();
    const own = gateway.sandbox.discord.createChannel({ name: 'own' }).id;
    const { connector, host } = gateway.restarted({ config: { channelIds: [gateway.general, own] } });
    await connector.start(new AbortController().signal);
    const problems = (): unknown[] => {
      const state = host.states.at(-1);
      return state?.status === 'connected' ? (state.problems ?? []) : ['not connected'];
    };
    try {
      gateway.sandbox.discord.updateChannel(own, { access: 'none' });
      await waitFor(() => problems().length === 1, 'the problem');
      expect(problems()).toMatchObject([{ subject: `channel ${own}`, error: { code: 'FORBIDDEN' } }]);
      gateway.sandbox.discord.receiveMessage({ channelId: gateway.general, author: 'ada', content: 'here' });
      await waitFor(() => host.published.length === 1, 'the message of the other channel');
      gateway.sandbox.discord.updateChannel(own, { access: 'full' });
      await waitFor(() => problems().length === 0, 'the problem to be solved');
    } finally {
      await connector.stop();
    }
  }, 60_000);

  it('because there is none of its id is reported', async () => {
    gateway = await Gateway.create({ config: { channelIds: [OTHER] } });
    await gateway.start();
    await problemOf(`channel ${OTHER}`);
  }, 60_000);
});

describe('the address for RESUME', () => {
  it('that refuses is given up for the gateway itself, with nothing lost', async () => {
    gateway = await Gateway.create();
    gateway.sandbox.discord.injectFault({ kind: 'resume-url', url: 'ws://127.0.0.1:1' });
    await gateway.start();
    gateway.write('before');
    await seen('before');
    const lostAt = Date.now();
    gateway.sandbox.discord.injectFault({ kind: 'drop' });
    gateway.write('meanwhile');
    await seen('meanwhile');
    await noProblem();
    expect(gateway.count('resume')).toBe(1);
    expect(gateway.count('identify')).toBe(1);
    expect(Date.now() - lostAt).toBeLessThan(20_000);
  }, 60_000);

  it.each(['not an address', 'http://127.0.0.1:1', 'ws://user:secret@127.0.0.1:1', ''])(
    'that is none (%j) is passed over',
    async (url) => {
      gateway = await Gateway.create();
      gateway.sandbox.discord.injectFault({ kind: 'resume-url', url });
      await gateway.start();
      gateway.sandbox.discord.injectFault({ kind: 'drop' });
      gateway.write('meanwhile');
      await seen('meanwhile');
      expect([gateway.count('resume'), gateway.count('identify')]).toEqual([1, 1]);
    },
    60_000,
  );
});

describe('a gateway that', () => {
  it.each([4200, 4999, 3000, 1011])(
    'closes with %i, which no table lists, is connected to again',
    async (closeCode) => {
      gateway = await Gateway.create({ clock: fastClock(10) });
      await gateway.start();
      gateway.write('before');
      await seen('before');
      gateway.sandbox.discord.injectFault({ kind: 'drop', how: 'close', closeCode });
      gateway.write('meanwhile');
      if (closeCode === 4200) {
        // The SDK takes it for its own and does nothing: only a new client helps.
        await waitFor(() => gateway.status === 'failed', 'the end of the session', 20_000);
        expect(gateway.host.states.at(-1)).toMatchObject({ error: { retryable: true } });
        return;
      }
      await seen('meanwhile');
    },
    60_000,
  );

  it('drops each session right after READY does not get all starts of the day', async () => {
    gateway = await Gateway.create({ clock: fastClock(10), config: { connectTimeoutSeconds: 5 } });
    gateway.sandbox.discord.injectFault({ kind: 'drop-after-ready', closeCode: 4000, loseSession: true });
    let last: unknown;
    for (let i = 0; i < 40; i += 1) last = await gateway.start().catch((error: unknown) => error);
    expect(last).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(gateway.count('identify')).toBeLessThanOrEqual(20);
  }, 120_000);
});

describe('a request of the start that is answered once by a status', () => {
  it.each([400, 403, 404, 409, 418, 451, 500, 503, 599])(
    '%i is no definite failure, and says nothing of channel rights',
    async (status) => {
      gateway = await Gateway.create();
      gateway.sandbox.discord.injectFault({ kind: 'request', operation: 'getGatewayBot', status, count: 1 });
      const error: unknown = await gateway.start().catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        retryable: true,
        hint: expect.not.stringMatching(/View Channel/) as string,
      }); // a matcher stands for a string
      await gateway.start();
      expect(gateway.status).toBe('connected');
    },
    60_000,
  );
});
