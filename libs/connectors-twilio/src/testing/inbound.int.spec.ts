import { fastClock, Gateway, type GatewayOptions, textsOf, waitFor } from './twilio-world.js';

let gateway: Gateway;

async function running(options: GatewayOptions = {}): Promise<Gateway> {
  gateway = await Gateway.create(options);
  await gateway.start();
  return gateway;
}

afterEach(async () => {
  await gateway.dispose();
});

describe('a conversation of which no webhook has told', () => {
  it('is joined at the start: a new number has written while the service was down', async () => {
    gateway = await Gateway.create();
    const { conversationSid, messageSid } = await gateway.sms('is anybody there?');
    const { twilio } = gateway.sandbox;
    const refused = await twilio.waitForWebhook(({ event }) => event === 'onMessageAdded');
    expect(refused.attempts.map(({ status }) => status)).toEqual([503, 503]);
    await gateway.start();
    await waitFor(() => gateway.host.published.length === 1, 'the envelope');
    expect(gateway.host.published[0]).toMatchObject({ id: `twilio:${messageSid}`, from: '+15550100' });
    await waitFor(() => gateway.horizon(conversationSid) === 0, 'the read horizon');
    expect(gateway.host.logger.entries).toContainEqual({
      level: 'info',
      event: 'twilio.conversations-found',
      fields: { found: 1 },
    });
  });

  it('is joined though it stands on a later page of the list', async () => {
    gateway = await Gateway.create();
    gateway.sandbox.twilio.setWebhookUrl(undefined);
    const { messageSid } = await gateway.sms('the oldest');
    for (let i = 0; i < 100; i += 1) gateway.sandbox.twilio.createConversation();
    await gateway.start();
    await waitFor(() => gateway.host.published.length === 1, 'the envelope', 20_000);
    expect(gateway.host.published[0]?.id).toBe(`twilio:${messageSid}`);
    expect(gateway.sandbox.twilio.stats().counters['rest listConversations']).toBe(2);
  });

  it('is joined by the sweep: every webhook was lost while the service ran', async () => {
    await running({ config: { sweepSeconds: 1 } });
    gateway.sandbox.twilio.injectFault({ kind: 'webhook', action: 'lose' });
    const texts = Array.from({ length: 10 }, (_, i) => `message ${i}`);
    for (const [i, text] of texts.entries()) await gateway.sms(text, `+1555${2000 + i}000`);
    await waitFor(() => gateway.host.published.length === texts.length, 'all envelopes');
    expect(gateway.texts().sort()).toEqual([...texts].sort());
    expect(gateway.sandbox.twilio.stats().counters['rest createParticipant']).toBe(texts.length);
  });

  it.each([429, 500])('is joined by a later sweep where the platform has answered %i', async (status) => {
    gateway = await Gateway.create({ config: { sweepSeconds: 1 } });
    gateway.sandbox.twilio.setWebhookUrl(undefined);
    await gateway.sms('hello');
    const fault = { kind: 'request', target: 'rest', count: 1, retryAfterSeconds: 1, status } as const;
    gateway.sandbox.twilio.injectFault({ ...fault, operation: 'listConversations' });
    gateway.sandbox.twilio.injectFault({ ...fault, operation: 'createParticipant' });
    await gateway.start();
    await waitFor(() => gateway.host.published.length === 1, 'the envelope');
    const events = gateway.host.logger.entries.map(({ event }) => event);
    expect(events.filter((event) => event === 'twilio.reconcile-failed')).not.toEqual([]);
    expect(events.filter((event) => event === 'twilio.join-failed')).toHaveLength(1);
  });

  it('stays without the bot that a person has removed', async () => {
    await running({ config: { sweepSeconds: 1 } });
    const { twilio } = gateway.sandbox;
    twilio.setWebhookUrl(undefined);
    const lists = (): number => twilio.stats().counters['rest listConversations'] ?? 0;
    // A pass that sees the conversation before the SDK has told of it would add the bot, which is there already.
    await waitFor(() => lists() > 0, 'the first pass');
    const conversationSid = gateway.conversation();
    const before = lists();
    await waitFor(() => lists() >= before + 2, 'a pass that has seen it');
    twilio.removeParticipant(conversationSid, gateway.config.identity);
    const removed = lists();
    await waitFor(() => lists() >= removed + 3, 'further passes');
    expect(twilio.stats().counters['rest createParticipant']).toBeUndefined();
  });
});

