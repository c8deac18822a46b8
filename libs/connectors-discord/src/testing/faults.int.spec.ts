import { type DiscordFaultInput } from '@bitbrat/sandbox';
import { fastClock, Gateway, type GatewayOptions, waitFor } from './discord-world.js';

let gateway: Gateway;

/** Runs, and somebody has written: the channel has a cursor. */
async function running(options: GatewayOptions = {}): Promise<void> {
  gateway = await Gateway.create(options);
  await gateway.start();
  gateway.write('before');
  await waitFor(() => gateway.texts().length === 1, 'the first message');
}

const inject = (...faults: readonly DiscordFaultInput[]): void => {
  for (const fault of faults) gateway.sandbox.discord.injectFault(fault);
};

const lost = (): Promise<void> => waitFor(() => gateway.status === 'reconnecting', 'the loss to be noticed');

/** Connected again, and nothing lost, doubled or out of order. */
async function expectAllOf(...texts: string[]): Promise<void> {
  await waitFor(() => gateway.status === 'connected', 'the connection to be back', 40_000);
  gateway.write('after');
  await waitFor(() => gateway.texts().includes('after'), 'the last message', 15_000);
  expect(gateway.texts()).toEqual(['before', ...texts, 'after']);
}

const send = (text: string, mayHaveBeenSent = false): Promise<unknown> =>
  gateway.connector.sendText(text, gateway.general, { idempotencyKey: text, mayHaveBeenSent });

const sent = (): string[] => gateway.sent().map(({ content }) => content);

afterEach(async () => {
  await gateway.dispose();
});

describe('a session', () => {
  it('that Discord calls invalid and leaves (op 9, resumable) is resumed', async () => {
    await running();
    inject({ kind: 'invalid-session', resumable: true });
    gateway.write('meanwhile');
    await waitFor(() => gateway.count('resume') === 1, 'the session to be resumed', 15_000);
    await expectAllOf('meanwhile');
    expect(gateway.count('identify')).toBe(1);
  });

  it.each([
    ['resume', 'close', { kind: 'drop' }],
    ['resume', 'invalid-session', { kind: 'drop' }],
    ['identify', 'close', { kind: 'lose-sessions' }],
    ['identify', 'invalid-session', { kind: 'lose-sessions' }],
  ] as const)(
    'that is refused at %s by %s comes back with nothing lost',
    async (on, how, loss) => {
      await running({ clock: fastClock(5) });
      inject({ kind: 'refuse-session', on, how, count: 1 }, loss);
      gateway.write('one');
      gateway.write('two');
      await waitFor(() => gateway.sandbox.discord.faults().length === 0, 'the refusal', 20_000);
      await expectAllOf('one', 'two');
    },
    45_000,
  );
});

describe('a connection', () => {
  it('that is not greeted (no HELLO) is given up for another one', async () => {
    await running();
    inject({ kind: 'no-hello', count: 1 }, { kind: 'drop' });
    gateway.write('meanwhile');
    await lost();
    await expectAllOf('meanwhile');
  }, 60_000); // the SDK waits 15 seconds for the HELLO

  it('whose heartbeats are not answered is given up for another one', async () => {
    await running({ sandbox: { heartbeatIntervalMs: 300 }, clock: fastClock(5) });
    inject({ kind: 'no-heartbeat-ack', count: 1 });
    await lost();
    gateway.write('meanwhile');
    await expectAllOf('meanwhile');
  });

  it.each([
    ['reset', 20],
    ['http', 20],
    // The SDK waits 10 seconds for an upgrade; the limit of a reconnect must stay well beyond that.
    ['silence', 10],
  ] as const)(
    'that is refused like every request (%s) comes back with nothing lost',
    async (how, factor) => {
      await running({ clock: fastClock(factor) });
      inject({ kind: 'refuse-connections', target: 'both', how }, { kind: 'drop' });
      gateway.write('meanwhile');
      await lost();
      const upgrades = gateway.count('upgrade');
      await waitFor(() => gateway.count('upgrade') > upgrades, 'a refused connect', 20_000);
      gateway.sandbox.discord.heal();
      await expectAllOf('meanwhile');
    },
    45_000,
  );
});

describe('requests', () => {
  it.each(['reset', 'http', 'silence'] as const)(
    'that nobody takes (%s) hold nothing up that comes in, and are sent once by the next try',
    async (how) => {
      await running({ config: { requestTimeoutSeconds: 1 }, clock: fastClock(20) });
      inject({ kind: 'refuse-connections', target: 'rest', how });
      await expect(send('once')).rejects.toMatchObject({ retryable: true });
      await expectAllOf();
      gateway.sandbox.discord.heal();
      await send('once', true);
      expect(sent()).toEqual(['once']);
    },
  );

  it('that are slow change nothing but the time', async () => {
    await running();
    inject({ kind: 'request', delayMs: 300 });
    const texts = ['one', 'two', 'three'];
    await Promise.all([...texts.map((text) => send(text)), expectAllOf()]);
    expect(sent()).toEqual(texts);
  });

  const limitOnce = (rateLimit: 'headers' | 'retry-after' | 'body' | 'bare'): void => {
    inject({
      kind: 'request',
      operation: 'createMessage',
      status: 429,
      rateLimit,
      retryAfterMs: 300,
      count: 1,
    });
  };

  it.each(['headers', 'retry-after'] as const)(
    'that are answered 429 with the delay in the %s are sent once when it is over',
    async (rateLimit) => {
      await running();
      limitOnce(rateLimit);
      await send('once');
      expect(sent()).toEqual(['once']);
    },
  );

  it.each(['body', 'bare'] as const)(
    'that are answered 429 in the form "%s" are told as such, and sent once by the next try',
    async (rateLimit) => {
      await running();
      limitOnce(rateLimit);
      await expect(send('once')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryable: true });
      await send('once', true);
      expect(sent()).toEqual(['once']);
    },
  );
});
