import { once } from 'node:events';
import WebSocket from 'ws';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { joinRaw, logInRaw, openRaw, type RawClient } from './testing/raw-client.js';
import { twitchDefaults } from './twitch-options.js';

describe('Twitch faults', () => {
  let sandbox: Sandbox;
  let bot: RawClient;

  beforeEach(async () => {
    sandbox = await startSandbox({
      twitch: { messageLimits: { ...twitchDefaults.messageLimits, spacingMs: 0 } },
    });
    bot = await joinRaw(sandbox, 'bitbrat');
  });
  afterEach(async () => {
    bot.close();
    await sandbox.close();
  });

  const say = (text: string): void => bot.send(`PRIVMSG #bitbrat :${text}`);
  const texts = (): readonly string[] => sandbox.twitch.messages('bitbrat').map(({ text }) => text);
  const refusalOf = async (): Promise<string> => {
    const socket = new WebSocket(sandbox.url.replace(/^http/, 'ws'), 'irc');
    const [error] = (await once(socket, 'error')) as [Error]; // by the documentation of ws
    return error.message;
  };

  it.each([
    ['reset', 1006],
    ['close', 1012],
  ] as const)('drops sockets: %s', async (how, code) => {
    expect(sandbox.twitch.injectFault({ kind: 'drop', how, closeCode: 1012, login: 'BITBRAT_BOT' })).toEqual({
      id: null,
      affected: 1,
    });
    await expect(bot.closed()).resolves.toBe(code);
    expect(sandbox.twitch.injectFault({ kind: 'drop', login: 'nobody' }).affected).toBe(0);
  });

  it('asks to reconnect, and closes if told to', async () => {
    sandbox.twitch.injectFault({ kind: 'reconnect', closeAfterMs: 10 });
    await bot.next(/^:tmi\.twitch\.tv RECONNECT$/);
    await expect(bot.closed()).resolves.toBe(1000);
  });

  it.each([
    [{ how: 'reset' }, /ECONNRESET|hang up/],
    [{ how: 'http', status: 502 }, /502/],
  ] as const)('refuses connections: %j', async (how, message) => {
    sandbox.twitch.injectFault({ kind: 'refuse-connections', count: 1, ...how });
    await expect(refusalOf()).resolves.toMatch(message);
    bot.close();
    bot = await openRaw(sandbox);
  });

  it('leaves connections unanswered, until healed', async () => {
    sandbox.twitch.injectFault({ kind: 'refuse-connections', how: 'silence' });
    const refused = refusalOf();
    await sandbox.twitch.waitFor(
      () => (sandbox.twitch.stats().upgrades === 2 ? true : undefined),
      'the upgrade',
    );
    expect(sandbox.twitch.heal()).toBe(1);
    await expect(refused).resolves.toMatch(/hang up|ECONNRESET/);
  });

  it('accepts, hears, and never answers', async () => {
    sandbox.twitch.injectFault({ kind: 'silent', count: 1 });
    const silent = await openRaw(sandbox);
    silent.send(`PASS oauth:${twitchDefaults.accessToken}`, 'NICK bitbrat_bot', 'JOIN #quiet', 'PING');
    await sandbox.twitch.waitForMember('quiet', 'bitbrat_bot');
    expect(silent.lines).toEqual([]);
    expect(sandbox.twitch.stats().connections.map(({ quiet }) => quiet)).toEqual(['no', 'muted']);
    sandbox.twitch.heal();
    await expect(silent.closed()).resolves.toBe(1006);
    await expect(bot.settle()).resolves.toBeDefined();
  });

  it('goes half-open: reads nothing, sends nothing, stays connected', async () => {
    expect(sandbox.twitch.injectFault({ kind: 'half-open' }).affected).toBe(1);
    say('into the void');
    sandbox.twitch.receiveMessage({ channel: 'bitbrat', login: 'alice', text: 'hi' });
    const other = await joinRaw(sandbox, 'bitbrat', 'watcher');
    await other.settle();
    expect(texts()).toEqual(['hi']);
    expect(bot.lines.filter((line) => line.includes('PRIVMSG'))).toEqual([]);
    expect(bot.socket.readyState).toBe(WebSocket.OPEN);
    other.close();
    sandbox.twitch.heal();
    await bot.closed();
  });

  it.each([
    ['everybody', {}, 'frozen frozen'],
    ['one login', { login: 'late' }, 'no frozen'],
  ])('goes half-open for new connections of %s', async (_who, whom, expected) => {
    sandbox.twitch.injectFault({ kind: 'half-open', newConnections: true, ...whom });
    const { accessToken } = sandbox.twitch.issueToken({ login: 'late' });
    const late = await openRaw(sandbox);
    late.send(`PASS oauth:${accessToken}`, 'NICK late', 'JOIN #bitbrat');
    const quiet = (): string =>
      sandbox.twitch
        .stats()
        .connections.map((connection) => connection.quiet)
        .join(' ');
    await sandbox.twitch.waitFor(() => (quiet() === expected ? true : undefined), expected);
    expect(late.lines).toEqual([]);
    late.close();
  });

  it('fails logins with the text that is wanted', async () => {
    sandbox.twitch.injectFault({
      kind: 'login-failure',
      text: 'Login unsuccessful',
      login: 'bitbrat_bot',
      count: 1,
    });
    const client = await openRaw(sandbox);
    client.send(`PASS oauth:${twitchDefaults.accessToken}`, 'NICK bitbrat_bot');
    await client.next(/^:tmi\.twitch\.tv NOTICE \* :Login unsuccessful$/);
    await client.closed();
    (await logInRaw(sandbox)).close();
  });

  it('loses the acknowledgement of a message that stands', async () => {
    sandbox.twitch.injectFault({ kind: 'lose-ack', channel: '#Bitbrat', count: 1 });
    say('one');
    await expect(bot.settle()).resolves.toEqual([]);
    say('two');
    await bot.next(/ USERSTATE /);
    sandbox.twitch.injectFault({ kind: 'lose-ack', how: 'drop', count: 1 });
    say('three');
    await expect(bot.closed()).resolves.toBe(1006);
    expect(texts()).toEqual(['one', 'two', 'three']);
  });

  it('swallows a message', async () => {
    sandbox.twitch.injectFault({ kind: 'swallow-message', count: 1 });
    say('one');
    await expect(bot.settle()).resolves.toEqual([]);
    expect(texts()).toEqual([]);
  });

  it('refuses a message with a notice of any id', async () => {
    sandbox.twitch.injectFault({ kind: 'refuse-message', msgId: 'msg_rejected_mandatory', count: 1 });
    sandbox.twitch.injectFault({ kind: 'refuse-message', msgId: 'msg_new', text: 'No.', count: 1 });
    say('one');
    await bot.next(/^@msg-id=msg_rejected_mandatory .* :Your message wasn't posted/);
    say('one');
    await bot.next(/^@msg-id=msg_new :tmi\.twitch\.tv NOTICE #bitbrat :No\.$/);
    say('one');
    await bot.next(/ USERSTATE /);
    expect(texts()).toEqual(['one']);
  });

  it('acknowledges late', async () => {
    sandbox.twitch.injectFault({ kind: 'delay-ack', delayMs: 50, count: 1 });
    say('one');
    await expect(bot.settle()).resolves.toEqual([]);
    await bot.next(/ USERSTATE /);
  });

  it('leaves a PING unanswered', async () => {
    sandbox.twitch.injectFault({ kind: 'no-pong', count: 1 });
    bot.send('PING');
    bot.send('PING :second');
    await bot.next(/PONG .*:second$/);
    expect(bot.lines.filter((line) => line.includes('PONG'))).toHaveLength(1);
  });
});
