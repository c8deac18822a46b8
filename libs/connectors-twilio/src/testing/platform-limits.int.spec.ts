import { systemClock } from '@bitbrat/foundation';
import { Gateway, type GatewayOptions, waitFor } from './twilio-world.js';

const HOUR = 3_600_000;

let gateway: Gateway;

async function running(options: GatewayOptions = {}): Promise<void> {
  gateway = await Gateway.create(options);
  await gateway.start();
}

/** Subjects that the connector reports as failing. */
function problems(): string[] {
  const state = gateway.host.states.at(-1);
  return state?.status === 'connected' ? (state.problems ?? []).map(({ subject }) => subject) : [];
}

const counter = (name: string): number => gateway.sandbox.twilio.stats().counters[name] ?? 0;

afterEach(async () => {
  await gateway.dispose();
});

it('an identity in too many conversations is reported, and hears everyone when there is room again', async () => {
  await running({ sandbox: { conversationLimit: 1 }, config: { sweepSeconds: 5 } });
  const first = await gateway.sms('first', '+15550101');
  await waitFor(() => gateway.texts().includes('first'), 'the first message');
  for (const [i, text] of ['second', 'third'].entries()) await gateway.sms(text, `+1555020${i}`);
  await waitFor(() => problems().includes('identity bitbrat'), 'the report');
  const attempts = counter('rest createParticipant');
  expect(attempts).toBeLessThanOrEqual(5);
  expect(gateway.connector.getSnapshot().details).toMatchObject({ pendingJoins: 2 });
  gateway.sandbox.twilio.deleteConversation(first.conversationSid);
  await waitFor(() => gateway.texts().length === 2, 'one of those who waited');
  expect(gateway.texts()).toEqual(['first', 'second']);
});

it.each([50400, 50430] as const)('a send refused with %i joins again and is made once', async (code) => {
  await running();
  const conversationSid = gateway.conversation();
  await gateway.sms('hello');
  await waitFor(() => gateway.texts().includes('hello'), 'the message');
  const refusal = { kind: 'request', target: 'tunnel', operation: 'sendMessage' } as const;
  gateway.sandbox.twilio.injectFault({ ...refusal, status: 403, code, count: 1 });
  await gateway.connector.sendText('answer', conversationSid, {
    idempotencyKey: 'answer',
    mayHaveBeenSent: false,
  });
  expect(gateway.sent(conversationSid)).toEqual(['answer']);
});

it.each([20409, undefined])('a 409 to the joining (code %p) is tried again', async (code) => {
  await running();
  gateway.sandbox.twilio.injectFault({
    kind: 'request',
    target: 'rest',
    operation: 'createParticipant',
    status: 409,
    count: 1,
    ...(code === undefined ? {} : { code }),
  });
  await gateway.sms('hello');
  await waitFor(() => gateway.texts().includes('hello'), 'the first message');
});

it.each([403, 404, 499])('a read horizon refused with %i has nothing published twice', async (status) => {
  await running({ config: { sweepSeconds: 5 } });
  const conversationSid = gateway.conversation();
  gateway.sandbox.twilio.injectFault({
    kind: 'request',
    target: 'tunnel',
    operation: 'setReadHorizon',
    status,
  });
  const texts = Array.from({ length: 5 }, (_, i) => `message ${i}`);
  for (const text of texts) {
    await gateway.sms(text);
    await waitFor(() => gateway.texts(conversationSid).includes(text), text);
  }
  await waitFor(() => status === 499 || problems().includes('read horizon'), 'the report');
  expect(gateway.texts(conversationSid)).toEqual(texts);
});

it('a hundred new numbers at once are all heard, and no webhook fails, slow as joining may be', async () => {
  // A busy machine may need longer than the platform waits, whatever the connector does.
  await running({ sandbox: { webhookTimeoutMs: 60_000 } });
  const slow = { kind: 'request', target: 'rest', operation: 'createParticipant' } as const;
  gateway.sandbox.twilio.injectFault({ ...slow, delayMs: 500 });
  const numbers = Array.from({ length: 100 }, (_, i) => `+1555${3_000_000 + i}`);
  await Promise.all(numbers.map((number) => gateway.sms(`from ${number}`, number)));
  await waitFor(() => gateway.texts().length === numbers.length, 'all messages', 60_000);
  expect(new Set(gateway.texts()).size).toBe(numbers.length);
  const errors = gateway.sandbox.twilio
    .webhooks()
    .flatMap(({ attempts }) => attempts.filter((a) => a.status !== 200));
  expect(errors).toEqual([]);
}, 90_000);

it.each([-36, -1.5, 1.5, 36])(
  'messages are heard by a machine whose clock is %d hours wrong',
  async (hours) => {
    const clock = { ...systemClock, now: () => Date.now() + hours * HOUR };
    await running({ clock, config: { historyHours: 1 } });
    await gateway.sms('hello');
    await waitFor(() => gateway.texts().includes('hello'), 'the message');
    expect(gateway.connector.getSnapshot().details).toMatchObject({ passedOver: 0 });
    expect(Number(gateway.connector.getSnapshot().details['clockAheadMs']) / HOUR).toBeCloseTo(hours, 1);
  },
);

it('what is older than the history bound is counted and reported as a gap', async () => {
  gateway = await Gateway.create({ config: { historyHours: 1 } });
  const conversationSid = gateway.conversation();
  const dateCreated = new Date(Date.now() - 2 * HOUR).toISOString();
  await gateway.sandbox.twilio.receiveMessage({
    from: '+15550100',
    conversationSid,
    body: 'old',
    dateCreated,
  });
  await gateway.sms('new');
  await gateway.start();
  await waitFor(() => gateway.host.states.some((state) => 'gap' in state), 'the gap');
  const gap = gateway.host.states.flatMap((state) => ('gap' in state ? state.gap : []))[0];
  expect(gap).toMatchObject({ lost: 1, from: dateCreated, to: dateCreated });
  expect(gateway.texts()).toEqual(['new']);
});
