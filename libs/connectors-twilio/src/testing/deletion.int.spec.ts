import { Gateway, waitFor } from './twilio-world.js';

let gateway: Gateway;

/** A gateway that has read one message, and hears what the platform pushes. */
async function running(): Promise<string> {
  gateway = await Gateway.create({ config: { sweepSeconds: 1 } });
  const { conversationSid } = await gateway.sms('first');
  await gateway.start();
  await waitFor(() => gateway.horizon(conversationSid) === 0, 'the read horizon');
  const subscriptions = (): number => gateway.sandbox.twilio.stats().counters['tunnel subscribe'] ?? 0;
  await waitFor(() => subscriptions() > 0, 'the subscriptions');
  return conversationSid;
}

function losePushOfRemoval(): void {
  gateway.sandbox.twilio.injectFault({ kind: 'lose-push', events: ['map_item_removed'], replay: false });
}

afterEach(async () => {
  await gateway.dispose();
});

describe('a conversation that is deleted', () => {
  it.each([true, false])('is read once more at the most (the SDK is told: %s)', async (isTold) => {
    const conversationSid = await running();
    const { twilio } = gateway.sandbox;
    if (!isTold) losePushOfRemoval();
    twilio.deleteConversation(conversationSid);
    const next = await gateway.sms('second');
    await waitFor(() => gateway.texts().length === 2, 'the message in the new conversation');
    expect(gateway.host.published[1]?.channel.id).toBe(next.conversationSid);
    const known = (): unknown => gateway.connector.getSnapshot().details['conversations'];
    await waitFor(() => known() === 1, 'the deletion to be noticed');
    const sweeps = (): number => twilio.stats().counters['rest listConversations'] ?? 0;
    const before = sweeps();
    await waitFor(() => sweeps() >= before + 3, 'further sweeps');
    const gone = gateway.host.logger.entries.filter(({ event }) => event === 'twilio.conversation-gone');
    expect(gone.length).toBeLessThanOrEqual(1);
    expect(known()).toBe(1);
    expect(gateway.connector.getSnapshot().state.status).toBe('connected');
  });

  it('is forgotten where the SDK was still subscribing to it', async () => {
    await running();
    const { twilio } = gateway.sandbox;
    losePushOfRemoval();
    for (let i = 0; i < 5; i += 1) {
      const { conversationSid } = await gateway.sms('hello', `+1555020${i}`);
      await waitFor(() => gateway.texts(conversationSid).length === 1, 'its message');
      twilio.deleteConversation(conversationSid);
    }
    const known = (): unknown => gateway.connector.getSnapshot().details['conversations'];
    const sweeps = (): number => twilio.stats().counters['rest listConversations'] ?? 0;
    const swept = sweeps();
    await waitFor(() => sweeps() >= swept + 3, 'further sweeps');
    expect(known()).toBe(1);
  });

  it.each([true, false])('refuses a text for good (the SDK is told: %s)', async (isTold) => {
    const conversationSid = await running();
    if (!isTold) losePushOfRemoval();
    gateway.sandbox.twilio.deleteConversation(conversationSid);
    for (const mayHaveBeenSent of [false, true]) {
      const options = { idempotencyKey: String(mayHaveBeenSent), mayHaveBeenSent };
      await expect(gateway.connector.sendText('too late', conversationSid, options)).rejects.toMatchObject({
        code: 'TARGET_NOT_FOUND',
        retryable: false,
      });
    }
  });
});
