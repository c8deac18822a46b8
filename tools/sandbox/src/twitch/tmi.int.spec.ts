import { type EventEmitter, once } from 'node:events';
import tmi, { type ChatUserstate, type Client } from 'tmi.js';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { twitchDefaults } from './twitch-options.js';

const ignore = (): void => undefined;
type Received = [channel: string, tags: ChatUserstate, text: string, self: boolean];

describe('tmi.js, unmodified', () => {
  let sandbox: Sandbox;
  let client: Client;
  let connected: boolean;

  const connect = async (password = `oauth:${twitchDefaults.accessToken}`): Promise<void> => {
    client = new tmi.Client({
      options: { skipUpdatingEmotesets: true, joinInterval: 300 },
      logger: { info: ignore, warn: ignore, error: ignore },
      connection: {
        server: '127.0.0.1',
        port: Number(new URL(sandbox.url).port),
        secure: false,
        reconnect: false,
      },
      identity: { username: twitchDefaults.botLogin, password },
    });
    client.on('disconnected', () => (connected = false));
    await client.connect();
    connected = true;
  };
  /** What the next event of this name carries. */
  const next = async <T extends unknown[]>(event: string): Promise<T> => {
    const emitter = client as unknown as EventEmitter; // its own emitter has the same methods, other types
    return (await once(emitter, event)) as T; // by the SDK's documentation
  };
  const messageId = (line: unknown): unknown => (line as { tags?: { id?: unknown } }).tags?.id; // the parsed IRC message

  beforeEach(async () => {
    sandbox = await startSandbox({
      twitch: { messageLimits: { ...twitchDefaults.messageLimits, spacingMs: 0 } },
    });
    await connect();
    await client.join('bitbrat');
  });
  afterEach(async () => {
    if (connected) await client.disconnect();
    await sandbox.close();
  });

  it('receives a message with its tags', async () => {
    const received = next<Received>('message');
    const receipt = sandbox.twitch.receiveMessage({
      channel: 'bitbrat',
      login: 'alice',
      userId: '12345',
      displayName: 'Alice',
      text: 'sécond; 🚀 :)',
    });
    const [channel, tags, text, self] = await received;
    expect([channel, text, self]).toEqual(['#bitbrat', 'sécond; 🚀 :)', false]);
    expect(tags).toMatchObject({
      id: receipt.id,
      'user-id': '12345',
      'display-name': 'Alice',
      'message-type': 'chat',
      'room-id': sandbox.twitch.channel('bitbrat').roomId,
    });
    expect(receipt).toMatchObject({ userId: '12345', delivered: 1, seq: 1 });
  });

  it.each([
    ['0', false],
    ['1', true],
  ])('turns the user id %j into a boolean, as it does with Twitch', async (userId, shown) => {
    const received = next<Received>('message');
    sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', userId, text: 'hi' });
    expect((await received)[1]['user-id']).toBe(shown);
  });

  it('sends, and sees the acknowledgement in the raw lines alone', async () => {
    const acknowledged = new Promise<unknown>((resolve) => {
      client.on('raw_message', (line: { command?: string; tags?: { id?: string } }) => {
        if (line.command === 'USERSTATE' && line.tags?.id !== undefined) resolve(line);
      });
    });
    await client.say('bitbrat', 'hello');
    const message = await sandbox.twitch.waitForMessage(({ text }) => text === 'hello');
    expect(messageId(await acknowledged)).toBe(message.id);
    expect(message).toMatchObject({ channel: 'bitbrat', login: 'bitbrat_bot', via: 'irc', cut: false });
  });

  it('sends /me as an action', async () => {
    await client.action('bitbrat', 'waves');
    await expect(sandbox.twitch.waitForMessage(({ action }) => action)).resolves.toMatchObject({
      text: 'waves',
    });
    expect(sandbox.twitch.commands()).toEqual([]);
  });

  it.each([
    ['an action', { action: true }, 'action', { 'message-type': 'action' }],
    ['a cheer', { bits: 100 }, 'cheer', { bits: '100' }],
    ['a redemption', { rewardId: 'r-1' }, 'message', { 'custom-reward-id': 'r-1' }],
    ['shared chat', { sourceChannel: 'friend' }, 'message', { 'source-badges': null }],
  ])('receives %s', async (_what, more, event, expected) => {
    const received = next<Received>(event);
    sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', text: 'cheer100', ...more });
    expect((await received)[1]).toMatchObject(expected);
  });

  it('receives whispers', async () => {
    const received = next<[from: string, tags: ChatUserstate, text: string]>('whisper');
    const receipt = sandbox.twitch.receiveMessage({
      whisper: 'bitbrat_bot',
      login: 'alice',
      userId: '5',
      text: 'psst',
    });
    expect(receipt).toMatchObject({ id: '1', channel: null, delivered: 1 });
    const [from, tags, text] = await received;
    expect([from, text, tags['thread-id'], tags['user-id']]).toEqual(['#alice', 'psst', '5_777000777', '5']);
  });

  it('reports subscriptions, raids, bans, removals and notices', async () => {
    const { id } = sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', text: 'spam' });
    const sub = next('subscription');
    const raid = next('raided');
    const timeout = next('timeout');
    const ban = next('ban');
    const clear = next('clearchat');
    const removed = next('messagedeleted');
    const notice = next('notice');
    const event = { kind: 'usernotice', channel: 'bitbrat', login: 'carol' } as const;
    const plan = { 'msg-param-sub-plan': '1000', 'msg-param-sub-plan-name': 'Tier 1' };
    sandbox.twitch.sendEvent({ ...event, msgId: 'sub', systemMessage: 'carol subscribed', tags: plan });
    const raiders = {
      'msg-param-displayName': 'Carol',
      'msg-param-viewerCount': '12',
      'msg-param-login': 'carol',
    };
    sandbox.twitch.sendEvent({ ...event, msgId: 'raid', tags: raiders });
    sandbox.twitch.sendEvent({ kind: 'clearmsg', channel: 'bitbrat', messageId: id });
    sandbox.twitch.sendEvent({ kind: 'clearchat', channel: 'bitbrat', login: 'dave', durationSeconds: 5 });
    sandbox.twitch.sendEvent({ kind: 'clearchat', channel: 'bitbrat', login: 'dave' });
    sandbox.twitch.sendEvent({ kind: 'clearchat', channel: 'bitbrat' });
    sandbox.twitch.sendEvent({ kind: 'notice', channel: 'bitbrat', msgId: 'msg_emoteonly' });
    expect((await sub).slice(0, 2)).toEqual(['#bitbrat', 'carol']);
    expect((await raid).slice(0, 3)).toEqual(['#bitbrat', 'Carol', 12]);
    expect((await removed).slice(0, 3)).toEqual(['#bitbrat', 'alice', 'spam']);
    expect((await timeout).slice(0, 2)).toEqual(['#bitbrat', 'dave']);
    expect((await ban).slice(0, 2)).toEqual(['#bitbrat', 'dave']);
    expect(await clear).toEqual(['#bitbrat']);
    expect((await notice).slice(0, 2)).toEqual(['#bitbrat', 'msg_emoteonly']);
  });

  it('resolves say() though the message is refused; the notice comes later', async () => {
    await client.say('bitbrat', 'same');
    const notice = next('notice');
    await client.say('bitbrat', 'same');
    expect((await notice).slice(0, 2)).toEqual(['#bitbrat', 'msg_duplicate']);
    expect(sandbox.twitch.messages('bitbrat')).toHaveLength(1);
  });

  it('lets CR LF and command signs through, which shows here as commands', async () => {
    await client.say('bitbrat', 'hello\r\nPRIVMSG #victim :injected');
    await client.say('bitbrat', '/ban alice');
    await sandbox.twitch.waitForCommand(({ name }) => name === 'ban');
    expect(sandbox.twitch.commands()).toMatchObject([
      { via: 'line', name: 'PRIVMSG', channel: 'victim' },
      { via: 'chat', name: 'ban', channel: 'bitbrat', result: 'refused' },
    ]);
    expect(sandbox.twitch.messages('bitbrat').map(({ text }) => text)).toEqual(['hello']);
  });

  it('is pinged and answers; pings and is answered', async () => {
    const ping = next('ping');
    sandbox.twitch.sendEvent({ kind: 'ping' });
    await ping;
    await expect(client.ping()).resolves.toHaveLength(1);
  });

  it('notices that the socket was dropped', async () => {
    const disconnected = next('disconnected');
    expect(sandbox.twitch.injectFault({ kind: 'drop' })).toEqual({ id: null, affected: 1 });
    await disconnected;
    await sandbox.twitch.waitFor(
      () => sandbox.twitch.stats().connections.length === 0 || undefined,
      'no connection',
    );
  });

  it('comes back after RECONNECT', async () => {
    const reconnected = next('connected');
    sandbox.twitch.injectFault({ kind: 'reconnect' });
    await reconnected;
    await next('roomstate');
    expect(sandbox.twitch.stats().upgrades).toBe(2);
  });

  it('is refused with a token that has ended', async () => {
    await client.disconnect();
    expect(sandbox.twitch.injectFault({ kind: 'expire-tokens', login: 'bitbrat_bot' })).toEqual({
      id: null,
      affected: 1,
    });
    await expect(connect()).rejects.toBe('Login authentication failed');
    const { accessToken } = sandbox.twitch.issueToken({ login: 'bitbrat_bot' });
    await connect(`oauth:${accessToken}`);
  });
});
