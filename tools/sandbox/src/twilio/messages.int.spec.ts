import { type Client, type Conversation, type Message } from '@twilio/conversations';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { connectSdk, nextEvent } from './sdk-client.e2e.js';

describe('Conversations SDK: messages', () => {
  let sandbox: Sandbox;
  let client: Client;
  let sid: string;
  let conversation: Conversation;

  beforeEach(async () => {
    sandbox = await startSandbox();
    ({ conversationSid: sid } = await sandbox.twilio.receiveMessage({ from: '+15550100', body: 'first' }));
    sandbox.twilio.addParticipant(sid, { identity: 'bitbrat' });
    client = connectSdk(sandbox);
    conversation = await nextEvent<Conversation>(client, 'conversationJoined');
  });
  afterEach(async () => {
    await client.shutdown();
    await sandbox.close();
  });

  it('initializes, receives and sends', async () => {
    expect(conversation.sid).toBe(sid);
    const added = nextEvent<Message>(client, 'messageAdded');
    await sandbox.twilio.receiveMessage({ from: '+15550100', body: 'sécond 🚀' });
    const message = await added;
    expect([message.body, message.author, message.index]).toEqual(['sécond 🚀', '+15550100', 1]);

    await expect(conversation.sendMessage('answer', { eventId: 'e1' })).resolves.toBe(2);
    const answer = await sandbox.twilio.waitForMessage(({ author }) => author === 'bitbrat');
    expect(answer).toMatchObject({ body: 'answer', index: 2, attributes: { eventId: 'e1' } });
  });
});
