import { Gateway, waitFor } from './gateway.e2e.js';

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

  it('that the platform denies is remembered', async () => {
    const { twilio } = gateway.sandbox;
    twilio.setOptOut('+15550100', true);
    await expect(send('one')).rejects.toMatchObject({ code: 'RECIPIENT_OPTED_OUT', nativeCode: '21610' });
    await expect(send('two')).rejects.toMatchObject({ code: 'RECIPIENT_OPTED_OUT' });
    await gateway.restart();
    await expect(send('three')).rejects.toMatchObject({ code: 'RECIPIENT_OPTED_OUT' });
    expect(requests()).toBe(1);
  });

  it('that the platform denies after it has accepted the message is remembered', async () => {
    const [messageSid = ''] = (await send('one')).platformMessageIds;
    gateway.sandbox.twilio.setDelivery(messageSid, { status: 'undelivered', errorCode: 21610 });
    await gateway.sandbox.twilio.waitForWebhook(({ event }) => event === 'onDeliveryUpdated');
    expect(gateway.host.receipts).toMatchObject([
      { status: 'failed', error: { code: 'RECIPIENT_OPTED_OUT', nativeCode: '21610' } },
    ]);
    await expect(send('two')).rejects.toMatchObject({ code: 'RECIPIENT_OPTED_OUT' });
    expect(requests()).toBe(1);
  });

  it('that cannot be looked up holds nothing back', async () => {
    gateway.host.cursors.entries.set('consent:+15550100', 'out');
    gateway.host.cursors.failNext();
    await send('hello');
    expect(gateway.sent(conversationSid)).toEqual(['hello']);
  });
});
