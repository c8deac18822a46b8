import { type Client, type TextChannel } from 'discord.js';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { loginDiscordJs, nextEvent } from './testing/clients.js';
import { discordDefaults, type DiscordSandboxOptions } from './discord-options.js';

const channelId = discordDefaults.channels[0]?.id ?? '';

describe('discord.js: REST under faults', () => {
  let sandbox: Sandbox;
  let client: Client;
  let channel: TextChannel;

  const start = async (options: Partial<DiscordSandboxOptions> = {}): Promise<void> => {
    sandbox = await startSandbox({ discord: options });
    client = await loginDiscordJs(sandbox);
    channel = client.channels.cache.get(channelId) as TextChannel; // the sandbox's default is a text channel
  };
  const contents = (): readonly string[] => sandbox.discord.messages(channelId).map(({ content }) => content);
  const sends = (): number => sandbox.discord.stats().counters.rest['createMessage'] ?? 0;

  afterEach(async () => {
    await client.destroy();
    await sandbox.close();
  });

  it('lets a client wait for a full bucket, and keeps the order', async () => {
    await start({ channelLimit: 2, channelWindowMs: 300 });
    const texts = ['1', '2', '3', '4', '5'];
    await Promise.all(texts.map((text) => channel.send(text)));
    expect(contents()).toEqual(texts);
    expect(sends()).toBe(5);
    const times = sandbox.discord.messages(channelId).map(({ timestamp }) => Date.parse(timestamp));
    expect((times[4] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(500);
  });

  it('answers 429 to a client that does not wait', async () => {
    await start({ channelLimit: 1, channelWindowMs: 60_000 });
    const post = (): Promise<Response> =>
      fetch(`${sandbox.url}/api/v10/channels/${channelId}/messages`, {
        method: 'POST',
        headers: { authorization: `Bot ${discordDefaults.token}`, 'content-type': 'application/json' },
        body: '{"content":"x"}',
      });
    const first = await post();
    expect([first.status, first.headers.get('x-ratelimit-remaining')]).toEqual([200, '0']);
    const second = await post();
    const body = (await second.json()) as { retry_after: number; global: boolean }; // Discord's shape, checked below
    expect([second.status, second.headers.get('x-ratelimit-scope'), body.global]).toEqual([
      429,
      'user',
      false,
    ]);
    expect(Number(second.headers.get('retry-after'))).toBeCloseTo(body.retry_after, 2);
    expect(body.retry_after).toBeGreaterThan(30);
    expect(sandbox.discord.stats().invalidRequests).toBe(1);
  });

  it.each(['headers', 'retry-after'] as const)(
    'makes a client wait as the %s of a 429 say',
    async (rateLimit) => {
      await start();
      sandbox.discord.injectFault({
        kind: 'request',
        operation: 'createMessage',
        status: 429,
        rateLimit,
        retryAfterMs: 300,
        count: 1,
      });
      const begin = Date.now();
      await channel.send('patient');
      expect(Date.now() - begin).toBeGreaterThanOrEqual(300);
      expect([contents(), sends()]).toEqual([['patient'], 2]);
    },
  );

  it.each(['body', 'bare'] as const)(
    'lets a client hammer when a 429 has no headers (%s)',
    async (rateLimit) => {
      await start();
      const fault = { kind: 'request', method: 'POST', status: 429, rateLimit, count: 3 } as const;
      sandbox.discord.injectFault(fault);
      await channel.send('hasty');
      expect([contents(), sends()]).toEqual([['hasty'], 4]);
    },
  );

  it('stops everything when a 429 is global', async () => {
    await start();
    sandbox.discord.injectFault({
      kind: 'request',
      operation: 'createMessage',
      status: 429,
      scope: 'global',
      retryAfterMs: 300,
      count: 1,
    });
    const begin = Date.now();
    const sent = channel.send('x');
    await sandbox.discord.waitFor(() => (sends() === 1 ? true : undefined), 'the refused request');
    await Promise.all([sent, client.rest.get('/users/@me')]);
    expect(Date.now() - begin).toBeGreaterThanOrEqual(290);
  });

  it.each([
    [403, undefined, 50013],
    [403, 50007, 50007],
    [401, undefined, 0],
  ])('refuses with %i and code %p', async (status, code, expected) => {
    await start();
    sandbox.discord.injectFault({
      kind: 'request',
      path: `/channels/${channelId}/`,
      status,
      ...(code === undefined ? {} : { code }),
      count: 1,
    });
    await expect(channel.send('x')).rejects.toMatchObject({ status, code: expected });
    expect(contents()).toEqual([]);
  });

  it('answers 5xx, and takes the request when that is over', async () => {
    await start();
    sandbox.discord.injectFault({ kind: 'request', operation: 'createMessage', status: 502, count: 2 });
    await channel.send('at last');
    expect([contents(), sends()]).toEqual([['at last'], 3]);
  });

  it('is out of reach, by TCP and by HTTP', async () => {
    await start();
    const reset = { kind: 'refuse-connections', target: 'both', count: 1 } as const;
    sandbox.discord.injectFault(reset);
    await expect(channel.send('x')).rejects.toThrow();
    sandbox.discord.injectFault({ ...reset, how: 'http', status: 503, count: 4 });
    await expect(channel.send('x')).rejects.toMatchObject({ status: 503 });
    await channel.send('back');
    expect(contents()).toEqual(['back']);
  });

  it('refuses uploads that are too large', async () => {
    await start({ maxUploadBytes: 100 });
    const file = (size: number): { files: { attachment: Buffer; name: string }[] } => ({
      files: [{ attachment: Buffer.alloc(size), name: 'a.bin' }],
    });
    await channel.send(file(100));
    await expect(channel.send(file(101))).rejects.toMatchObject({ status: 413, code: 40005 });
    await expect(channel.send(file(200_000))).rejects.toMatchObject({ status: 413, code: 40005 });
    expect(contents()).toEqual(['']);
  });

  it('executes a request and loses the answer', async () => {
    await start();
    sandbox.discord.injectFault({
      kind: 'request',
      operation: 'createMessage',
      loseAnswer: 'drop',
      count: 1,
    });
    const message = { content: 'once', nonce: 'n1', enforceNonce: true };
    await expect(channel.send(message)).rejects.toThrow();
    const again = await channel.send(message);
    expect(contents()).toEqual(['once']);
    expect(again.id).toBe(sandbox.discord.messages(channelId)[0]?.id);
  });

  it('holds an answer until it is healed, and answers slowly', async () => {
    await start();
    sandbox.discord.injectFault({
      kind: 'request',
      operation: 'createMessage',
      loseAnswer: 'silence',
      count: 1,
    });
    const lost = channel.send('x');
    const failed = expect(lost).rejects.toThrow();
    await sandbox.discord.waitFor(
      () => (sandbox.discord.stats().heldRequests === 1 ? true : undefined),
      'a request without an answer',
    );
    expect(contents()).toEqual(['x']);
    sandbox.discord.heal();
    await failed;
    sandbox.discord.injectFault({ kind: 'request', delayMs: 200, count: 1 });
    const begin = Date.now();
    await channel.send('slow');
    expect(Date.now() - begin).toBeGreaterThanOrEqual(195);
  });

  it('bans who is refused too often', async () => {
    await start({ invalidRequestLimit: 3 });
    for (let index = 0; index < 3; index += 1) {
      const refused = await fetch(`${sandbox.url}/api/v10/users/@me`, {
        headers: { authorization: 'Bot x' },
      });
      expect(refused.status).toBe(401);
    }
    const banned = await fetch(`${sandbox.url}/api/v10/users/@me`, {
      headers: { authorization: `Bot ${discordDefaults.token}` },
    });
    expect([banned.status, banned.headers.get('retry-after'), await banned.text()]).toEqual([
      429,
      '600',
      'error code: 1015',
    ]);
  });

  it('shows a guild and the application, and takes note of typing', async () => {
    await start();
    const guild = await client.guilds.fetch({ guild: discordDefaults.guildId, force: true });
    expect(guild.name).toBe(discordDefaults.guildName);
    const channels = await guild.channels.fetch();
    expect(channels.size).toBe(2);
    const created = nextEvent(client, 'threadCreate');
    sandbox.discord.createChannel({ name: 't', parentId: channelId });
    await created;
    const { threads } = await guild.channels.fetchActiveThreads();
    expect(threads.map(({ name }) => name)).toEqual(['t']);
    const application = await client.application?.fetch();
    expect(application?.flags.has('GatewayMessageContent')).toBe(true);
    await channel.sendTyping();
    expect(sandbox.discord.stats().counters.rest['triggerTyping']).toBe(1);
  });
});
