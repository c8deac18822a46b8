import { type FaultInput } from '@bitbrat/sandbox';
import { fastClock, Gateway, type GatewayOptions, waitFor } from './twilio-world.js';

/** Header of a frame that pushes a change, with a payload of 2 bytes. */
const PUSH = JSON.stringify({
  method: 'notification',
  id: 'TM1',
  message_type: 'twilio.sync.event',
  payload_size: 2,
  payload_type: 'application/json',
});

type RequestFault = Extract<FaultInput, { kind: 'request' }>;

let gateway: Gateway;
let conversationSid: string;

/** Runs, with a conversation in which somebody has written. */
async function running(options: GatewayOptions = {}): Promise<void> {
  gateway = await Gateway.create(options);
  conversationSid = gateway.conversation();
  await gateway.start();
  await expectReceiving('before');
}

/** Works: the next message arrives. */
async function expectReceiving(text: string): Promise<void> {
  await gateway.sms(text);
  await waitFor(() => gateway.texts().includes(text), `the message "${text}"`, 15_000);
}

const back = (): Promise<void> => waitFor(() => gateway.status === 'connected', 'the way back', 15_000);
const lost = (): Promise<void> => waitFor(() => gateway.status === 'reconnecting', 'the loss');

const send = (text: string, mayHaveBeenSent = false): Promise<unknown> =>
  gateway.connector.sendText(text, conversationSid, { idempotencyKey: text, mayHaveBeenSent });

/** What is left of a wait since it was told: up to ten seconds have passed. */
const restOf = (ms: number): unknown => ({
  asymmetricMatch: (actual: unknown) => typeof actual === 'number' && actual >= ms - 10_000 && actual <= ms,
});

/** Each message once, though more than one road leads to it. */
const expectTexts = (...texts: string[]): void => {
  expect(gateway.texts()).toEqual(texts);
};

afterEach(async () => {
  await gateway.dispose();
});

describe('a connection', () => {
  it.each(['reset', 'close'] as const)('that is cut (%s) comes back and loses nothing', async (how) => {
    await running();
    gateway.sandbox.twilio.injectFault({ kind: 'drop', how });
    await lost();
    await gateway.sms('meanwhile');
    await back();
    await expectReceiving('after');
    expectTexts('before', 'meanwhile', 'after');
  });

  it('that comes back without a replay, and without a webhook, loses nothing', async () => {
    await running();
    gateway.sandbox.twilio.setWebhookUrl(undefined);
    gateway.sandbox.twilio.injectFault({ kind: 'no-replay' });
    gateway.sandbox.twilio.injectFault({ kind: 'drop' });
    await lost();
    await gateway.sms('meanwhile');
    await back();
    await expectReceiving('after');
    expectTexts('before', 'meanwhile', 'after');
  });

  it('that is moved to another server (close 308) goes on there', async () => {
    await running();
    gateway.sandbox.twilio.injectFault({ kind: 'close-frame', status: 308 });
    await lost();
    await gateway.sms('meanwhile');
    await back();
    await expectReceiving('after');
    expectTexts('before', 'meanwhile', 'after');
  });

  it.each([
    ['a header that is no object', 'TWILSOCK V3.0 4\r\nnull\r\n'],
    ['a close without a status', 'TWILSOCK V3.0 28\r\n{"method":"close","id":"TM"}\r\n'],
    ['a push without an event', `TWILSOCK V3.0 ${PUSH.length}\r\n${PUSH}\r\n{}`],
    ['a frame that is too large', 'x'.repeat(5 * 2 ** 20)],
  ])('whose frame the SDK cannot take (%s) ends, comes back and loses nothing', async (_, bytes) => {
    await running();
    const base64 = Buffer.from(bytes).toString('base64');
    gateway.sandbox.twilio.injectFault({ kind: 'raw', as: 'binary', base64 });
    await lost();
    await gateway.sms('meanwhile');
    await back();
    await expectReceiving('after');
    expectTexts('before', 'meanwhile', 'after');
  });

  it('whose renewed token is refused is made anew with nothing lost', async () => {
    await running();
    gateway.sandbox.twilio.injectFault({ kind: 'refuse-token', on: 'update', count: 1 });
    gateway.sandbox.twilio.injectFault({ kind: 'token-about-to-expire' });
    await lost();
    await gateway.sms('meanwhile');
    await back();
    await expectReceiving('after');
    expectTexts('before', 'meanwhile', 'after');
  });
});

