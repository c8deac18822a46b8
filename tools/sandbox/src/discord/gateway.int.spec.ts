import { type Client, GatewayIntentBits } from 'discord.js';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { createDiscordJs, loginDiscordJs, nextEvent } from './testing/clients.js';
import { discordDefaults, type DiscordSandboxOptions } from './discord-options.js';
import { type FaultInput } from './fault-schema.js';

const { token } = discordDefaults;

describe('discord.js: sessions', () => {
  let sandbox: Sandbox;
  let client: Client;
  const seen: string[] = [];

  const start = async (options: Partial<DiscordSandboxOptions> = {}): Promise<void> => {
    sandbox = await startSandbox({ discord: options });
    client = await loginDiscordJs(sandbox);
    seen.length = 0;
    client.on('messageCreate', ({ content }) => seen.push(content));
  };
  const write = (content: string): void => {
    sandbox.discord.receiveMessage({ author: 'ada', content });
  };
  const message = (content: string): Promise<unknown> =>
    nextEvent(client, 'messageCreate', (event) => event.content === content);
  const detached = (): Promise<true> =>
    sandbox.discord.waitFor(() => {
      const { alive, attached } = sandbox.discord.stats().sessions;
      return alive === 1 && attached === 0 ? true : undefined;
    }, 'a session without a socket');
  const gatewayCounters = (): Readonly<Record<string, number>> => sandbox.discord.stats().counters.gateway;

  afterEach(async () => {
    await client.destroy();
    await sandbox.close();
  });

  const resumable: [string, FaultInput][] = [
    ['op 7', { kind: 'reconnect' }],
    ['op 9 true', { kind: 'invalid-session', resumable: true }],
    ['a reset connection', { kind: 'drop' }],
    ['close code 4000', { kind: 'drop', how: 'close', closeCode: 4000 }],
    ['close code 1001', { kind: 'drop', how: 'close', closeCode: 1001 }],
  ];
  it.each(resumable)('resumes after %s and gets what it has missed', async (_name, fault) => {
    await start();
    const resumed = nextEvent(client, 'shardResume');
    const last = message('live again');
    sandbox.discord.injectFault(fault);
    await detached();
    write('missed 1');
    write('missed 2');
    await resumed;
    write('live again');
    await last;
    expect(seen).toEqual(['missed 1', 'missed 2', 'live again']);
    expect(gatewayCounters()).toMatchObject({ identify: 1, resume: 1 });
    expect(sandbox.discord.stats().sessionStartsLeft).toBe(999);
  });

  const ending: [string, FaultInput][] = [
    ['op 9 false', { kind: 'invalid-session', resumable: false }],
    ['lost sessions', { kind: 'lose-sessions' }],
  ];
  it.each(ending)('identifies anew after %s, and what was missed stays missed', async (_name, fault) => {
    await start();
    const ready = nextEvent(client, 'shardReady');
    const last = message('live again');
    sandbox.discord.injectFault(fault);
    write('missed');
    await ready;
    write('live again');
    await last;
    expect(seen).toEqual(['live again']);
    expect(gatewayCounters()).toMatchObject({ identify: 2 });
    const { sessions, sessionStartsLeft } = sandbox.discord.stats();
    expect([sessions.alive, sessionStartsLeft]).toEqual([1, 998]);
  });

  it('ends a session that has missed more than is kept', async () => {
    await start({ sessionBufferSize: 3 });
    const ready = nextEvent(client, 'shardReady');
    sandbox.discord.injectFault({ kind: 'drop' });
    await detached();
    for (let index = 0; index < 5; index += 1) write(String(index));
    await ready;
    expect(gatewayCounters()).toMatchObject({ identify: 2, resume: 1, 'invalid session, not resumable': 1 });
    expect(seen).toEqual([]);
  });

  it('makes a client resume whose heartbeats nobody answers', async () => {
    await start({ heartbeatIntervalMs: 150 });
    const resumed = nextEvent(client, 'shardResume');
    sandbox.discord.injectFault({ kind: 'no-heartbeat-ack' });
    await detached();
    sandbox.discord.heal();
    write('missed');
    await resumed;
    expect(seen).toEqual(['missed']);
  });

  it('keeps what a half-open socket does not carry', async () => {
    await start({ heartbeatIntervalMs: 150 });
    const resumed = nextEvent(client, 'shardResume');
    expect(sandbox.discord.injectFault({ kind: 'half-open' })).toEqual({ id: null, sockets: 1 });
    expect(sandbox.discord.stats().sockets).toEqual({ open: 1, silent: 1 });
    write('into the void');
    await resumed;
    expect(seen).toEqual(['into the void']);
  });

  const refusals: [string, FaultInput][] = [
    ['resets connections', { kind: 'refuse-connections', how: 'reset' }],
    ['answers upgrades with 503', { kind: 'refuse-connections', how: 'http', status: 503 }],
  ];
  it.each(refusals)('lets clients back in after a time in which it %s', async (_name, fault) => {
    await start();
    sandbox.discord.injectFault(fault);
    sandbox.discord.injectFault({ kind: 'drop' });
    const before = gatewayCounters()['upgrade'] ?? 0;
    await sandbox.discord.waitFor(
      () => ((gatewayCounters()['upgrade'] ?? 0) > before + 1 ? true : undefined),
      'two refused upgrades',
    );
    const last = message('live again');
    const back = sandbox.discord.waitFor(
      () => (sandbox.discord.stats().sessions.attached === 1 ? true : undefined),
      'a session with a socket',
    );
    sandbox.discord.heal();
    await back;
    write('live again');
    await last;
    expect(seen.at(-1)).toBe('live again');
  });

  it('ends the session that a client closes with 1000', async () => {
    await start();
    await client.destroy();
    await sandbox.discord.waitFor(
      () => (sandbox.discord.stats().sessions.alive === 0 ? true : undefined),
      'the end of the session',
    );
    expect(sandbox.discord.stats().sockets.open).toBe(0);
  });
});

