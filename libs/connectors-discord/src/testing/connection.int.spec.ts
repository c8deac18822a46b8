import { ConnectorError } from '@bitbrat/connectors-core';
import { within } from '@bitbrat/connectors-testing';
import { systemClock } from '@bitbrat/foundation';
import { fastClock, Gateway, type GatewayOptions, textsOf, waitFor } from './discord-world.js';

let gateway: Gateway;

async function running(options: GatewayOptions = {}): Promise<Gateway> {
  gateway = await Gateway.create(options);
  await gateway.start();
  return gateway;
}

/** A channel in which somebody has written, so that it has a cursor. */
async function withHistory(): Promise<void> {
  gateway.write('before');
  await waitFor(() => gateway.texts().length === 1, 'the first message');
}

const lost = (): Promise<void> => waitFor(() => gateway.status === 'reconnecting', 'the loss to be noticed');
const back = (): Promise<void> => waitFor(() => gateway.status === 'connected', 'the connection to be back');
const noSocket = (): Promise<void> =>
  waitFor(() => gateway.sandbox.discord.stats().sockets.open === 0, 'the socket to be closed');

afterEach(async () => {
  await gateway.dispose();
});

describe('outages', () => {
  it.each([
    ['op 7', { kind: 'reconnect' }],
    ['a lost TCP connection', { kind: 'drop' }],
    ['close code 4000', { kind: 'drop', how: 'close', closeCode: 4000 }],
    ['close code 4009', { kind: 'drop', how: 'close', closeCode: 4009 }],
  ] as const)('resumes after %s, with nothing lost', async (_name, fault) => {
    await running();
    await withHistory();
    gateway.sandbox.discord.injectFault(fault);
    gateway.write('meanwhile');
    await waitFor(() => gateway.count('resume') === 1, 'the session to be resumed');
    await back();
    gateway.write('after');
    await waitFor(() => gateway.texts().length === 3, 'all messages');
    expect(gateway.texts()).toEqual(['before', 'meanwhile', 'after']);
    expect(gateway.count('identify')).toBe(1);
    expect(gateway.connector.getSnapshot().counters.reconnects).toBe(1);
  });

  it('keeps the session over several refused connections', async () => {
    await running({ clock: fastClock(5) });
    await withHistory();
    gateway.sandbox.discord.injectFault({ kind: 'refuse-connections', count: 5 });
    gateway.sandbox.discord.injectFault({ kind: 'drop' });
    gateway.write('one');
    gateway.write('two');
    await lost();
    await waitFor(() => gateway.texts().length === 3, 'the replay', 20_000);
    expect(gateway.texts()).toEqual(['before', 'one', 'two']);
    expect(gateway.count('identify')).toBe(1);
    expect(gateway.count('resume')).toBe(1);
    expect(gateway.count('upgrade')).toBe(7);
  });

  it('notices a half-open connection by its heartbeat', async () => {
    await running({ sandbox: { heartbeatIntervalMs: 300 }, clock: fastClock(5) });
    await withHistory();
    gateway.sandbox.discord.injectFault({ kind: 'half-open' });
    gateway.write('meanwhile');
    await waitFor(() => gateway.texts().length === 2, 'the replay');
    await back();
    expect(gateway.count('identify')).toBe(1);
  });

  it.each([
    ['op 9', { kind: 'invalid-session', resumable: false }],
    ['a forgotten session', { kind: 'lose-sessions' }],
    ['close code 1000', { kind: 'drop', how: 'close', closeCode: 1000 }],
  ] as const)(
    'reads what a session ended by %s has lost, in order, each once',
    async (_name, fault) => {
      await running();
      await withHistory();
      const { discord } = gateway.sandbox;
      const quiet = discord.createChannel({ name: 'never-used' }).id;
      discord.injectFault(fault);
      const meanwhile = Array.from({ length: 250 }, (_, i) => `missed ${i}`);
      for (const text of meanwhile) gateway.write(text);
      gateway.write('first of its channel', quiet);
      await waitFor(() => gateway.count('identify') === 2, 'a new session', 15_000);
      gateway.write('after');
      await waitFor(() => gateway.texts().length === 253, 'all messages', 15_000);
      expect(gateway.texts(gateway.general)).toEqual(['before', ...meanwhile, 'after']);
      expect(gateway.texts(quiet)).toEqual(['first of its channel']);
      await back();
    },
    40_000,
  );

  it('loses and reorders nothing while everything goes wrong under load', async () => {
    await running({ clock: fastClock(10), sandbox: { globalLimit: 10_000 } });
    const { discord } = gateway.sandbox;
    const channels = ['a', 'b', 'c', 'd'].map((name) => discord.createChannel({ name }).id);
    const written = new Map<string, string[]>(channels.map((id) => [id, []]));
    const enough = new AbortController();
    const writing = (async (): Promise<void> => {
      for (let i = 0; !enough.signal.aborted; i += 1) {
        const channelId = channels[i % channels.length] ?? '';
        written.get(channelId)?.push(gateway.write(`message ${i}`, channelId).id);
        // The pace of the load, 500 messages a second at most; nothing is waited for.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    const settled = (resumes: number, identifies: number): Promise<void> =>
      waitFor(
        () =>
          gateway.status === 'connected' &&
          gateway.count('resume') >= resumes &&
          gateway.count('identify') >= identifies,
        `${resumes} resumes and ${identifies} sessions`,
        20_000,
      );
    discord.injectFault({ kind: 'drop' });
    await settled(1, 1);
    discord.injectFault({ kind: 'refuse-connections', count: 3 });
    discord.injectFault({ kind: 'drop' });
    await settled(2, 1);
    discord.injectFault({ kind: 'request', operation: 'getHistory', status: 503, count: 5 });
    discord.injectFault({ kind: 'lose-sessions' });
    await settled(3, 2);
    gateway.host.holdPublishes();
    discord.injectFault({ kind: 'reconnect' });
    await settled(4, 2);
    gateway.host.releasePublishes();
    enough.abort();
    await writing;
    const total = [...written.values()].reduce((sum, ids) => sum + ids.length, 0);
    const seen = (): Set<string> => new Set(gateway.host.published.map(({ id }) => id));
    await waitFor(() => seen().size === total, `all ${total} messages`);
    for (const [channelId, ids] of written) {
      const published = gateway.host.published.filter(({ channel }) => channel.id === channelId);
      expect(published.map(({ id }) => id)).toEqual(ids.map((id) => `discord:${id}`));
    }
  }, 60_000);

  it('reads what was written while it was not running, after a restart', async () => {
    await running();
    await withHistory();
    const { discord } = gateway.sandbox;
    const { channelId: direct } = discord.receiveMessage({ dm: true, author: 'bob', content: 'psst' });
    await waitFor(() => gateway.texts().length === 2, 'the direct message');
    await gateway.connector.stop();
    gateway.write('missed');
    discord.receiveMessage({ dm: true, author: 'bob', content: 'psst again' });
    const [, quiet] = discord.channels();
    gateway.write('in a quiet channel', quiet?.id);
    const thread = discord.createChannel({ name: 'new thread', parentId: gateway.general }).id;
    gateway.write('in a new thread', thread);
    const { host, connector } = gateway.restarted();
    await connector.start(new AbortController().signal);
    try {
      await waitFor(() => host.published.length === 4, 'what was missed');
      gateway.write('live');
      await waitFor(() => host.published.length === 5, 'what comes now');
      expect(textsOf(host, gateway.general)).toEqual(['missed', 'live']);
      expect(textsOf(host, direct)).toEqual(['psst again']);
      expect(textsOf(host, quiet?.id)).toEqual(['in a quiet channel']);
      expect(textsOf(host, thread)).toEqual(['in a new thread']);
    } finally {
      await connector.stop();
    }
  });

  it('reads a direct channel back that it had not come to note when it was killed', async () => {
    await running();
    const { discord } = gateway.sandbox;
    const { channelId } = discord.receiveMessage({ dm: true, author: 'bob', content: 'psst' });
    await waitFor(() => gateway.texts().length === 1, 'the direct message');
    await gateway.connector.stop();
    // What a kill leaves: neither the channel nor how far it was read.
    gateway.host.cursors.entries.delete('direct-channels');
    gateway.host.cursors.entries.delete(`channel:${channelId}`);
    discord.receiveMessage({ dm: true, author: 'bob', content: 'missed' });
    const { host, connector } = gateway.restarted();
    await connector.start(new AbortController().signal);
    try {
      discord.receiveMessage({ dm: true, author: 'bob', content: 'next' });
      await waitFor(() => textsOf(host, channelId).includes('next'), 'the next message');
      expect(textsOf(host, channelId)).toEqual(['psst', 'missed', 'next']);
    } finally {
      await connector.stop();
    }
  });

  it('reads nothing that was written before its first start', async () => {
    gateway = await Gateway.create();
    gateway.write('ancient');
    await gateway.start();
    gateway.write('new');
    await waitFor(() => gateway.texts().length === 1, 'the new message');
    expect(gateway.texts()).toEqual(['new']);
    expect(gateway.count('getHistory', 'rest')).toBe(0);
  });

  it('tells the gap when the bound forbids reading', async () => {
    await running();
    await withHistory();
    await waitFor(() => gateway.host.cursors.entries.has(`channel:${gateway.general}`), 'the cursor');
    await gateway.connector.stop();
    gateway.write('two days old');
    const clock = { ...systemClock, now: () => Date.now() + 48 * 3_600_000 };
    const { host, connector } = gateway.restarted({ clock });
    await connector.start(new AbortController().signal);
    const gapOf = (): unknown => host.states.find((state) => 'gap' in state);
    await waitFor(() => gapOf() !== undefined, 'the gap');
    await connector.stop();
    expect(gapOf()).toMatchObject({
      status: 'connected',
      gap: { reason: expect.stringContaining(gateway.general) as string },
    }); // a matcher stands for a string
    expect(host.published).toEqual([]);
  });

  it('finds the gap again after a restart where the bus did not have it, and no more where it had', async () => {
    await running();
    await withHistory();
    const key = `channel:${gateway.general}`;
    await waitFor(() => gateway.host.cursors.entries.has(key), 'the cursor');
    await gateway.connector.stop();
    const cursor = gateway.host.cursors.entries.get(key);
    gateway.write('two days old');
    const clock = { ...systemClock, now: () => Date.now() + 48 * 3_600_000 };
    const { host, connector } = gateway.restarted({ clock });
    const gaps = (): unknown[] => host.states.filter((state) => 'gap' in state);
    const start = (): Promise<void> => connector.start(new AbortController().signal);

    host.holdPublishes();
    await start();
    await waitFor(() => gaps().length === 1, 'the gap');
    await connector.stop();
    expect(host.cursors.entries.get(key)).toBe(cursor);

    host.releasePublishes();
    await start();
    await waitFor(() => host.cursors.entries.get(key) !== cursor, 'the bound as the cursor');
    await connector.stop();
    expect(gaps()).toHaveLength(2);

    await start();
    await waitFor(() => connector.getSnapshot().details['behind'] === 0, 'the channels to be read');
    await connector.stop();
    expect(gaps()).toHaveLength(2);
  });
});

describe('start', () => {
  it.each([
    [4004, 'AUTH_FAILED', /DISCORD_BOT_TOKEN/],
    [4013, 'CONFIG_INVALID', /intents/],
    [4014, 'FORBIDDEN', /MESSAGE CONTENT INTENT/],
    [4011, 'UNSUPPORTED', /guilds/],
  ] as const)('fails for good at close code %i and names the cure', async (closeCode, code, hint) => {
    gateway = await Gateway.create();
    gateway.sandbox.discord.injectFault({ kind: 'refuse-session', how: 'close', closeCode });
    await expect(gateway.start()).rejects.toMatchObject({
      code,
      retryable: false,
      nativeCode: String(closeCode),
      hint: expect.stringMatching(hint) as string, // a matcher stands for a string
    });
    expect(gateway.status).toBe('failed');
    await noSocket();
  });

  it('fails for good at a terminal close code while connected', async () => {
    await running();
    gateway.sandbox.discord.injectFault({ kind: 'drop', how: 'close', closeCode: 4014 });
    await waitFor(() => gateway.status === 'failed', 'the failed state');
    await expect(
      gateway.connector.sendText('x', gateway.general, { idempotencyKey: 'k', mayHaveBeenSent: false }),
    ).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await noSocket();
  });

  it('names the intent that is switched off in the portal', async () => {
    gateway = await Gateway.create({ sandbox: { privilegedIntents: [] } });
    await expect(gateway.start()).rejects.toMatchObject({ code: 'FORBIDDEN', nativeCode: '4014' });
  });

  it('does not log in under the floor of session starts', async () => {
    gateway = await Gateway.create();
    gateway.sandbox.discord.injectFault({ kind: 'session-starts', remaining: 19 });
    const error: unknown = await gateway.start().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(error instanceof ConnectorError ? error.retryAfterMs : 0).toBeGreaterThan(60_000);
    expect(gateway.count('identify')).toBe(0);
  });

  it('begins no new session under the floor by itself either', async () => {
    await running();
    gateway.sandbox.discord.injectFault({ kind: 'session-starts', remaining: 3 });
    gateway.sandbox.discord.injectFault({ kind: 'lose-sessions' });
    await waitFor(() => gateway.status === 'failed', 'the failed state', 15_000);
    expect(gateway.host.states.at(-1)).toMatchObject({ error: { code: 'RATE_LIMITED', retryable: true } });
    expect(gateway.count('identify')).toBe(1);
    await noSocket();
  });

  it('is over after its time when the gateway stays silent', async () => {
    gateway = await Gateway.create({ config: { connectTimeoutSeconds: 1 } });
    gateway.sandbox.discord.injectFault({ kind: 'no-hello' });
    await expect(gateway.start()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await noSocket();
  });
});

describe('stop', () => {
  const stopped = (): Promise<void> => within(gateway.connector.stop(), 4_000, 'stop to settle');

  it('ends a start that waits for HELLO', async () => {
    gateway = await Gateway.create();
    gateway.sandbox.discord.injectFault({ kind: 'no-hello' });
    const starting = gateway.start().catch(() => undefined);
    await waitFor(() => gateway.sandbox.discord.stats().sockets.open === 1, 'the socket');
    await stopped();
    await starting;
    await noSocket();
    gateway.sandbox.discord.heal();
    const upgrades = gateway.count('upgrade');
    // The SDK pauses 500 ms before an attempt.
    await expect(waitFor(() => gateway.count('upgrade') > upgrades, 'an attempt', 1_500)).rejects.toThrow(
      'in vain',
    );
  });

  it('ends a start whose upgrade is not answered', async () => {
    gateway = await Gateway.create();
    gateway.sandbox.discord.injectFault({ kind: 'refuse-connections', how: 'silence' });
    const starting = gateway.start().catch(() => undefined);
    await waitFor(() => gateway.count('upgrade') === 1, 'the upgrade');
    await stopped();
    await starting;
    gateway.sandbox.discord.heal();
    await expect(waitFor(() => gateway.count('upgrade') > 1, 'an attempt', 1_500)).rejects.toThrow('in vain');
    await noSocket();
  });

  it('ends the attempts to connect again', async () => {
    await running();
    gateway.sandbox.discord.injectFault({ kind: 'refuse-connections' });
    gateway.sandbox.discord.injectFault({ kind: 'drop' });
    await lost();
    await stopped();
    gateway.sandbox.discord.heal();
    const upgrades = gateway.count('upgrade');
    await expect(waitFor(() => gateway.count('upgrade') > upgrades, 'an attempt', 1_500)).rejects.toThrow(
      'in vain',
    );
    expect(gateway.status).toBe('stopped');
  });

  it('cuts a half-open socket', async () => {
    await running();
    gateway.sandbox.discord.injectFault({ kind: 'half-open' });
    await stopped();
    expect(gateway.status).toBe('stopped');
    await noSocket();
  });
});
