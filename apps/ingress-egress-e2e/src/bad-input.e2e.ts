import { startInVain, startService } from './support/service.js';
import { type BusServer, startBusServer } from './support/bus-server.js';
import { waitUntil } from './support/wait-until.js';
import { World } from './support/world.js';

const FORM = 'application/x-www-form-urlencoded';

describe('bad input', () => {
  let server: BusServer | undefined;
  let world: World;

  beforeAll(async () => {
    server = await startBusServer('local');
    world = await World.start(server, { ECHO_BOT_ENABLED: 'false' });
  });
  afterAll(async () => {
    await world.stop();
    await server?.stop();
  });

  const post = async (body: string, headers: Record<string, string>): Promise<number> => {
    const response = await fetch(`${world.service.url}/webhooks/twilio`, { method: 'POST', body, headers });
    return response.status;
  };

  it.each([
    ['unsigned', 403, 'EventType=onMessageAdded', { 'content-type': FORM }],
    [
      'wrongly signed',
      403,
      'EventType=onMessageAdded',
      { 'content-type': FORM, 'x-twilio-signature': 'AAAA' },
    ],
    ['oversized', 413, 'x'.repeat(2_000_000), { 'content-type': FORM, 'x-twilio-signature': 'AAAA' }],
  ])('answers an %s webhook with %i', async (_name, status, body, headers) => {
    await expect(post(body, headers as Record<string, string>)).resolves.toBe(status);
  });

  it.each([
    ['not JSON', '{', 'NOT_JSON'],
    ['of an unknown version', '{"v":"9"}', 'UNKNOWN_VERSION'],
    [
      'without a target',
      '{"v":"1","id":"e","type":"chat.send.v1","text":"x","correlationId":"c"}',
      'INVALID',
    ],
  ])('dead-letters an egress event that is %s, with its bytes', async (_name, body, code) => {
    await world.bus.sendBytes(body);
    const letter = await waitUntil('the dead letter', () =>
      world.bus.deadLetters.find(({ error }) => error.code === code),
    );
    expect(Buffer.from(letter.bodyBase64, 'base64').toString()).toBe(body);
    expect(letter.origin.topic).toBe('internal.egress.v1.e2e');
  });

  it.each([
    ['an unknown connector', 'fax', 'x', 'failed', 'TARGET_NOT_FOUND'],
    ['an unknown conversation', 'twilio', `CH${'0'.repeat(32)}`, 'failed', 'TARGET_NOT_FOUND'],
    ['no conversation SID', 'twilio', '+15550100', 'failed', 'TARGET_NOT_FOUND'],
  ])('fails an event for %s at once, and says so', async (name, connector, destination, status, code) => {
    await world.bus.send({ id: name, target: { connector, destination } });
    const outcome = await waitUntil('the outcome', () =>
      world.bus.outcomes.find(({ eventId }) => eventId === name),
    );
    expect(outcome).toMatchObject({ status, attempts: 1, error: { code, retryable: false } });
    await waitUntil('the dead letter', () =>
      world.bus.deadLetters.find((letter) => Buffer.from(letter.bodyBase64, 'base64').includes(name)),
    );
  });

  it('suppresses an event for a number that has opted out', async () => {
    const { twilio } = world.sandbox;
    const receipt = await twilio.receiveMessage({ from: '+15550190', body: 'hi' });
    await waitUntil('the envelope', () =>
      world.bus.envelopes.find(({ id }) => id === `twilio:${receipt.messageSid}`),
    );
    twilio.setOptOut('+15550190', true);
    await world.bus.send({
      id: 'unwanted',
      target: { connector: 'twilio', destination: receipt.conversationSid },
    });
    const outcome = await waitUntil('the outcome', () =>
      world.bus.outcomes.find(({ eventId }) => eventId === 'unwanted'),
    );
    expect(outcome).toMatchObject({
      status: 'suppressed',
      attempts: 1,
      error: { code: 'RECIPIENT_OPTED_OUT' },
    });
    await waitUntil('the dead letter', () =>
      world.bus.deadLetters.find(({ error }) => error.code === 'RECIPIENT_OPTED_OUT'),
    );
    expect(twilio.messages(receipt.conversationSid)).toHaveLength(1);
  });

  it('publishes nothing of all that but what was written, and that somebody has opted out', async () => {
    await waitUntil('the consent', () =>
      world.bus.envelopes.find(({ metadata }) => metadata['consent'] === 'out'),
    );
    expect(world.bus.uniqueEnvelopes().map(({ text, type }) => [type, text])).toEqual([
      ['chat.message.v1', 'hi'],
      ['contact.consent.v1', ''],
    ]);
  });
});

describe('settings', () => {
  it('starts with no connector enabled, and says so', async () => {
    const service = await startService({ EGRESS_INSTANCE_ID: 'idle' });
    await service.ready();
    expect(service.logs).toContainEqual(expect.objectContaining({ message: 'service.no-connector' }));
    expect(await service.stop()).toBe(0);
  });

  it('stops the boot with one message that lists every fault, and no value', async () => {
    const { code, said } = await startInVain({
      TWILIO_ENABLED: 'true',
      TWILIO_ACCOUNT_SID: 'not-a-sid',
      TWILIO_API_KEY: 'SK-very-secret',
      LOG_LEVEL: 'loud',
    });
    expect(code).toBe(78);
    for (const variable of [
      'LOG_LEVEL',
      'TWILIO_ACCOUNT_SID',
      'TWILIO_AUTH_TOKEN',
      'TWILIO_API_KEY',
      'TWILIO_API_SECRET',
      'TWILIO_CHAT_SERVICE_SID',
      'TWILIO_IDENTITY',
    ]) {
      expect(said).toContain(`${variable}: expected`);
    }
    expect(said).not.toMatch(/not-a-sid|very-secret/);
  });

  it('names a port that is in use', async () => {
    const first = await startService({ EGRESS_INSTANCE_ID: 'first' });
    await first.ready();
    const { port } = new URL(first.url);
    const { code, said } = await startInVain({ PORT: port, LOG_LEVEL: 'error' });
    expect(code).toBe(1);
    expect(said).toContain(`port ${port} is in use`);
    await first.stop();
  });
});
