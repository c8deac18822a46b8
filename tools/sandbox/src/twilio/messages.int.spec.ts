import { type Client, type Conversation, type Message } from '@twilio/conversations';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { connectRest, connectSdk, loaded, mintToken, nextEvent, settled } from './testing/sdk-client.js';

const PHONE = '+15550100';

describe('Conversations SDK: messages', () => {
  let sandbox: Sandbox;
  let client: Client;
  let sid: string;
  let conversation: Conversation;

  beforeEach(async () => {
    sandbox = await startSandbox();
    ({ conversationSid: sid } = await sandbox.twilio.receiveMessage({ from: PHONE, body: 'first' }));
    sandbox.twilio.addParticipant(sid, { identity: 'bitbrat' });
    client = connectSdk(sandbox);
    const joined = nextEvent<Conversation>(client, 'conversationJoined');
    await loaded(client);
    conversation = await joined;
  });
  afterEach(async () => {
    await client.shutdown();
    await sandbox.close();
  });

  it('initializes, receives and sends', async () => {
    expect(conversation.sid).toBe(sid);
    const added = nextEvent<Message>(client, 'messageAdded');
    await sandbox.twilio.receiveMessage({ from: PHONE, body: 'sécond 🚀' });
    const message = await added;
    expect([message.body, message.author, message.index]).toEqual(['sécond 🚀', PHONE, 1]);
    const sender = await message.getParticipant();
    expect(sender).toMatchObject({ type: 'sms', bindings: { sms: { address: PHONE } } });

    await expect(conversation.sendMessage('answer', { eventId: 'e1' })).resolves.toBe(2);
    const answer = await sandbox.twilio.waitForMessage(({ author }) => author === 'bitbrat');
    expect(answer).toMatchObject({ body: 'answer', index: 2, attributes: { eventId: 'e1' } });
  });

  it('pages by anchor in both directions', async () => {
    for (let index = 1; index < 25; index += 1) {
      await sandbox.twilio.receiveMessage({ from: PHONE, body: `message ${index}` });
    }
    const indexes = ({ items }: { items: Message[] }): number[] => items.map(({ index }) => index);
    const forward = await conversation.getMessages(10, 5, 'forward');
    expect(indexes(forward)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    expect(indexes(await forward.nextPage())).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
    expect(indexes(await conversation.getMessages(10))).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
    expect(indexes(await conversation.getMessages(10, 25, 'forward'))).toEqual([]);
    await expect(conversation.getMessagesCount()).resolves.toBe(25);
  });

  it('skips a deleted message when paging from its index', async () => {
    const { messageSid } = await sandbox.twilio.receiveMessage({ from: PHONE, body: 'gone' });
    await sandbox.twilio.receiveMessage({ from: PHONE, body: 'kept' });
    sandbox.twilio.deleteMessage(messageSid);
    const { items } = await conversation.getMessages(10, 1, 'forward');
    expect(items.map(({ index, body }) => [index, body])).toEqual([[2, 'kept']]);
  });

  it('keeps the read horizon for the next client', async () => {
    expect(conversation.lastReadMessageIndex).toBeNull();
    await sandbox.twilio.receiveMessage({ from: PHONE, body: 'second' });
    await expect(conversation.advanceLastReadMessageIndex(0)).resolves.toBe(1);
    await client.shutdown();

    client = connectSdk(sandbox);
    await loaded(client);
    const again = await client.getConversationBySid(sid);
    expect(again.lastReadMessageIndex).toBe(0);
    await expect(again.getUnreadMessagesCount()).resolves.toBe(1);
    const participants = sandbox.twilio.conversation(sid).participants;
    expect(
      participants.map(({ identity, lastReadMessageIndex }) => [identity, lastReadMessageIndex]),
    ).toEqual([
      [null, null],
      ['bitbrat', 0],
    ]);
  });

  it('joins a conversation that REST adds the bot to while connected', async () => {
    const { conversationSid } = await sandbox.twilio.receiveMessage({ from: '+15550101', body: 'earlier' });
    const joined = nextEvent<Conversation>(client, 'conversationJoined');
    await connectRest(sandbox)
      .conversations.v1.conversations(conversationSid)
      .participants.create({ identity: 'bitbrat' });
    const added = await joined;
    expect(added.sid).toBe(conversationSid);
    const { items } = await added.getMessages(10, 0, 'forward');
    expect(items.map(({ body }) => body)).toEqual(['earlier']);
    await settled(client);
  });

  it('lists more conversations than one page holds', async () => {
    for (let phone = 0; phone < 60; phone += 1) {
      const from = `+1555020${String(phone).padStart(4, '0')}`;
      const created = await sandbox.twilio.receiveMessage({ from, body: 'hi' });
      sandbox.twilio.addParticipant(created.conversationSid, { identity: 'reader' });
    }
    const fresh = connectSdk(sandbox, mintToken(sandbox, { identity: 'reader' }));
    await loaded(fresh);
    const first = await fresh.getSubscribedConversations();
    const second = await first.nextPage();
    expect([first.items.length, second.items.length, second.hasNextPage]).toEqual([50, 10, false]);
    await fresh.shutdown();
  });

  it('leaves a conversation that the bot is removed from', async () => {
    const left = nextEvent<Conversation>(client, 'conversationRemoved');
    sandbox.twilio.removeParticipant(sid, 'bitbrat');
    expect((await left).sid).toBe(sid);
    await expect(client.getConversationBySid(sid)).rejects.toMatchObject({
      status: 403,
      body: { code: 50430 },
    });
  });

  it('refuses an unknown conversation with 404', async () => {
    await expect(client.getConversationBySid(`CH${'0'.repeat(32)}`)).rejects.toMatchObject({
      status: 404,
      body: { code: 50350 },
    });
  });

  it.each([
    ['a text over 1,600 characters', 'x'.repeat(1_601), {}, 21617],
    ['attributes over 4 KB', 'x', { filler: 'y'.repeat(4_100) }, 20001],
    ['an empty text', '', {}, 20001],
  ])('refuses %s', async (_name, text, attributes, code) => {
    await expect(conversation.sendMessage(text, attributes)).rejects.toMatchObject({
      status: 400,
      body: { code },
    });
    expect(sandbox.twilio.messages(sid)).toHaveLength(1);
  });

  it('refuses to write to a number that has opted out, until it opts in', async () => {
    await sandbox.twilio.receiveMessage({ from: PHONE, body: 'Stop' });
    expect(sandbox.twilio.optOuts()).toEqual([PHONE]);
    await expect(conversation.sendMessage('hello?')).rejects.toMatchObject({ body: { code: 21610 } });
    sandbox.twilio.setOptOut(PHONE, false);
    await expect(conversation.sendMessage('hello!')).resolves.toBe(2);
  });

  it('tells what became of a message', async () => {
    const index = await conversation.sendMessage('answer');
    const { messageSid } = await sandbox.twilio
      .waitForMessage((message) => message.index === index)
      .then(({ sid: messageSid }) => ({ messageSid }));
    const { items } = await conversation.getMessages(10);
    expect(items.at(-1)?.aggregatedDeliveryReceipt).toMatchObject({
      total: 1,
      sent: 'all',
      delivered: 'none',
    });

    const updated = nextEvent<{ message: Message; updateReasons: string[] }>(client, 'messageUpdated');
    sandbox.twilio.setDelivery(messageSid, { status: 'undelivered', errorCode: 30003 });
    const { message, updateReasons } = await updated;
    expect(updateReasons).toContain('deliveryReceipt');
    expect(message.aggregatedDeliveryReceipt).toMatchObject({ undelivered: 'all' });
    const receipts = await message.getDetailedDeliveryReceipts();
    expect(receipts.map(({ status, errorCode }) => [status, errorCode])).toEqual([['undelivered', 30003]]);
  });

  it('delivers 1,000 messages once and in order', async () => {
    const seen: number[] = [];
    const done = nextEvent<Message>(client, 'messageAdded', ({ index }) => seen.push(index) === 1_000);
    for (let index = 1; index <= 1_000; index += 1) {
      await sandbox.twilio.receiveMessage({ from: PHONE, body: `message ${index}` });
    }
    await done;
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, position) => position + 1));
  });
});
