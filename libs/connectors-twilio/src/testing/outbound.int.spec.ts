import { type SendOptions } from '@bitbrat/connectors-core';
import { fastClock, Gateway, type GatewayOptions } from './twilio-world.js';

let gateway: Gateway;

async function running(options: GatewayOptions = {}): Promise<string> {
  gateway = await Gateway.create(options);
  const conversationSid = gateway.conversation();
  await gateway.start();
  return conversationSid;
}

const options = (overrides: Partial<SendOptions> = {}): SendOptions => ({
  idempotencyKey: 'reply:twilio:IM1',
  mayHaveBeenSent: false,
  ...overrides,
});

afterEach(async () => {
  await gateway.dispose();
});

describe('outbound', () => {
  it("sends a text with the event's id in the attributes and tells the message's SID", async () => {
    const conversationSid = await running();
    const receipt = await gateway.connector.sendText('hello', conversationSid, options());
    const [message] = gateway.sandbox.twilio.messages(conversationSid);
    expect(message).toMatchObject({
      author: gateway.config.identity,
      body: 'hello',
      attributes: { bitbrat: { eventId: 'reply:twilio:IM1', part: 1, parts: 1 } },
    });
    expect(receipt).toEqual({ platformMessageIds: [message?.sid], duplicate: false });
  });

  it('splits a long text at the limit of 1,600 and keeps the order', async () => {
    const conversationSid = await running();
    const text = '👩‍👩‍👧‍👦 '.repeat(500);
    const { platformMessageIds } = await gateway.connector.sendText(text, conversationSid, options());
    const sent = gateway.sent(conversationSid);
    expect(sent.join('')).toBe(text);
    expect(Math.max(...sent.map((part) => part?.length ?? 0))).toBeLessThanOrEqual(1_600);
    expect(platformMessageIds).toEqual(
      gateway.sandbox.twilio.messages(conversationSid).map(({ sid }) => sid),
    );
  });

  it('sends calls for one conversation in their order', async () => {
    const conversationSid = await running();
    const texts = Array.from({ length: 20 }, (_, i) => `answer ${i}`);
    const { connector } = gateway;
    const send = (text: string): Promise<unknown> =>
      connector.sendText(text, conversationSid, options({ idempotencyKey: text }));
    await Promise.all(texts.map(send));
    expect(gateway.sent(conversationSid)).toEqual(texts);
  });

  it('finds by the attributes what an earlier process has sent', async () => {
    const conversationSid = await running();
    const first = await gateway.connector.sendText('once', conversationSid, options());
    const { connector } = gateway.restarted();
    await connector.start(new AbortController().signal);
    const again = await connector.sendText('once', conversationSid, options({ mayHaveBeenSent: true }));
    await connector.stop();
    expect(again).toEqual({ platformMessageIds: first.platformMessageIds, duplicate: true });
    expect(gateway.sent(conversationSid)).toEqual(['once']);
  });

  it('finds what an earlier process has sent though nobody suspects it, and asks once for each conversation', async () => {
    const conversationSid = await running();
    const first = await gateway.connector.sendText('once', conversationSid, options());
    const { connector } = gateway.restarted();
    await connector.start(new AbortController().signal);
    const lists = (): number => gateway.sandbox.twilio.stats().counters['rest listMessages'] ?? 0;
    const before = lists();
    await connector.sendText('another', conversationSid, options({ idempotencyKey: 'another' }));
    const again = await connector.sendText('once', conversationSid, options());
    await connector.stop();
    expect(again).toEqual({ platformMessageIds: first.platformMessageIds, duplicate: true });
    expect(gateway.sent(conversationSid)).toEqual(['once', 'another']);
    expect(lists() - before).toBe(1);
  });

  it('sends to a conversation for the first time although it cannot be read', async () => {
    const conversationSid = await running();
    gateway.sandbox.twilio.injectFault({
      kind: 'request',
      target: 'rest',
      operation: 'listMessages',
      status: 500,
    });
    await gateway.connector.sendText('hello', conversationSid, options());
    expect(gateway.sent(conversationSid)).toEqual(['hello']);
  });

  it('answers a repeated key of this process without asking anybody', async () => {
    const conversationSid = await running();
    const send = (): ReturnType<Gateway['connector']['sendText']> =>
      gateway.connector.sendText('once', conversationSid, options());
    const [first, second] = await Promise.all([send(), send()]);
    expect([first.duplicate, second.duplicate]).toEqual([false, true]);
    expect(gateway.sent(conversationSid)).toEqual(['once']);
  });

  it.each(['drop', 'silence'] as const)(
    'takes a message whose answer was lost (%s) for sent, once it has found it',
    async (loseAnswer) => {
      const conversationSid = await running({ clock: fastClock(20) });
      const fault = { kind: 'request', target: 'tunnel', operation: 'sendMessage', count: 1 } as const;
      gateway.sandbox.twilio.injectFault({ ...fault, loseAnswer });
      const receipt = await gateway.connector.sendText('once', conversationSid, options());
      expect(receipt.platformMessageIds).toHaveLength(1);
      expect(gateway.sent(conversationSid)).toEqual(['once']);
    },
  );

  it('sends only the parts that are missing', async () => {
    const conversationSid = await running();
    const text = 'x'.repeat(4_000);
    const { twilio } = gateway.sandbox;
    await gateway.connector.sendText('warm up', conversationSid, options({ idempotencyKey: 'other' }));
    const count = twilio.stats().counters['tunnel sendMessage'];
    expect(count).toBe(1);
    const fault = { kind: 'request', target: 'tunnel', operation: 'sendMessage', status: 429 } as const;
    const send = (mayHaveBeenSent: boolean): ReturnType<Gateway['connector']['sendText']> =>
      gateway.connector.sendText(text, conversationSid, options({ mayHaveBeenSent }));
    const sending = send(false);
    await twilio.waitForMessage(({ body }) => body?.startsWith('x') === true);
    twilio.injectFault({ ...fault, count: 1 });
    await expect(sending).rejects.toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    const { platformMessageIds } = await send(true);
    expect(platformMessageIds).toHaveLength(3);
    expect(gateway.sent(conversationSid).slice(1).join('')).toBe(text);
  });

  it('joins a conversation that the bot is not in, and sends', async () => {
    await running();
    const { twilio } = gateway.sandbox;
    twilio.setWebhookUrl(undefined);
    const { sid } = twilio.createConversation({ participants: [{ address: '+15550107' }] });
    await gateway.connector.sendText('hello', sid, options());
    expect(gateway.sent(sid)).toEqual(['hello']);
  });

  it.each([
    ['an unknown conversation', `CH${'0'.repeat(32)}`, 'TARGET_NOT_FOUND'],
    ['no conversation SID', '+15550100', 'TARGET_NOT_FOUND'],
  ])('refuses %s', async (_, destination, code) => {
    await running();
    await expect(gateway.connector.sendText('hello', destination, options())).rejects.toMatchObject({
      code,
      retryable: false,
    });
  });

  it('tells that the recipient has opted out', async () => {
    const conversationSid = await running();
    gateway.sandbox.twilio.setOptOut('+15550100', true);
    await expect(gateway.connector.sendText('hello', conversationSid, options())).rejects.toMatchObject({
      code: 'RECIPIENT_OPTED_OUT',
      nativeCode: '21610',
    });
    expect(gateway.connector.getSnapshot().counters).toMatchObject({ sent: 0, sendFailures: 1 });
  });

  it('refuses attachments, empty texts and given-up calls', async () => {
    const conversationSid = await running();
    const { connector } = gateway;
    const attachments = [{ url: 'https://bot.example/pic.png' }];
    await expect(connector.sendText('a', conversationSid, options({ attachments }))).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await expect(connector.sendText(' \n', conversationSid, options())).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
    });
    const signal = AbortSignal.abort();
    await expect(connector.sendText('a', conversationSid, options({ signal }))).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    expect(gateway.sent(conversationSid)).toEqual([]);
  });

  it('is not connected before its start and after its stop', async () => {
    gateway = await Gateway.create();
    const conversationSid = gateway.conversation();
    const send = (): Promise<unknown> => gateway.connector.sendText('a', conversationSid, options());
    await expect(send()).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await gateway.start();
    await gateway.connector.stop();
    await expect(send()).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
  });
});
