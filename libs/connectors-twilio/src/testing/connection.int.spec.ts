import { type FaultInput } from '@bitbrat/sandbox';
import { TwilioTokenProvider } from '../session/token-provider.js';
import { fastClock, Gateway, type GatewayOptions, waitFor } from './twilio-world.js';

let gateway: Gateway;

async function running(options: GatewayOptions = {}): Promise<string> {
  gateway = await Gateway.create(options);
  const conversationSid = gateway.conversation();
  await gateway.start();
  return conversationSid;
}

/** Works, and everything that was written arrives. */
async function expectReceiving(text: string): Promise<void> {
  await gateway.sms(text);
  await waitFor(() => gateway.texts().includes(text), `the message "${text}"`, 15_000);
}

afterEach(async () => {
  await gateway.dispose();
});

describe('start', () => {
  it.each([
    [20101, 401, 'AUTH_FAILED', false],
    [20104, 401, 'UPSTREAM_UNAVAILABLE', true],
    [20429, 429, 'RATE_LIMITED', true],
  ])('refused with %i is told as such', async (code, status, expected, retryable) => {
    gateway = await Gateway.create();
    gateway.sandbox.twilio.injectFault({ kind: 'refuse-token', status, code });
    await expect(gateway.start()).rejects.toMatchObject({ code: expected, retryable });
    expect(gateway.host.states.at(-1)).toMatchObject({
      status: 'failed',
      error: { code: expected, retryable },
      hint: expect.stringMatching(/\w/) as string,
    });
    await waitFor(() => gateway.sandbox.twilio.stats().sockets.open === 0, 'the socket to close');
  });

  it('with a wrong secret is an authentication failure', async () => {
    gateway = await Gateway.create({ config: { apiSecret: 'not-the-secret' } });
    await expect(gateway.start()).rejects.toMatchObject({ code: 'AUTH_FAILED', retryable: false });
  });

  it.each([
    ['reset', 'UPSTREAM_UNAVAILABLE'],
    ['http', 'UPSTREAM_UNAVAILABLE'],
    ['silence', 'TIMEOUT'],
  ] as const)('against a platform that answers with %s fails and can be tried again', async (how, code) => {
    gateway = await Gateway.create({ clock: fastClock(20) });
    gateway.sandbox.twilio.injectFault({ kind: 'refuse-connections', how });
    await expect(gateway.start()).rejects.toMatchObject({ code, retryable: true });
    gateway.sandbox.twilio.heal();
    await gateway.start();
    expect(gateway.status).toBe('connected');
  });

  it('that is given up rejects soon and leaves nothing behind', async () => {
    gateway = await Gateway.create();
    gateway.sandbox.twilio.injectFault({ kind: 'refuse-connections', how: 'silence' });
    const abort = new AbortController();
    const starting = gateway.connector.start(abort.signal);
    abort.abort();
    await expect(starting).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    expect(gateway.status).toBe('stopped');
    await waitFor(() => gateway.sandbox.twilio.stats().sockets.open === 0, 'the socket to close');
  });

  it('while the conversations cannot be listed fails', async () => {
    gateway = await Gateway.create();
    gateway.conversation();
    // The SDK prints it whatever its log level is.
    const printed = jest.spyOn(console, 'error').mockReturnValue();
    const fault = {
      kind: 'request',
      target: 'tunnel',
      path: '/Users/.*/Conversations',
      status: 500,
    } as const;
    gateway.sandbox.twilio.injectFault(fault);
    await expect(gateway.start()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', retryable: true });
    expect(printed).toHaveBeenCalledTimes(1);
    printed.mockRestore();
    gateway.sandbox.twilio.heal();
    await gateway.start();
    await expectReceiving('after all');
  });

  it('twice is one start, and a stop in between is waited for', async () => {
    gateway = await Gateway.create();
    await Promise.all([gateway.start(), gateway.start()]);
    await gateway.start();
    await waitFor(() => gateway.sandbox.twilio.stats().sockets.open === 1, 'the socket to open');
    await Promise.all([gateway.connector.stop(), gateway.connector.stop()]);
    await gateway.start();
    expect(gateway.host.states.map(({ status }) => status)).toEqual([
      'starting',
      'connected',
      'stopped',
      'starting',
      'connected',
    ]);
  });
});

describe('token', () => {
  it('is refreshed by its own timer, before the platform asks', async () => {
    await running({ config: { tokenTtlSeconds: 30 }, clock: fastClock(20) });
    const before = gateway.sandbox.twilio.stats().counters;
    const count = (): number => gateway.sandbox.twilio.stats().counters['frame update'] ?? 0;
    await waitFor(() => count() >= 2, `two refreshes in ${JSON.stringify(before)}`);
    expect(gateway.host.states.at(-1)?.status).toBe('connected');
    await expectReceiving('still here');
  });

  it('is refreshed when the platform warns', async () => {
    await running();
    const expiry = (): unknown => gateway.connector.getSnapshot().details['tokenExpiresAt'];
    const before = expiry();
    // The end of a token's life is told in whole seconds.
    await waitFor(() => Date.now() % 1_000 > 10, 'time to pass');
    gateway.sandbox.twilio.injectFault({ kind: 'token-about-to-expire' });
    const count = (): number => gateway.sandbox.twilio.stats().counters['frame update'] ?? 0;
    await waitFor(() => count() === 1 && expiry() !== before, 'the refresh');
    await expectReceiving('still here');
  });

  it('that expires (close 410) is replaced and the connection comes back', async () => {
    await running();
    gateway.sandbox.twilio.injectFault({ kind: 'close-frame', status: 410 });
    await waitFor(() => gateway.status === 'reconnecting', 'the loss');
    await gateway.sms('meanwhile');
    await waitFor(() => gateway.status === 'connected', 'the way back', 15_000);
    await expectReceiving('afterwards');
    expect(gateway.texts()).toEqual(['meanwhile', 'afterwards']);
    expect(gateway.connector.getSnapshot().details['clientGeneration']).toBe(1);
  });

  it.each([true, false])(
    'whose life is shorter than it says is replaced in time, or after its end (warned: %s)',
    async (warns) => {
      await running();
      // The warning comes a quarter of the life before its end: time enough for an answer, on a busy machine too.
      gateway.sandbox.twilio.injectFault({ kind: 'token-life', seconds: warns ? 4 : 1, warns });
      gateway.sandbox.twilio.injectFault({ kind: 'drop' });
      const updates = (): number => gateway.sandbox.twilio.stats().counters['frame update'] ?? 0;
      const logins = (): number => gateway.sandbox.twilio.stats().counters['frame init'] ?? 0;
      const before = logins();
      // Each further token ends as soon.
      await waitFor(() => (warns ? updates() >= 3 : logins() >= before + 3), 'three short lives', 30_000);
      gateway.sandbox.twilio.heal();
      await waitFor(() => gateway.status === 'connected', 'the way back', 15_000);
      await expectReceiving('afterwards');
    },
  );

  it('whose refresh is cut off leaves a rejection behind, which is claimed', async () => {
    await running();
    const minted = jest.spyOn(TwilioTokenProvider.prototype, 'mint');
    gateway.sandbox.twilio.injectFault({ kind: 'token-about-to-expire' });
    gateway.sandbox.twilio.injectFault({ kind: 'half-open' });
    await waitFor(() => minted.mock.calls.length === 1, 'the refresh');
    minted.mockRestore();
    gateway.sandbox.twilio.heal();
    await waitFor(() => gateway.rejections.length > 0, 'the unhandled rejection');
    await waitFor(() => gateway.status === 'connected', 'the way back', 15_000);
    await expectReceiving('afterwards');
  });

  it.each<[string, readonly FaultInput[]]>([
    ...[20003, 20101, 20103, 20104, 20105, 20107, 20155, 20157, 51120, 59_999].map(
      (code): [string, FaultInput[]] => [
        `401/${code} at a reconnect`,
        [{ kind: 'refuse-token', on: 'init', status: 401, code, count: 1 }, { kind: 'drop' }],
      ],
    ),
    [
      '403 at a reconnect',
      [{ kind: 'refuse-token', on: 'init', status: 403, code: 20101, count: 1 }, { kind: 'drop' }],
    ],
    [
      '503/20101 at a reconnect',
      [{ kind: 'refuse-token', on: 'init', status: 503, code: 20101, count: 1 }, { kind: 'drop' }],
    ],
    ['close 401', [{ kind: 'close-frame', status: 401 }]],
  ])('that is refused once (%s) is replaced by a fresh one', async (_, faults) => {
    await running();
    for (const fault of faults) gateway.sandbox.twilio.injectFault(fault);
    await waitFor(() => gateway.status === 'reconnecting', 'the loss');
    await waitFor(() => gateway.status === 'connected', 'the way back', 15_000);
    await expectReceiving('afterwards');
    expect(gateway.host.states.map(({ status }) => status)).not.toContain('failed');
  });

  it('that is refused once at the start is replaced by a fresh one', async () => {
    gateway = await Gateway.create();
    gateway.sandbox.twilio.injectFault({
      kind: 'refuse-token',
      on: 'init',
      status: 401,
      code: 20101,
      count: 1,
    });
    await gateway.start();
    await expectReceiving('hello');
  });

  it.each<[string, readonly FaultInput[], string, boolean]>([
    ['close 406', [{ kind: 'close-frame', status: 406 }], 'UPSTREAM_UNAVAILABLE', true],
    [
      'a real refusal at a reconnect',
      [{ kind: 'refuse-token', on: 'init', status: 401, code: 20101 }, { kind: 'drop' }],
      'AUTH_FAILED',
      false,
    ],
    [
      'expiry again and again',
      [{ kind: 'refuse-token', on: 'init', status: 401, code: 20104 }, { kind: 'drop' }],
      'UPSTREAM_UNAVAILABLE',
      true,
    ],
  ])('%s is final for the client, and a new start works', async (_, faults, code, retryable) => {
    await running();
    for (const fault of faults) gateway.sandbox.twilio.injectFault(fault);
    await waitFor(() => gateway.status === 'failed', 'the failure', 15_000);
    expect(gateway.host.states.at(-1)).toMatchObject({ error: { code, retryable } });
    gateway.sandbox.twilio.heal();
    await gateway.sms('meanwhile');
    await gateway.start();
    await waitFor(() => gateway.texts().includes('meanwhile'), 'what came meanwhile');
  });
});

describe('connection', () => {
  it('that is half-open is found by the watchdog', async () => {
    await running({ clock: fastClock(20) });
    gateway.sandbox.twilio.injectFault({ kind: 'half-open' });
    await waitFor(() => gateway.status === 'failed', 'the watchdog');
    expect(gateway.host.states.at(-1)).toMatchObject({ error: { code: 'TIMEOUT', retryable: true } });
    await gateway.sms('meanwhile');
    gateway.sandbox.twilio.heal();
    await gateway.start();
    await waitFor(() => gateway.texts().includes('meanwhile'), 'what came meanwhile');
  });

  it('that does not come back is given up, so that a new client can try', async () => {
    await running({ clock: fastClock(50, 30_000) });
    gateway.sandbox.twilio.injectFault({ kind: 'refuse-connections' });
    gateway.sandbox.twilio.injectFault({ kind: 'drop' });
    await waitFor(() => gateway.status === 'failed', 'the end of patience');
    expect(gateway.host.states.map(({ status }) => status)).toContain('reconnecting');
    expect(gateway.host.states.at(-1)).toMatchObject({ error: { code: 'UPSTREAM_UNAVAILABLE' } });
  });

  it('is moved to a new client after a number of messages, under load and with nothing lost', async () => {
    const conversationSid = await running({ config: { replaceClientAfterMessages: 20 } });
    const generation = (): number => Number(gateway.connector.getSnapshot().details['clientGeneration']);
    const texts: string[] = [];
    while (generation() < 4 && texts.length < 5_000) {
      const text = `message ${texts.push('') - 1}`;
      texts.splice(-1, 1, text);
      await gateway.sms(text);
      const key = { idempotencyKey: text, mayHaveBeenSent: false };
      if (texts.length % 10 === 0) await gateway.connector.sendText(text, conversationSid, key);
    }
    expect(generation()).toBe(4);
    await waitFor(() => new Set(gateway.texts()).size === texts.length, 'all messages', 15_000);
    expect(gateway.texts()).toEqual(texts);
    expect(gateway.sent(conversationSid)).toEqual(texts.filter((_, i) => i % 10 === 9));
    await waitFor(() => gateway.sandbox.twilio.stats().sockets.open === 1, 'the old clients to go');
    expect(gateway.host.states.map(({ status }) => status)).toEqual(['starting', 'connected']);
  });

  it('is moved to a new client while the bus is away, too: what is pushed fills it', async () => {
    const conversationSid = await running({ config: { replaceClientAfterMessages: 100 } });
    gateway.host.holdPublishes();
    const texts = Array.from({ length: 150 }, (_, i) => `message ${i}`);
    for (const text of texts) await gateway.sms(text);
    const generation = (): number => Number(gateway.connector.getSnapshot().details['clientGeneration']);
    await waitFor(() => generation() > 1, 'another client');
    gateway.host.releasePublishes();
    await waitFor(() => gateway.texts(conversationSid).length >= texts.length, 'all messages');
    expect(gateway.texts(conversationSid)).toEqual(texts);
  });

  it('tells for a while after a client was put away that the SDK may leave rejections of it', async () => {
    await running({ config: { replaceClientAfterMessages: 20 } });
    expect(gateway.connector.isLeftover(new Error('the socket was closed'))).toBe(false);
    for (let i = 0; i < 20; i += 1) await gateway.sms(`message ${i}`);
    await waitFor(
      () => gateway.connector.isLeftover(new Error('the socket was closed')),
      'the first client to be put away',
    );
    await waitFor(() => gateway.sandbox.twilio.stats().sockets.open === 1, 'its socket to close');
    expect(gateway.connector.isLeftover(new Error('the socket was closed'))).toBe(true);
    await waitFor(() => !gateway.connector.isLeftover(new Error('the socket was closed')), 'peace');
  });

  it('can be stopped in any state', async () => {
    await running();
    gateway.sandbox.twilio.injectFault({ kind: 'refuse-connections', how: 'silence' });
    gateway.sandbox.twilio.injectFault({ kind: 'drop' });
    await waitFor(() => gateway.status === 'reconnecting', 'the loss');
    await gateway.connector.stop();
    expect(gateway.status).toBe('stopped');
    await waitFor(() => gateway.sandbox.twilio.stats().sockets.open === 0, 'the sockets to close');
  });
});

describe('webhook', () => {
  it('answers 503 while the bot cannot be added, and Twilio tries again', async () => {
    gateway = await Gateway.create();
    await gateway.start();
    const { twilio } = gateway.sandbox;
    // A list that shows the new conversation would add the bot without the webhook.
    await waitFor(() => (twilio.stats().counters['rest listConversations'] ?? 0) > 0, 'the first list');
    const fault = { kind: 'request', target: 'rest', method: 'POST', status: 500, count: 1 } as const;
    twilio.injectFault(fault);
    await expectReceiving('hello');
    const [first] = twilio.webhooks();
    const delivery = await twilio.waitForWebhook(({ id }) => id === first?.id);
    expect(delivery.attempts.map(({ status }) => status)).toEqual([503, 200]);
  });

  it('answers 503 while the connector is stopped', async () => {
    gateway = await Gateway.create();
    await gateway.sms('hello');
    const delivery = await gateway.sandbox.twilio.waitForWebhook(({ outcome }) => outcome === 'failed');
    expect(delivery.attempts.map(({ status }) => status)).toEqual([503, 503]);
  });
});

describe('snapshot', () => {
  it('is JSON without secrets', async () => {
    await running();
    await expectReceiving('hello');
    const json = JSON.stringify([
      gateway.connector.getSnapshot(),
      gateway.host.logger.entries,
      gateway.host.states,
    ]);
    const { apiSecret, authToken } = gateway.config;
    for (const secret of [apiSecret, authToken, '+15550100', 'eyJ']) expect(json).not.toContain(secret);
    expect(gateway.connector.getSnapshot()).toMatchObject({
      name: 'twilio',
      state: { status: 'connected' },
      counters: { received: 1 },
      lastMessageAt: expect.any(String) as string,
      details: { identity: gateway.config.identity, conversations: 1, clientGeneration: 1, webhook: true },
    });
  });
});
