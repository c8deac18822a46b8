import { Gateway, waitFor } from './twilio-world.js';

let gateway: Gateway;
let conversationSid: string;

beforeEach(async () => {
  gateway = await Gateway.create();
  conversationSid = gateway.conversation();
  await gateway.start();
});

afterEach(async () => {
  await gateway.dispose();
});

const send = (text: string): ReturnType<Gateway['connector']['sendText']> =>
  gateway.connector.sendText(text, conversationSid, { idempotencyKey: text, mayHaveBeenSent: false });

/** Requests to send that have reached the platform. */
const requests = (): number => gateway.sandbox.twilio.stats().counters['tunnel sendMessage'] ?? 0;

/** What is noted of the phone. */
const noted = (): string | undefined => gateway.host.cursors.entries.get('consent:+15550100');

/** What is not waited for has ended, where nothing holds it up. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The phone's participant. */
const participantSid = (): string | undefined =>
  gateway.sandbox.twilio
    .conversation(conversationSid)
    .participants.find(({ address }) => address === '+15550100')?.sid;

/** The event of an opt-out that the platform has told by refusing a message. */
function denial(envelope: object = {}, metadata: object = {}): object {
  return {
    v: '1',
    id: expect.any(String) as string,
    type: 'contact.consent.v1',
    source: 'twilio',
    from: '+15550100',
    sender: { id: '+15550100', displayName: '+15550100', roles: [], isBot: false },
    channel: expect.objectContaining({ id: conversationSid, kind: 'conversation' }) as object,
    text: '',
    attachments: [],
    occurredAt: expect.stringMatching(/Z$/) as string,
    receivedAt: expect.stringMatching(/Z$/) as string,
    correlationId: expect.any(String) as string,
    replyTo: {
      topic: gateway.host.egressTopic,
      connector: 'twilio',
      destination: conversationSid,
    },
    metadata: {
      conversationSid,
      channelType: 'sms',
      participantSid: participantSid(),
      proxyAddress: expect.stringMatching(/^\+/) as string,
      consent: 'out',
      nativeCode: '21610',
      ...metadata,
    },
    ...envelope,
  };
}

/** Statuses that the newest webhook about a receipt was answered with, once `count` of them have ended. */
async function receiptWebhook(count = 1): Promise<unknown[]> {
  const { twilio } = gateway.sandbox;
  const ended = await twilio.waitFor(() => {
    const all = twilio
      .webhooks()
      .filter(({ event, outcome }) => event === 'onDeliveryUpdated' && outcome !== 'pending');
    return all.length >= count ? all.at(-1) : undefined;
  }, `${count} webhooks`);
  return ended.attempts.map(({ status }) => status);
}

/** A person writes a consent word; resolves when its event is on the bus. */
async function write(word: string): Promise<void> {
  const { messageSid } = await gateway.sms(word);
  await waitFor(
    () => gateway.host.published.some(({ id }) => id === `twilio:${messageSid}:consent`),
    `the consent event of ${word}`,
  );
}

