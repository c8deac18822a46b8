import { type Client, type Conversation, type Message } from '@twilio/conversations';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { connectSdk, loaded, nextEvent, settled } from './testing/sdk-client.js';

const PHONE = '+15550100';

describe('Conversations SDK: faults', () => {
  let sandbox: Sandbox;
  let client: Client;
  let conversation: Conversation;
  let seen: string[];

  const write = (body: string): Promise<unknown> => sandbox.twilio.receiveMessage({ from: PHONE, body });
  const messageAdded = (body: string): Promise<Message> =>
    nextEvent<Message>(client, 'messageAdded', (message) => message.body === body);
  const state = (wanted: string): Promise<string> =>
    nextEvent<string>(client, 'connectionStateChanged', (now) => now === wanted);
  /** A message that the client has announced proves that its subscriptions stand. */
  const probe = async (): Promise<void> => {
    const added = messageAdded('probe');
    await write('probe');
    await added;
    seen.length = 0;
  };

  beforeEach(async () => {
    sandbox = await startSandbox();
    const { conversationSid } = await sandbox.twilio.receiveMessage({ from: PHONE, body: 'first' });
    sandbox.twilio.addParticipant(conversationSid, { identity: 'bitbrat' });
    client = connectSdk(sandbox);
    const joined = nextEvent<Conversation>(client, 'conversationJoined');
    await loaded(client);
    conversation = await joined;
    seen = [];
    client.on('messageAdded', ({ body }) => seen.push(body ?? ''));
    await probe();
  });
  afterEach(async () => {
    sandbox.twilio.heal();
    await client.shutdown();
    await sandbox.close();
  });

  it.each(['reset', 'close'] as const)('drop (%s): what was missed is replayed in order', async (how) => {
    expect(sandbox.twilio.injectFault({ kind: 'drop', how })).toEqual({ id: null, sockets: 1 });
    await write('missed 1');
    await write('missed 2');
    await messageAdded('missed 2');
    expect(seen).toEqual(['missed 1', 'missed 2']);
  });

  it('drop without replay: what was missed is never announced', async () => {
    sandbox.twilio.injectFault({ kind: 'drop', replay: false });
    await write('missed');
    await state('connected');
    const later = messageAdded('later');
    await write('later');
    await later;
    expect(seen).toEqual(['later']);

    sandbox.twilio.injectFault({ kind: 'drop' });
    await write('latest');
    await messageAdded('latest');
    expect(seen).toEqual(['later', 'latest']);
    const { items } = await conversation.getMessages(10, 2, 'forward');
    expect(items[0]?.body).toBe('missed');
  });

  it('no-replay: a server that forgot the log', async () => {
    sandbox.twilio.injectFault({ kind: 'no-replay', count: 1 });
    sandbox.twilio.injectFault({ kind: 'drop' });
    await write('missed');
    await state('connected');
    await sandbox.twilio.waitFor(
      () => sandbox.twilio.faults().length === 0 || undefined,
      'the fault to strike',
    );
    await write('later');
    await messageAdded('later');
    expect(seen).toEqual(['later']);
  });

  it.each(['reset', 'http'] as const)(
    'refuse-connections (%s): the client comes back when it heals',
    async (how) => {
      sandbox.twilio.injectFault({ kind: 'refuse-connections', how, count: 3 });
      sandbox.twilio.injectFault({ kind: 'drop' });
      await write('missed');
      await messageAdded('missed');
      expect(sandbox.twilio.stats().counters['socket upgrades']).toBe(5);
      expect(sandbox.twilio.faults()).toEqual([]);
    },
  );

  it('half-open: the client believes itself connected until the socket is reset', async () => {
    expect(sandbox.twilio.injectFault({ kind: 'half-open' })).toEqual({ id: null, sockets: 1 });
    await write('unheard');
    expect(sandbox.twilio.stats().sockets).toEqual({ open: 1, silent: 1 });
    let answered = false;
    const settled = conversation.getMessagesCount().then(
      () => (answered = true),
      () => (answered = true),
    );
    const other = connectSdk(sandbox);
    await loaded(other);
    await other.shutdown();
    expect([client.connectionState, seen, answered]).toEqual(['connected', [], false]);
    sandbox.twilio.heal();
    await messageAdded('unheard');
    await settled;
  });

  it('lose-push: one message is never announced, the server still has it', async () => {
    sandbox.twilio.injectFault({ kind: 'lose-push', count: 1 });
    await write('unannounced');
    await write('announced');
    await messageAdded('announced').catch(() => undefined);
    expect(seen).toEqual(['announced']);
    const { items } = await conversation.getMessages(10, 2, 'forward');
    expect(items.map(({ body }) => body)).toEqual(['unannounced', 'announced']);
  });

  it('request: fails, is slow, and loses its answer', async () => {
    const fault = { kind: 'request', target: 'tunnel', operation: 'sendMessage', count: 1 } as const;
    sandbox.twilio.injectFault({ ...fault, status: 429 });
    await expect(conversation.sendMessage('throttled')).rejects.toMatchObject({
      status: 429,
      body: { code: 20429 },
    });
    sandbox.twilio.injectFault({ ...fault, delayMs: 30 });
    const startedAt = performance.now();
    await conversation.sendMessage('slow');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
    sandbox.twilio.injectFault({ ...fault, loseAnswer: 'drop' });
    await expect(conversation.sendMessage('sent, unanswered')).rejects.toThrow('disconnected');
    await messageAdded('sent, unanswered');
    const sent = sandbox.twilio.messages(conversation.sid).filter(({ author }) => author === 'bitbrat');
    expect(sent.map(({ body }) => body)).toEqual(['slow', 'sent, unanswered']);
  });

  it('request: a slow roster holds back one conversation', async () => {
    const path = '\\.roster$';
    sandbox.twilio.injectFault({ kind: 'request', target: 'tunnel', path, delayMs: 50, count: 1 });
    const created = await sandbox.twilio.receiveMessage({ from: '+15550101', body: 'hi' });
    const joined = nextEvent<Conversation>(client, 'conversationJoined');
    sandbox.twilio.addParticipant(created.conversationSid, { identity: 'bitbrat' });
    expect((await joined).sid).toBe(created.conversationSid);
    expect(sandbox.twilio.faults()).toEqual([]);
    await settled(client);
  });

  it('loses nothing over 30 drops under load', async () => {
    const done = messageAdded('message 299');
    for (let index = 0; index < 300; index += 1) {
      await write(`message ${index}`);
      if (index % 10 === 5) {
        sandbox.twilio.injectFault({ kind: 'drop' });
        await state('connected');
      }
    }
    await done;
    expect(seen).toEqual(Array.from({ length: 300 }, (_, index) => `message ${index}`));
  });
});
