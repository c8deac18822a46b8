import { type TwitchFaultInput } from '@bitbrat/sandbox';
import { fastClock, gapsOf, Gateway, type GatewayOptions, waitFor } from './twitch-world.js';

let gateway: Gateway;

async function running(options: GatewayOptions = {}): Promise<void> {
  gateway = await Gateway.create(options);
  await gateway.start();
}

/** Works, and everything that is written from now on arrives. */
async function expectReceiving(text: string): Promise<void> {
  gateway.write(text);
  await waitFor(() => gateway.texts().includes(text), `the message "${text}"`);
}

/** The bot writes. */
async function say(text: string): Promise<void> {
  await gateway.connector.sendText(text, 'bitbrat', { idempotencyKey: text, mayHaveBeenSent: false });
}

/** The connection is lost; then the supervisor's part is played. */
async function expectLossAndReturn(): Promise<void> {
  await waitFor(() => gateway.status === 'failed', 'the loss');
  expect(gateway.host.states.at(-1)).toMatchObject({ status: 'failed', error: { retryable: true } });
  gateway.sandbox.twitch.heal();
  await gateway.restart();
}

/** Ends what a test has begun and has not ended itself. */
let stopChatter: () => void = () => undefined;

afterEach(async () => {
  stopChatter();
  await gateway.dispose();
});

describe('start', () => {
  it.each([
    ['Login authentication failed', 'UPSTREAM_UNAVAILABLE'],
    ['Improperly formatted auth', 'UPSTREAM_UNAVAILABLE'],
    ['Login unsuccessful', 'RATE_LIMITED'],
    ['Error logging in', 'UPSTREAM_UNAVAILABLE'],
  ])(
    'refused with "%s" is tried again soon while the token endpoint calls the token good',
    async (text, code) => {
      gateway = await Gateway.create({ config: { refresh: undefined } });
      gateway.sandbox.twitch.injectFault({ kind: 'login-failure', text });
      await expect(gateway.start()).rejects.toMatchObject({ code, failureClass: 'transient' });
      expect(gateway.host.states.at(-1)).toMatchObject({ status: 'failed', error: { code } });
      await waitFor(() => gateway.connections === 0, 'the socket to close');
    },
  );

  it('with a token that is refused at the login gets a new one, once', async () => {
    gateway = await Gateway.create();
    gateway.sandbox.twitch.injectFault({ kind: 'login-failure', count: 1 });
    await gateway.start();
    expect(gateway.sandbox.twitch.stats().upgrades).toBe(2);
    await expectReceiving('hello');
  });

  it('with a token that has ended gets a new one; a static one is AUTH_FAILED with a hint', async () => {
    gateway = await Gateway.create();
    gateway.sandbox.twitch.injectFault({ kind: 'expire-tokens' });
    await gateway.start();
    await expectReceiving('hello');
    await gateway.dispose();
    gateway = await Gateway.create({ config: { refresh: undefined } });
    gateway.sandbox.twitch.injectFault({ kind: 'expire-tokens' });
    await expect(gateway.start()).rejects.toMatchObject({
      code: 'AUTH_FAILED',
      hint: expect.stringContaining('TWITCH_ACCESS_TOKEN') as string,
    });
  });

  it.each<[string, TwitchFaultInput, string]>([
    ['resets', { kind: 'refuse-connections' }, 'UPSTREAM_UNAVAILABLE'],
    ['answers 503', { kind: 'refuse-connections', how: 'http' }, 'UPSTREAM_UNAVAILABLE'],
    ['never upgrades', { kind: 'refuse-connections', how: 'silence' }, 'TIMEOUT'],
    ['accepts and stays silent', { kind: 'silent' }, 'TIMEOUT'],
  ])('against a platform that %s fails and can be tried again', async (_, fault, code) => {
    gateway = await Gateway.create({ clock: fastClock(20) });
    gateway.sandbox.twitch.injectFault(fault);
    await expect(gateway.start()).rejects.toMatchObject({ code, retryable: true });
    gateway.sandbox.twitch.heal();
    await gateway.start();
    expect(gateway.status).toBe('connected');
    await waitFor(() => gateway.connections === 1, 'the failed connections to be gone');
  });

  it.each<[string, TwitchFaultInput]>([
    ['the token is validated', { kind: 'request', delayMs: 60_000 }],
    ['the socket is upgraded', { kind: 'refuse-connections', how: 'silence' }],
    ['it logs in', { kind: 'silent' }],
    ['the first channels are joined', { kind: 'half-open', newConnections: true }],
  ])('that is stopped while %s leaves nothing behind', async (_, fault) => {
    gateway = await Gateway.create();
    gateway.sandbox.twitch.injectFault(fault);
    const starting = expect(gateway.start()).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await waitFor(
      () => fault.kind === 'request' || gateway.sandbox.twitch.stats().upgrades === 1,
      'the start to get there',
    );
    await gateway.connector.stop();
    await starting;
    expect(gateway.status).toBe('stopped');
    gateway.sandbox.twitch.heal();
    await waitFor(() => gateway.connections === 0, 'the socket to close');
  });
});