describe('consent', () => {
  it('is told by an event of its own behind the message', async () => {
    for (const word of ['Stop', 'help', 'START']) await write(word);
    await gateway.sms('go on, do not stop');
    await waitFor(() => gateway.host.published.length === 7, 'all envelopes');
    expect(
      gateway.host.published.map(({ metadata, text, type }) => [type, text, metadata['consent']]),
    ).toEqual([
      ['chat.message.v1', 'Stop', 'out'],
      ['contact.consent.v1', '', 'out'],
      ['chat.message.v1', 'help', 'help'],
      ['contact.consent.v1', '', 'help'],
      ['chat.message.v1', 'START', 'in'],
      ['contact.consent.v1', '', 'in'],
      ['chat.message.v1', 'go on, do not stop', undefined],
    ]);
  });

  it('taken back holds messages back without asking the platform, until it is given again', async () => {
    await send('before');
    await write('STOP');
    const refusal = { code: 'RECIPIENT_OPTED_OUT', retryable: false };
    await expect(send('too late')).rejects.toMatchObject(refusal);
    await gateway.restart();
    await expect(send('after a restart')).rejects.toMatchObject(refusal);
    expect(requests()).toBe(1);
    await write('UNSTOP');
    await send('welcome back');
    expect(gateway.sent(conversationSid)).toEqual(['before', 'welcome back']);
    expect(JSON.stringify(gateway.host.logger.entries)).not.toContain('+15550100');
  });

  it('counts from those, too, who are not let in', async () => {
    await gateway.connector.stop();
    await gateway.dispose();
    gateway = await Gateway.create({ config: { allowedSenders: ['+15550101'] } });
    conversationSid = gateway.conversation();
    await gateway.start();
    await gateway.sms('STOP');
    await waitFor(() => gateway.horizon(conversationSid) === 0, 'the message to be read');
    await expect(send('hello')).rejects.toMatchObject({ code: 'RECIPIENT_OPTED_OUT' });
    expect([requests(), gateway.host.published]).toEqual([0, []]);
  });

  it('that the platform denies is remembered, and told once', async () => {
    const { twilio } = gateway.sandbox;
    twilio.setOptOut('+15550100', true);
    await expect(send('one')).rejects.toMatchObject({ code: 'RECIPIENT_OPTED_OUT', nativeCode: '21610' });
    await expect(send('two')).rejects.toMatchObject({ code: 'RECIPIENT_OPTED_OUT' });
    await waitFor(() => noted() === 'out', 'the note');
    expect(gateway.host.published).toEqual([denial()]);
    expect(gateway.host.published[0]?.id).toMatch(/^twilio:CH[0-9a-f]{32}:consent:[0-9a-f-]{36}$/);
    await gateway.restart();
    await expect(send('three')).rejects.toMatchObject({ code: 'RECIPIENT_OPTED_OUT' });
    expect(gateway.host.published).toEqual([]);
    expect(requests()).toBe(1);
  });

  it('that the platform denies after it has accepted the message is remembered, and told once', async () => {
    const [messageSid = ''] = (await send('one')).platformMessageIds;
    const { twilio } = gateway.sandbox;
    twilio.setDelivery(messageSid, { status: 'undelivered', errorCode: 21610 });
    expect(await receiptWebhook()).toEqual([200]);
    expect(gateway.host.receipts).toMatchObject([
      { status: 'failed', error: { code: 'RECIPIENT_OPTED_OUT', nativeCode: '21610' } },
    ]);
    await expect(send('two')).rejects.toMatchObject({ code: 'RECIPIENT_OPTED_OUT' });
    expect(requests()).toBe(1);
    twilio.setDelivery(messageSid, { status: 'failed', errorCode: 21610 });
    expect(await receiptWebhook(2)).toEqual([200]);
    expect(gateway.host.published).toEqual([
      denial({ id: `twilio:${messageSid}:consent:${participantSid()}` }, { messageSid }),
    ]);
  });

  it('that the platform denies is told again where its phone cannot be read at first', async () => {
    const [messageSid = ''] = (await send('one')).platformMessageIds;
    const { twilio } = gateway.sandbox;
    twilio.injectFault({
      kind: 'request',
      target: 'rest',
      operation: 'getParticipant',
      status: 500,
      count: 1,
    });
    twilio.setDelivery(messageSid, { status: 'undelivered', errorCode: 21610 });
    expect(await receiptWebhook()).toEqual([503, 200]);
    expect(gateway.host.published).toMatchObject([{ type: 'contact.consent.v1', from: '+15550100' }]);
    expect(noted()).toBe('out');
  });

  it('that the platform denies is given up where its phone has left the conversation', async () => {
    const [messageSid = ''] = (await send('one')).platformMessageIds;
    const { twilio } = gateway.sandbox;
    twilio.removeParticipant(conversationSid, '+15550100');
    twilio.setDelivery(messageSid, { status: 'undelivered', errorCode: 21610 });
    expect(await receiptWebhook()).toEqual([200]);
    expect([gateway.host.published, noted()]).toEqual([[], undefined]);
    expect(gateway.host.logger.entries).toContainEqual(
      expect.objectContaining({ level: 'warn', event: 'twilio.opt-out-unknown' }),
    );
  });

  it('that the platform denies while the bus is away holds up nothing, and is noted with its event', async () => {
    gateway.sandbox.twilio.setOptOut('+15550100', true);
    gateway.host.holdPublishes();
    await expect(send('one')).rejects.toMatchObject({ nativeCode: '21610' });
    await expect(send('two')).rejects.toMatchObject({ code: 'RECIPIENT_OPTED_OUT' });
    expect([gateway.host.published, noted(), requests()]).toEqual([[], undefined, 1]);
    gateway.host.releasePublishes();
    await waitFor(() => noted() === 'out', 'the note');
    expect(gateway.host.published).toEqual([denial()]);
  });

  it('that the platform denies and the bus refuses is neither noted nor lost', async () => {
    gateway.sandbox.twilio.setOptOut('+15550100', true);
    gateway.host.failNextPublish();
    await expect(send('one')).rejects.toMatchObject({ nativeCode: '21610' });
    await settled();
    expect([gateway.host.published, noted()]).toEqual([[], undefined]);
    await expect(send('one')).rejects.toMatchObject({ nativeCode: '21610' });
    await waitFor(() => noted() === 'out', 'the note');
    expect(gateway.host.published).toEqual([denial()]);
    expect(requests()).toBe(2);
  });

  it('that the platform denies for those who are not let in is noted, and not told', async () => {
    await gateway.dispose();
    gateway = await Gateway.create({ config: { allowedSenders: ['+15550101'] } });
    conversationSid = gateway.conversation();
    await gateway.start();
    gateway.sandbox.twilio.setOptOut('+15550100', true);
    await expect(send('one')).rejects.toMatchObject({ nativeCode: '21610' });
    await waitFor(() => noted() === 'out', 'the note');
    expect(gateway.host.published).toEqual([]);
  });

  it('that the platform denies for one event twice is one event', async () => {
    gateway.sandbox.twilio.setOptOut('+15550100', true);
    await expect(send('one')).rejects.toMatchObject({ nativeCode: '21610' });
    await waitFor(() => noted() === 'out', 'the note');
    const [first] = gateway.host.published;
    gateway.host.cursors.entries.clear();
    await gateway.restart();
    await expect(send('one')).rejects.toMatchObject({ nativeCode: '21610' });
    await waitFor(() => noted() === 'out', 'the second note');
    const { id, correlationId } = first ?? {};
    expect(gateway.host.published).toMatchObject([{ id, correlationId }]);
  });

  it('that the platform denies anew, after it was given again, is another event', async () => {
    const { twilio } = gateway.sandbox;
    twilio.setOptOut('+15550100', true);
    await expect(send('one')).rejects.toMatchObject({ nativeCode: '21610' });
    await waitFor(() => noted() === 'out', 'the note');
    await write('START');
    twilio.setOptOut('+15550100', true);
    await expect(send('two')).rejects.toMatchObject({ nativeCode: '21610' });
    await waitFor(() => noted() === 'out', 'the second note');
    expect(gateway.host.published.map(({ metadata }) => metadata['consent'])).toEqual([
      'out',
      'in',
      'in',
      'out',
    ]);
    expect(new Set(gateway.host.published.map(({ id }) => id)).size).toBe(4);
  });

  it('that the platform denies for one of several phones is neither noted nor told', async () => {
    const { twilio } = gateway.sandbox;
    const { identity } = gateway.config;
    const participants = [{ address: '+15550101' }, { address: '+15550102' }, { identity }];
    conversationSid = twilio.createConversation({ friendlyName: 'three', participants }).sid;
    twilio.setOptOut('+15550101', true);
    await expect(send('one')).rejects.toMatchObject({ nativeCode: '21610' });
    await expect(send('two')).rejects.toMatchObject({ nativeCode: '21610' });
    await settled();
    const notes = [...gateway.host.cursors.entries.keys()].filter((key) => key !== 'owed-joins');
    expect([gateway.host.published, notes, requests()]).toEqual([[], [], 2]);
  });

  it('that cannot be looked up holds nothing back', async () => {
    gateway.host.cursors.entries.set('consent:+15550100', 'out');
    gateway.host.cursors.failNext();
    await send('hello');
    expect(gateway.sent(conversationSid)).toEqual(['hello']);
  });
});