describe('inbound', () => {
  it.each(['form', 'json'] as const)(
    'reads the first SMS of a new number, written before the bot had joined by a webhook (%s)',
    async (webhookFormat) => {
      await running({ sandbox: { webhookFormat } });
      const { conversationSid, messageSid } = await gateway.sms('hello 👋');
      await waitFor(() => gateway.host.published.length === 1, 'the envelope');
      expect(gateway.host.published[0]).toMatchObject({
        id: `twilio:${messageSid}`,
        from: '+15550100',
        text: 'hello 👋',
        channel: { id: conversationSid, kind: 'conversation', name: '+15550100' },
        metadata: { channelType: 'sms', proxyAddress: '+15550199', messageIndex: 0 },
      });
      await waitFor(() => gateway.horizon(conversationSid) === 0, 'the read horizon');
    },
  );

  it('reads WhatsApp and the messages of chat participants, never its own', async () => {
    await running();
    const { twilio } = gateway.sandbox;
    const { conversationSid } = await gateway.sms('hola', 'whatsapp:+15550101');
    await waitFor(() => gateway.host.published.length === 1, 'the WhatsApp message');
    twilio.addParticipant(conversationSid, { identity: 'agent' });
    await gateway.connector.sendText('from the bot', conversationSid, {
      idempotencyKey: 'k1',
      mayHaveBeenSent: false,
    });
    await twilio.receiveMessage({ author: 'agent', conversationSid, body: 'from a colleague' });
    await waitFor(() => gateway.host.published.length === 2, 'the chat message');
    expect(
      gateway.host.published.map(({ from, metadata, text }) => [from, metadata['channelType'], text]),
    ).toEqual([
      ['+15550101', 'whatsapp', 'hola'],
      ['agent', 'chat', 'from a colleague'],
    ]);
    await waitFor(() => gateway.horizon(conversationSid) === 2, 'the horizon past the own message');
    expect(gateway.connector.getSnapshot().counters).toMatchObject({ received: 2, ignored: 1, sent: 1 });
  });

  it('hands on the media of an MMS with a URL that works', async () => {
    await running();
    const base64 = Buffer.from('pixels').toString('base64');
    const media = { contentType: 'image/png', filename: 'pic.png', base64 };
    await gateway.sandbox.twilio.receiveMessage({ from: '+15550100', media });
    await waitFor(() => gateway.host.published.length === 1, 'the MMS');
    const [envelope] = gateway.host.published;
    expect(envelope).toMatchObject({
      text: '',
      attachments: [{ contentType: 'image/png', fileName: 'pic.png', size: 6 }],
    });
    const response = await fetch(envelope?.attachments[0]?.url ?? '');
    expect(await response.text()).toBe('pixels');
  });

  it('does not lose an MMS whose media service is down', async () => {
    await running({ clock: fastClock(20) });
    gateway.sandbox.twilio.injectFault({ kind: 'request', target: 'media', status: 500 });
    const media = { contentType: 'image/png', filename: 'pic.png', base64: 'cGl4ZWxz' };
    await gateway.sandbox.twilio.receiveMessage({ from: '+15550100', body: 'see', media });
    await waitFor(() => gateway.host.published.length === 1, 'the MMS');
    expect(gateway.host.published[0]).toMatchObject({
      text: 'see',
      attachments: [],
      metadata: { unavailableMedia: [{ contentType: 'image/png', fileName: 'pic.png', size: 6 }] },
    });
  });

  it('keeps the order of 50 conversations side by side', async () => {
    await running();
    const phones = Array.from({ length: 50 }, (_, i) => `+155501${String(i).padStart(2, '0')}`);
    const expected = Array.from({ length: 10 }, (_, i) => `message ${i}`);
    const sids = new Map<string, string>();
    for (const text of expected) {
      for (const phone of phones) sids.set(phone, (await gateway.sms(text, phone)).conversationSid);
    }
    await waitFor(() => gateway.host.published.length >= 500, 'all messages', 60_000);
    for (const sid of sids.values()) expect(gateway.texts(sid)).toEqual(expected);
  }, 90_000);

  it('finds by its sweep what neither a push nor a webhook has told', async () => {
    await running({ clock: fastClock(20) });
    const conversationSid = gateway.conversation();
    await waitFor(() => gateway.connector.getSnapshot().details['conversations'] === 1, 'the conversation');
    const { twilio } = gateway.sandbox;
    twilio.setWebhookUrl(undefined);
    const events = ['list_item_added', 'document_updated'];
    twilio.injectFault({ kind: 'lose-push', events, replay: false });
    await gateway.sms('one');
    await gateway.sms('two');
    await waitFor(() => gateway.host.published.length === 2, 'both messages');
    expect(gateway.texts(conversationSid)).toEqual(['one', 'two']);
  });

  it('loses nothing to dropped connections whose events are not replayed', async () => {
    await running();
    const { twilio } = gateway.sandbox;
    twilio.setWebhookUrl(undefined);
    const phones = ['+15550100', '+15550101', '+15550102'];
    const sids = phones.map((phone) => gateway.conversation(phone));
    await waitFor(() => gateway.connector.getSnapshot().details['conversations'] === 3, 'conversations');
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 20; i += 1) {
        for (const phone of phones) await gateway.sms(`${round}.${i}`, phone);
        if (i === 5) twilio.injectFault({ kind: 'drop', replay: false });
      }
      await waitFor(() => gateway.host.published.length >= (round + 1) * 60, `round ${round}`, 15_000);
    }
    const expected = [0, 1, 2].flatMap((round) => Array.from({ length: 20 }, (_, i) => `${round}.${i}`));
    for (const sid of sids) expect(gateway.texts(sid)).toEqual(expected);
    expect(gateway.connector.getSnapshot().counters.reconnects).toBeGreaterThan(0);
  });

  it('leaves the horizon where a publish has failed, and tries again', async () => {
    await running({ clock: fastClock(20) });
    gateway.host.failNextPublish(2);
    const conversationSid = gateway.conversation();
    for (const text of ['one', 'two', 'three']) await gateway.sms(text);
    await waitFor(() => gateway.horizon(conversationSid) === 2, 'the horizon behind the last message');
    expect([...new Set(gateway.texts(conversationSid))].sort()).toEqual(['one', 'three', 'two']);
    expect(gateway.host.logger.entries.map(({ event }) => event)).toContain('twilio.read-failed');
  });

  it('goes on from the horizon after a restart, and reads what came meanwhile', async () => {
    await running();
    const conversationSid = gateway.conversation();
    await gateway.sms('before');
    await waitFor(() => gateway.horizon(conversationSid) === 0, 'the horizon');
    await gateway.connector.stop();
    await gateway.sms('while away');
    const { connector, host } = gateway.restarted();
    await connector.start(new AbortController().signal);
    await gateway.sandbox.twilio.receiveMessage({ from: '+15550100', body: 'after' });
    await waitFor(() => host.published.length === 2, 'both messages');
    expect(textsOf(host, conversationSid)).toEqual(['while away', 'after']);
    await connector.stop();
    expect(gateway.texts(conversationSid)).toEqual(['before']);
  });

  it('lets in only who is on the list, and reads past the others', async () => {
    await running({ config: { allowedSenders: ['+15550101', 'chat:agent'] } });
    const conversationSid = gateway.conversation();
    await gateway.sms('let me in');
    await gateway.sms('hello', '+15550101');
    await waitFor(() => gateway.host.published.length === 1, 'the allowed message');
    await waitFor(() => gateway.horizon(conversationSid) === 0, 'the horizon past the refused one');
    expect(gateway.texts()).toEqual(['hello']);
    expect(gateway.connector.getSnapshot().counters.ignored).toBe(1);
    expect(JSON.stringify(gateway.host.logger.entries)).not.toContain('+15550100"');
  });

  it('reads past a deleted message', async () => {
    gateway = await Gateway.create();
    const conversationSid = gateway.conversation();
    const receipts = [];
    for (const text of ['one', 'two', 'three']) receipts.push(await gateway.sms(text));
    gateway.sandbox.twilio.deleteMessage(receipts[1]?.messageSid ?? '');
    await gateway.start();
    await gateway.sms('four');
    await waitFor(() => gateway.host.published.length === 3, 'what is left');
    expect(gateway.texts(conversationSid)).toEqual(['one', 'three', 'four']);
  });

  it('publishes nothing after its stop', async () => {
    await running();
    await gateway.sms('before');
    await waitFor(() => gateway.host.published.length === 1, 'the first message');
    await gateway.connector.stop();
    const { conversationSid } = await gateway.sms('after');
    await gateway.sandbox.twilio.waitForMessage(({ body }) => body === 'after');
    expect(gateway.texts(conversationSid)).toEqual(['before']);
    await waitFor(() => gateway.sandbox.twilio.stats().sockets.open === 0, 'the socket to close');
    expect(gateway.status).toBe('stopped');
  });
});
