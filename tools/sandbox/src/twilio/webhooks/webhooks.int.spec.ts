import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import twilio from 'twilio';
import { type Sandbox, startSandbox } from '../../sandbox-server.js';
import { connectRest } from '../testing/sdk-client.js';

const TOKEN = 'sandbox-auth-token';

interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('webhooks', () => {
  let sandbox: Sandbox;
  let server: Server;
  let origin: string;
  let received: Received[];
  let statuses: number[];

  beforeEach(async () => {
    received = [];
    statuses = [];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = `${origin}${request.url ?? ''}`;
        received.push({ url, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
        const status = statuses.shift() ?? 200;
        if (status === 0) request.socket.destroy();
        else response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // it listens on TCP
    origin = `http://127.0.0.1:${port}`;
    sandbox = await startSandbox({ twilio: { webhookUrl: `${origin}/webhooks/twilio` } });
  });
  afterEach(async () => {
    await sandbox.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const fieldsOf = ({ body }: Received): Record<string, string> =>
    Object.fromEntries(new URLSearchParams(body));
  const signatureOf = ({ headers }: Received): string => String(headers['x-twilio-signature']);
  const finished = (count: number): Promise<true> =>
    sandbox.twilio.waitFor(
      () =>
        sandbox.twilio.webhooks().filter(({ outcome }) => outcome !== 'pending').length >= count || undefined,
      `${count} webhooks`,
    );

  it('announces a new conversation and its first message, signed, as forms', async () => {
    const message = await sandbox.twilio.receiveMessage({ from: '+15550100', body: 'Grüße & co 🚀' });
    await finished(2);
    const forms = received.map(fieldsOf);
    expect(forms[0]).toMatchObject({
      EventType: 'onConversationAdded',
      ConversationSid: message.conversationSid,
      'MessagingBinding.Address': '+15550100',
      'MessagingBinding.ProxyAddress': '+15550199',
      Source: 'SMS',
    });
    expect(forms[1]).toMatchObject({
      EventType: 'onMessageAdded',
      ConversationSid: message.conversationSid,
      MessageSid: message.messageSid,
      Index: '0',
      Author: '+15550100',
      Body: 'Grüße & co 🚀',
    });
    for (const each of received) {
      expect(twilio.validateRequest(TOKEN, signatureOf(each), each.url, fieldsOf(each))).toBe(true);
      expect(twilio.validateRequest('another', signatureOf(each), each.url, fieldsOf(each))).toBe(false);
    }
  });

  it('signs JSON by the hash of its body', async () => {
    sandbox.twilio.setWebhookUrl(`${origin}/webhooks/twilio?a=b`, 'json');
    await sandbox.twilio.receiveMessage({ from: 'whatsapp:+15550100', body: 'hi' });
    await finished(2);
    for (const each of received) {
      expect(each.url).toContain('?a=b&bodySHA256=');
      expect(twilio.validateRequestWithBody(TOKEN, signatureOf(each), each.url, each.body)).toBe(true);
      expect(twilio.validateRequestWithBody(TOKEN, signatureOf(each), each.url, `${each.body} `)).toBe(false);
    }
    expect(JSON.parse(received[1]?.body ?? '')).toMatchObject({ Author: 'whatsapp:+15550100' });
  });

  it.each([
    ['a 500', 500],
    ['a dropped connection', 0],
  ])('comes once more after %s', async (_name, status) => {
    statuses = [status];
    await sandbox.twilio.receiveMessage({ from: '+15550100', body: 'hi' });
    await finished(2);
    const [first, second, third] = received;
    expect(received).toHaveLength(3);
    expect(first?.headers['i-twilio-idempotency-token']).toBe(second?.headers['i-twilio-idempotency-token']);
    expect(third?.headers['i-twilio-idempotency-token']).not.toBe(
      second?.headers['i-twilio-idempotency-token'],
    );
    const outcomes = sandbox.twilio.webhooks().map(({ outcome, attempts }) => [outcome, attempts.length]);
    expect(outcomes).toEqual([
      ['delivered', 2],
      ['delivered', 1],
    ]);
  });

  it('gives up after the second failure, and at once after a 403', async () => {
    statuses = [500, 500, 403];
    await sandbox.twilio.receiveMessage({ from: '+15550100', body: 'hi' });
    await finished(2);
    const outcomes = sandbox.twilio.webhooks().map(({ outcome, attempts }) => [outcome, attempts.length]);
    expect(outcomes).toEqual([
      ['failed', 2],
      ['failed', 1],
    ]);
  });

  it('gives up waiting for an answer', async () => {
    await sandbox.close();
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo; // it listens on TCP
    sandbox = await startSandbox({
      twilio: {
        webhookUrl: `http://127.0.0.1:${port}/`,
        webhookTimeoutMs: 50,
        webhookEvents: ['onMessageAdded'],
      },
    });
    await sandbox.twilio.receiveMessage({ from: '+15550100', body: 'hi' });
    const delivery = await sandbox.twilio.waitForWebhook(() => true);
    expect(delivery).toMatchObject({
      outcome: 'failed',
      attempts: [{ status: undefined }, { status: undefined }],
    });
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('is lost, late or doubled on demand', async () => {
    sandbox.twilio.injectFault({ kind: 'webhook', action: 'lose', event: 'onConversationAdded', count: 1 });
    sandbox.twilio.injectFault({ kind: 'webhook', action: 'duplicate', event: 'onMessageAdded', count: 1 });
    await sandbox.twilio.receiveMessage({ from: '+15550100', body: 'hi' });
    await finished(2);
    expect(received.map((each) => fieldsOf(each)['EventType'])).toEqual(['onMessageAdded', 'onMessageAdded']);
    expect(sandbox.twilio.webhooks()[0]?.outcome).toBe('lost');
  });

  it('tells of REST changes only when asked to, and of deliveries', async () => {
    const { sid } = sandbox.twilio.createConversation({ participants: [{ address: '+15550100' }] });
    const { messages } = connectRest(sandbox).conversations.v1.conversations(sid);
    await messages.create({ body: 'silent' });
    const loud = await messages.create({ body: 'loud', xTwilioWebhookEnabled: 'true' });
    sandbox.twilio.setDelivery(loud.sid, { status: 'delivered' });
    await finished(3);
    const told = received
      .map(fieldsOf)
      .map(({ EventType, MessageSid, Status }) => [EventType, MessageSid, Status]);
    expect(told).toEqual([
      ['onConversationAdded', undefined, undefined],
      ['onMessageAdded', loud.sid, undefined],
      ['onDeliveryUpdated', loud.sid, 'delivered'],
    ]);
  });
});