describe('channels', () => {
  it('that do not let the bot in are named, and hold up no other', async () => {
    gateway = await Gateway.create({ sandbox: { channels: ['bitbrat', 'gone', 'unfriendly'] } });
    gateway.sandbox.twitch.configureChannel('gone', { suspended: true });
    gateway.sandbox.twitch.configureChannel('unfriendly', { banned: ['bitbrat_bot'] });
    await gateway.start();
    expect(gateway.details['channels']).toMatchObject({
      bitbrat: { status: 'joined', standing: 'ordinary' },
      gone: { status: 'refused', code: 'TARGET_NOT_FOUND', nativeCode: 'msg_channel_suspended' },
      unfriendly: { status: 'refused', code: 'FORBIDDEN', hint: expect.stringContaining('unban') as string },
    });
    await expectReceiving('hello');
    const options = { idempotencyKey: 'k', mayHaveBeenSent: false };
    await expect(gateway.connector.sendText('hi', 'unfriendly', options)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  it('are joined later when they can be', async () => {
    gateway = await Gateway.create({
      sandbox: { channels: ['bitbrat', 'back'] },
      clock: fastClock(200, 20_000),
    });
    gateway.sandbox.twitch.configureChannel('back', { suspended: true });
    await gateway.start();
    gateway.sandbox.twitch.configureChannel('back', { suspended: false });
    await gateway.sandbox.twitch.waitForMember('back', 'bitbrat_bot');
    gateway.write('hello', { channel: 'back' });
    await waitFor(() => gateway.texts('back').length === 1, 'the message');
    const state = gateway.host.states.at(-1);
    expect(state).toMatchObject({ status: 'connected', gap: { reason: '#back was joined late' } });
  });

  it('none of which lets the bot in are a failure that says so', async () => {
    gateway = await Gateway.create();
    gateway.sandbox.twitch.configureChannel('bitbrat', { banned: ['bitbrat_bot'] });
    await expect(gateway.start()).rejects.toMatchObject({ code: 'FORBIDDEN', nativeCode: 'msg_banned' });
  });

  it('are joined within the limit, over two starts too', async () => {
    const channels = Array.from({ length: 12 }, (_, i) => `room_${i}`);
    await running({ sandbox: { channels, joinLimit: { count: 20, windowMs: 10_000 } } });
    await gateway.restart();
    for (const channel of channels) {
      await gateway.sandbox.twitch.waitForMember(channel, 'bitbrat_bot', 20_000);
    }
    for (const channel of channels) gateway.write(channel, { channel });
    await waitFor(() => gateway.texts().length === 12, 'a message of each channel');
  }, 40_000);
});

describe('a lost connection', () => {
  it.each<[string, TwitchFaultInput, RegExp]>([
    ['a reset', { kind: 'drop' }, /connection/],
    ['a close', { kind: 'drop', how: 'close' }, /connection/],
  ])('by %s is reported with its gap, and the chat goes on', async (_, fault, reason) => {
    await running();
    await expectReceiving('before');
    const before = Date.now();
    gateway.sandbox.twitch.injectFault(fault);
    await expectLossAndReturn();
    await expectReceiving('after');
    const state = gateway.host.states.findLast(({ status }) => status === 'connected');
    const gap = state?.status === 'connected' ? state.gap : undefined;
    expect(gap?.reason).toMatch(reason);
    expect(Date.parse(gap?.from ?? '')).toBeGreaterThanOrEqual(before - 5_000);
    expect(Date.parse(gap?.to ?? '')).toBeGreaterThanOrEqual(Date.parse(gap?.from ?? ''));
    expect(gateway.connector.getSnapshot().counters.reconnects).toBe(1);
    await waitFor(() => gateway.connections === 1, 'the old connection to be gone');
    expect(gateway.texts()).toEqual(['before', 'after']);
  });

  it.each<[string, TwitchFaultInput]>([
    ['half-open', { kind: 'half-open' }],
    ['mute', { kind: 'silent', openConnections: true }],
    ['without PONG in a quiet chat', { kind: 'no-pong' }],
  ])('that is %s is found by our own question', async (_, fault) => {
    await running({ clock: fastClock(20) });
    gateway.sandbox.twitch.injectFault(fault);
    await expectLossAndReturn();
    expect(gateway.host.states.find(({ status }) => status === 'failed')).toMatchObject({
      error: { code: 'TIMEOUT' },
    });
    await expectReceiving('after');
  });

  it('is quiet where there are answers: no false alarm', async () => {
    await running({ clock: fastClock(1_000, 20_000) });
    const { twitch } = gateway.sandbox;
    const heard = (): unknown => gateway.details['lastHeardAt'];
    const first = heard();
    await waitFor(() => heard() !== first, 'an answer to our question');
    expect(twitch.stats().upgrades).toBe(1);
    expect(gateway.status).toBe('connected');
  });

  it('comes back with a new token where the old one has ended meanwhile', async () => {
    await running();
    gateway.sandbox.twitch.injectFault({ kind: 'expire-tokens' });
    gateway.sandbox.twitch.injectFault({ kind: 'drop' });
    await expectLossAndReturn();
    await expectReceiving('after');
  });

  it('is answered to PING', async () => {
    await running({ sandbox: { pingIntervalMs: 500 } });
    const heard = (): unknown => gateway.details['lastHeardAt'];
    const first = heard();
    await waitFor(() => heard() !== first, 'two pings');
    await expectReceiving('still here');
    expect(gateway.sandbox.twitch.stats().upgrades).toBe(1);
  });
});

describe('RECONNECT', () => {
  /** Somebody writes a line every few milliseconds. @returns what stops it and gives the texts */
  function chatter(): () => string[] {
    const texts: string[] = [];
    const timer = setInterval(() => {
      const text = `line ${texts.length}`;
      texts.push(text);
      gateway.write(text);
    }, 5);
    stopChatter = () => {
      clearInterval(timer);
    };
    return () => {
      stopChatter();
      return texts;
    };
  }

  const replaced = (): number => gateway.connector.getSnapshot().counters.reconnects;

  it('opens a second connection, reads both, and publishes each line once', async () => {
    await running({ sandbox: { channels: ['bitbrat', 'second'] } });
    const stop = chatter();
    await waitFor(() => gateway.texts().length > 10, 'some lines');
    gateway.sandbox.twitch.injectFault({ kind: 'reconnect' });
    await waitFor(() => gateway.connections === 2, 'the second connection');
    await say('while there are two');
    await waitFor(() => replaced() === 1 && gateway.connections === 1, 'the end of the first');
    const texts = stop();
    await waitFor(() => gateway.texts().length >= texts.length, 'all lines');
    expect(gateway.texts()).toEqual(texts);
    expect(gateway.sent()).toEqual(['while there are two']);
    expect(gapsOf(gateway.host)).toEqual([]);
    expect(gateway.status).toBe('connected');
  });

  it('that asks several times, or the new connection at once, changes nothing', async () => {
    await running();
    const stop = chatter();
    for (let i = 0; i < 3; i++) gateway.sandbox.twitch.injectFault({ kind: 'reconnect' });
    // One that is not logged in yet cannot be asked.
    const { twitch } = gateway.sandbox;
    const areIn = (): boolean => twitch.stats().connections.every(({ channels }) => channels.length > 0);
    await waitFor(() => gateway.connections === 2 && areIn(), 'the second connection');
    twitch.injectFault({ kind: 'reconnect' });
    await waitFor(() => replaced() === 2 && gateway.connections === 1, 'the third one alone');
    const texts = stop();
    await waitFor(() => gateway.texts().length >= texts.length, 'all lines');
    expect(gateway.texts()).toEqual(texts);
    expect(gapsOf(gateway.host)).toEqual([]);
  }, 30_000);

  it('is followed by more tries while the old connection lives', async () => {
    await running({ clock: fastClock(10, 1_000) });
    const { twitch } = gateway.sandbox;
    twitch.injectFault({ kind: 'refuse-connections', count: 2 });
    twitch.injectFault({ kind: 'reconnect' });
    const stop = chatter();
    await waitFor(() => replaced() === 1 && gateway.connections === 1, 'the new connection');
    expect(twitch.stats().upgrades).toBe(4);
    const texts = stop();
    await waitFor(() => gateway.texts().length >= texts.length, 'all lines');
    expect(gateway.texts()).toEqual(texts);
    expect(gapsOf(gateway.host)).toEqual([]);
  });

  it('with an end before the new connection is there is a gap, and the chat goes on by itself', async () => {
    await running();
    await expectReceiving('before');
    const { twitch } = gateway.sandbox;
    twitch.injectFault({ kind: 'request', delayMs: 300, count: 1 });
    twitch.injectFault({ kind: 'refuse-connections', count: 1 });
    twitch.injectFault({ kind: 'reconnect', closeAfterMs: 0 });
    await waitFor(() => gapsOf(gateway.host).length === 1, 'the gap');
    expect(gateway.host.states.map(({ status }) => status)).toContain('reconnecting');
    await expectReceiving('after');
    expect(gateway.status).toBe('connected');
  });

  it('that no new connection follows is a failure that the supervisor gets', async () => {
    await running();
    const { twitch } = gateway.sandbox;
    twitch.injectFault({ kind: 'refuse-connections' });
    twitch.injectFault({ kind: 'reconnect', closeAfterMs: 0 });
    await expectLossAndReturn();
    await expectReceiving('after');
  });

  it('leaves no connection behind when the connector is stopped meanwhile', async () => {
    await running();
    gateway.sandbox.twitch.injectFault({ kind: 'reconnect' });
    await waitFor(() => gateway.connections === 2, 'the second connection');
    await gateway.connector.stop();
    await waitFor(() => gateway.connections === 0, 'both to close');
    expect(gateway.status).toBe('stopped');
  });
});

describe('the token', () => {
  it('that is refused at the hourly validation is renewed, and the connection stays', async () => {
    await running({ clock: fastClock(10_000, 60_000) });
    gateway.sandbox.twitch.injectFault({ kind: 'expire-tokens' });
    const events = (): string[] => gateway.host.logger.entries.map(({ event }) => event);
    await waitFor(() => events().includes('twitch.token-refreshed'), 'the validation');
    await expectReceiving('still here');
    expect(gateway.sandbox.twitch.stats().upgrades).toBe(1);
  });

  it.each<[string, TwitchFaultInput]>([
    ['a 403', { kind: 'request', endpoint: 'token', status: 403 }],
    ['a 404', { kind: 'request', endpoint: 'token', status: 404 }],
    ['an empty answer', { kind: 'request', endpoint: 'token', body: '' }],
    ['an answer of another kind', { kind: 'request', endpoint: 'token', body: '<html>' }],
    ['a lost answer', { kind: 'request', endpoint: 'token', loseAnswer: true }],
    ['a 403 at the validation', { kind: 'request', endpoint: 'validate', status: 403 }],
    ['nonsense at the validation', { kind: 'request', endpoint: 'validate', body: '{"login":7}' }],
  ])('that cannot be renewed because of %s is a problem, and the chat goes on', async (_, fault) => {
    await running({ clock: fastClock(10_000, 60_000) });
    gateway.sandbox.twitch.injectFault(fault);
    gateway.sandbox.twitch.injectFault({ kind: 'expire-tokens' });
    const problems = (): unknown => {
      const state = gateway.host.states.at(-1);
      return state?.status === 'connected' ? state.problems : undefined;
    };
    await waitFor(() => problems() !== undefined, 'the problem');
    expect(problems()).toMatchObject([{ subject: 'token', nextAttemptAt: expect.any(String) as string }]);
    await expectReceiving('still here');
    gateway.sandbox.twitch.heal();
    await waitFor(() => problems() === undefined, 'the cure');
    expect(gateway.sandbox.twitch.stats().upgrades).toBe(1);
    expect(gateway.status).toBe('connected');
  });

  it('that is refused for good at the hourly validation ends the connection and says so', async () => {
    await running({ clock: fastClock(10_000, 60_000), config: { refresh: undefined } });
    gateway.sandbox.twitch.injectFault({ kind: 'expire-tokens' });
    await waitFor(() => gateway.status === 'failed', 'the validation');
    expect(gateway.host.states.at(-1)).toMatchObject({ error: { code: 'AUTH_FAILED', retryable: false } });
    await waitFor(() => gateway.connections === 0, 'the socket to close');
  });
});

describe('lines that make no sense', () => {
  it.each([
    ':tmi.twitch.tv NOTICE #bitbrat',
    ':tmi.twitch.tv NOTICE',
    ':alice!alice@alice.tmi.twitch.tv PRIVMSG #bitbrat',
    ':alice!alice@alice.tmi.twitch.tv PRIVMSG',
    ':bitbrat_bot.tmi.twitch.tv 353 bitbrat_bot = #bitbrat',
    ':bitbrat_bot.tmi.twitch.tv 353',
    ':tmi.twitch.tv HOSTTARGET #bitbrat',
    ':tmi.twitch.tv PONG tmi.twitch.tv',
    '@msg-id=resub :tmi.twitch.tv USERNOTICE #bitbrat',
    ':tmi.twitch.tv USERSTATE',
    ':tmi.twitch.tv ROOMSTATE',
    ':tmi.twitch.tv CLEARCHAT',
    ':jtv MODE #bitbrat',
    '@',
    '@a=b',
    ':',
    ':x',
    '   ',
    '@=;;==;__proto__=x;constructor=y :alice!a@b PRIVMSG #bitbrat :odd tags',
    '\u0001\u0002\u0003',
  ])('%j is survived', async (line) => {
    await running();
    gateway.sandbox.twitch.sendEvent({ kind: 'raw', line });
    await expectReceiving('still here');
    expect(gateway.status).toBe('connected');
  });
});

describe('stop', () => {
  it('closes the socket whatever the connection is like', async () => {
    for (const fault of [
      undefined,
      { kind: 'half-open' },
      { kind: 'silent', openConnections: true },
    ] as const) {
      await running();
      if (fault !== undefined) gateway.sandbox.twitch.injectFault(fault);
      const before = Date.now();
      await gateway.connector.stop();
      expect(Date.now() - before).toBeLessThan(10_000);
      gateway.sandbox.twitch.heal();
      await waitFor(() => gateway.connections === 0, 'the socket to close');
      await gateway.dispose();
    }
  });

  it('is reported as a gap at the next start', async () => {
    await running();
    await gateway.restart();
    expect(gateway.host.states.at(-1)).toMatchObject({ gap: { reason: 'the connector was stopped' } });
  });

  it('and so is the time between two processes', async () => {
    await running();
    await gateway.connector.stop();
    const { connector, host } = gateway.restarted();
    await connector.start(new AbortController().signal);
    expect(host.states.at(-1)).toMatchObject({ gap: { reason: 'the service was not running' } });
    await connector.stop();
  });

  it('is told by the next process, too, where this one ends before the bus has it', async () => {
    await running();
    gateway.host.holdPublishes();
    await gateway.restart();
    const untold = gapsOf(gateway.host).at(-1);
    expect(untold?.reason).toBe('the connector was stopped');
    await gateway.connector.stop();
    const { connector, host } = gateway.restarted();
    await connector.start(new AbortController().signal);
    expect(gapsOf(host)).toEqual([
      untold,
      expect.objectContaining({ reason: 'the service was not running' }),
    ]);
    await connector.stop();
  });
});