describe('requests', () => {
  const request = { kind: 'request', target: 'tunnel' } as const;

  it('that are slow change nothing but the time', async () => {
    await running();
    gateway.sandbox.twilio.injectFault({ ...request, delayMs: 300 });
    const texts = ['one', 'two', 'three'];
    await Promise.all([...texts.map((text) => send(text)), expectReceiving('after')]);
    expect(gateway.sent(conversationSid)).toEqual(texts);
    expectTexts('before', 'after');
  });

  it.each<[string, Partial<RequestFault>, object]>([
    ['500', { status: 500 }, { code: 'UPSTREAM_UNAVAILABLE', retryable: true, retryAfterMs: undefined }],
    ['503', { status: 503 }, { code: 'UPSTREAM_UNAVAILABLE', retryable: true, retryAfterMs: undefined }],
    [
      '503 with Retry-After',
      { status: 503, retryAfterSeconds: 60 },
      { code: 'UPSTREAM_UNAVAILABLE', retryable: true, retryAfterMs: restOf(60_000) },
    ],
    ['429', { status: 429 }, { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 4_000 }],
    [
      '429 with Retry-After',
      { status: 429, retryAfterSeconds: 60 },
      { code: 'RATE_LIMITED', retryable: true, retryAfterMs: restOf(60_000) },
    ],
  ])('that are answered %s are told as such, and sent once by the next try', async (_, fault, expected) => {
    await running();
    const { id } = gateway.sandbox.twilio.injectFault({ ...request, operation: 'sendMessage', ...fault });
    await expect(send('once')).rejects.toMatchObject(expected);
    gateway.sandbox.twilio.heal(id ?? '');
    await send('once', true);
    expect(gateway.sent(conversationSid)).toEqual(['once']);
  });

  it.each<[string, Partial<RequestFault>]>([
    ['500', { status: 500 }],
    ['503', { status: 503 }],
    ['429 with Retry-After', { status: 429, retryAfterSeconds: 1 }],
  ])('that read and are answered %s are repeated until they bring the messages', async (_, fault) => {
    await running({ clock: fastClock(20) });
    gateway.sandbox.twilio.injectFault({ ...request, operation: 'getSyncListItems', count: 1, ...fault });
    await gateway.sms('one');
    await gateway.sms('two');
    await waitFor(() => gateway.texts().length === 3, 'all messages');
    expectTexts('before', 'one', 'two');
  });

  it.each<[string, Partial<RequestFault>]>([
    ['is lost', { status: 500 }],
    ['seems to be lost', { loseAnswer: 'drop' }],
  ])('whose read horizon %s lose nothing and change no order', async (_, fault) => {
    await running({ clock: fastClock(20) });
    await waitFor(() => gateway.horizon(conversationSid) === 0, 'the first horizon');
    gateway.sandbox.twilio.injectFault({ ...request, operation: 'setReadHorizon', count: 2, ...fault });
    await expectReceiving('one');
    await expectReceiving('two');
    await waitFor(() => gateway.horizon(conversationSid) === 2, 'the horizon behind the last', 15_000);
    expect([...new Set(gateway.texts())]).toEqual(['before', 'one', 'two']);
  });
});

describe('a webhook', () => {
  it.each<[string, FaultInput]>([
    ['comes late', { kind: 'webhook', action: 'delay', delayMs: 300 }],
    ['comes twice', { kind: 'webhook', action: 'duplicate' }],
  ])('that %s makes no second envelope', async (_, fault) => {
    gateway = await Gateway.create();
    await gateway.start();
    gateway.sandbox.twilio.injectFault(fault);
    await expectReceiving('hello');
    await expectReceiving('hello again');
    await waitFor(
      () => gateway.sandbox.twilio.webhooks().every(({ outcome }) => outcome === 'delivered'),
      'the last webhook',
    );
    expectTexts('hello', 'hello again');
  });
});