describe('discord.js: login', () => {
  let sandbox: Sandbox;
  let client: Client;

  afterEach(async () => {
    await client.destroy();
    await sandbox.close();
  });

  it('refuses intents that are not switched on with 4014', async () => {
    sandbox = await startSandbox({ discord: { privilegedIntents: [] } });
    client = createDiscordJs(sandbox);
    await expect(client.login(token)).rejects.toThrow('Used disallowed intents');
    expect(sandbox.discord.stats().counters.gateway).toMatchObject({ identify: 1, 'closed 4014': 1 });
  });

  it('refuses a wrong token', async () => {
    sandbox = await startSandbox();
    client = createDiscordJs(sandbox);
    await expect(client.login('wrong')).rejects.toMatchObject({ code: 'TokenInvalid' });
    expect(sandbox.discord.stats()).toMatchObject({ invalidRequests: 1, sockets: { open: 0 } });
  });

  it('closes with a code on demand', async () => {
    sandbox = await startSandbox();
    client = createDiscordJs(sandbox);
    sandbox.discord.injectFault({ kind: 'refuse-session', on: 'identify', closeCode: 4004, count: 1 });
    await expect(client.login(token)).rejects.toThrow('Authentication failed');
  });

  it('resets the token after one IDENTIFY too many', async () => {
    sandbox = await startSandbox();
    sandbox.discord.injectFault({ kind: 'session-starts', remaining: 1 });
    client = await loginDiscordJs(sandbox);
    const { session_start_limit: limit } = (await client.rest.get('/gateway/bot')) as {
      session_start_limit: { remaining: number };
    }; // the shape of the sandbox's own answer
    expect(limit.remaining).toBe(0);
    const dead = nextEvent(client, 'shardDisconnect');
    sandbox.discord.injectFault({ kind: 'lose-sessions' });
    expect((await dead)[0].code).toBe(4004);
    await expect(client.rest.get('/gateway/bot')).rejects.toMatchObject({ status: 401 });
    expect(sandbox.discord.environment()['DISCORD_BOT_TOKEN']).not.toBe(token);
  });

  it('hides the content of guild messages without the intent MESSAGE_CONTENT, except mentions and direct ones', async () => {
    sandbox = await startSandbox();
    client = createDiscordJs(sandbox, [
      GatewayIntentBits.Guilds,
      GatewayIntentBits.GuildMessages,
      GatewayIntentBits.DirectMessages,
    ]);
    const ready = nextEvent(client, 'clientReady');
    await client.login(token);
    await ready;
    const contents: string[] = [];
    client.on('messageCreate', ({ content }) => contents.push(content));
    const last = nextEvent(client, 'messageCreate', ({ content }) => content === 'direct');
    const mention = `<@${discordDefaults.applicationId}> hi`;
    sandbox.discord.receiveMessage({ author: 'ada', content: 'secret' });
    sandbox.discord.receiveMessage({ author: 'ada', content: mention });
    sandbox.discord.receiveMessage({ author: 'ada', content: 'direct', dm: true });
    await last;
    expect(contents).toEqual(['', mention, 'direct']);
  });

  it('gets no event of a channel that it cannot see, nor without the intent for it', async () => {
    sandbox = await startSandbox();
    const hidden = sandbox.discord.createChannel({ name: 'hidden', access: 'none' });
    client = createDiscordJs(sandbox, [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages]);
    const ready = nextEvent(client, 'clientReady');
    await client.login(token);
    await ready;
    const raw: string[] = [];
    client.on('raw' as 'debug', (packet: unknown) => {
      raw.push((packet as { t: string }).t); // `raw` is missing from the client's types
    });
    const last = nextEvent(client, 'messageCreate');
    sandbox.discord.receiveMessage({ author: 'ada', content: 'x', channelId: hidden.id });
    sandbox.discord.receiveMessage({ author: 'ada', content: 'x', dm: true });
    sandbox.discord.receiveMessage({ author: 'ada', content: 'y' });
    await last;
    expect(raw).toEqual(['MESSAGE_CREATE']);
  });
});
