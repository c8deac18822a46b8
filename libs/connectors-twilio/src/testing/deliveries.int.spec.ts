import { type WebhookDelivery } from '@bitbrat/sandbox';
import { Gateway, waitFor } from './twilio-world.js';

let gateway: Gateway;

/** Sends a text; resolves with the SIDs of its messages. */
async function sent(text = 'hello'): Promise<readonly string[]> {
  gateway = await Gateway.create();
  const conversationSid = gateway.conversation();
  await gateway.start();
  const options = { idempotencyKey: 'e1', correlationId: 'c1', mayHaveBeenSent: false };
  return (await gateway.connector.sendText(text, conversationSid, options)).platformMessageIds;
}

/** Resolves with the finished webhook about the newest change of delivery. */
function told(count = 1): Promise<WebhookDelivery> {
  const { twilio } = gateway.sandbox;
  return twilio.waitFor(() => {
    const finished = twilio
      .webhooks()
      .filter(({ event, outcome }) => event === 'onDeliveryUpdated' && outcome !== 'pending');
    return finished.length >= count ? finished.at(-1) : undefined;
  }, `${count} webhooks`);
}

const statusesOf = ({ attempts }: WebhookDelivery): unknown[] => attempts.map(({ status }) => status);

afterEach(async () => {
  await gateway.dispose();
});

describe('delivery receipts', () => {
  it('are reported with the event that the message was sent for', async () => {
    const [messageSid = ''] = await sent();
    const { twilio } = gateway.sandbox;
    twilio.setDelivery(messageSid, { status: 'delivered' });
    twilio.setDelivery(messageSid, { status: 'read' });
    expect(statusesOf(await told(2))).toEqual([200]);
    const [conversation] = twilio.conversations();
    const receipt = {
      eventId: 'e1',
      correlationId: 'c1',
      part: 1,
      parts: 1,
      destination: conversation?.sid,
      platformMessageId: messageSid,
      occurredAt: expect.stringMatching(/Z$/) as string,
    };
    expect(gateway.host.receipts).toEqual([
      { ...receipt, status: 'delivered' },
      { ...receipt, status: 'read' },
    ]);
    expect(twilio.stats().counters['rest getMessage']).toBeUndefined();
  });

  it('say which part of a split text they are about, and why it failed', async () => {
    const [, second = ''] = await sent('x'.repeat(2_000));
    gateway.sandbox.twilio.setDelivery(second, { status: 'undelivered', errorCode: 30003 });
    await told();
    expect(gateway.host.receipts).toMatchObject([
      {
        part: 2,
        parts: 2,
        status: 'failed',
        error: { code: 'UNDELIVERED', nativeCode: '30003', retryable: false },
      },
    ]);
  });

  it('of what an earlier process has sent are recognised by the attributes', async () => {
    const [messageSid = ''] = await sent();
    await gateway.restart();
    gateway.sandbox.twilio.setDelivery(messageSid, { status: 'delivered' });
    expect(statusesOf(await told())).toEqual([200]);
    expect(gateway.host.receipts).toMatchObject([
      { eventId: 'e1', correlationId: 'c1', status: 'delivered' },
    ]);
    expect(gateway.sandbox.twilio.stats().counters['rest getMessage']).toBe(1);
  });

  it('are asked for again while the bus or the platform refuses', async () => {
    const [messageSid = ''] = await sent();
    const { twilio } = gateway.sandbox;
    gateway.host.failNextPublish();
    twilio.setDelivery(messageSid, { status: 'delivered' });
    expect(statusesOf(await told())).toEqual([500, 200]);
    await gateway.restart();
    twilio.injectFault({ kind: 'request', target: 'rest', operation: 'getMessage', status: 500, count: 1 });
    twilio.setDelivery(messageSid, { status: 'read' });
    expect(statusesOf(await told(2))).toEqual([503, 200]);
    expect(gateway.host.receipts.map(({ status }) => status)).toEqual(['read']);
  });

  it('are refused while the connector is stopped', async () => {
    const [messageSid = ''] = await sent();
    await gateway.connector.stop();
    gateway.sandbox.twilio.setDelivery(messageSid, { status: 'delivered' });
    expect(statusesOf(await told())).toEqual([503, 503]);
    expect(gateway.host.receipts).toEqual([]);
  });

  it('of messages that are not ours, and of what the sending has told, are none of our business', async () => {
    const [messageSid = ''] = await sent();
    const { twilio } = gateway.sandbox;
    const [conversation] = twilio.conversations();
    const attributes = JSON.stringify({ bitbrat: { eventId: 'forged', part: 1, parts: 1 } });
    const foreign = await gateway.writeByRest(conversation?.sid ?? '', {
      Author: 'agent',
      Body: 'hi',
      Attributes: attributes,
    });
    twilio.setDelivery(messageSid, { status: 'sent' });
    twilio.setDelivery(foreign, { status: 'delivered' });
    expect(statusesOf(await told(2))).toEqual([200]);
    const deleted = await gateway.writeByRest(conversation?.sid ?? '', {
      Author: gateway.config.identity,
      Body: 'x',
      Attributes: attributes,
    });
    twilio.injectFault({ kind: 'webhook', action: 'delay', event: 'onDeliveryUpdated', delayMs: 200 });
    twilio.setDelivery(deleted, { status: 'delivered' });
    twilio.deleteMessage(deleted);
    expect(statusesOf(await told(3))).toEqual([200]);
    expect(gateway.host.receipts).toEqual([]);
    await waitFor(() => twilio.webhooks().every(({ outcome }) => outcome !== 'pending'), 'the last webhook');
  });
});
