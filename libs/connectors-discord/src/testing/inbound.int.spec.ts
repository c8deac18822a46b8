import { Gateway, type GatewayOptions, waitFor } from './discord-world.js';

let gateway: Gateway;

async function running(options: GatewayOptions = {}): Promise<Gateway> {
  gateway = await Gateway.create(options);
  await gateway.start();
  return gateway;
}

const published = (count: number): Promise<void> =>
  waitFor(() => gateway.host.published.length >= count, `${count} envelopes`);

afterEach(async () => {
  await gateway.dispose();
});

describe('inbound', () => {
  it('hands on a message with all that is known of it', async () => {
    await running();
    const { id } = gateway.write('hello 👋');
    await published(1);
    expect(gateway.host.published[0]).toMatchObject({
      id: `discord:${id}`,
      type: 'chat.message.v1',
      sender: { displayName: 'ada', login: 'ada', roles: [], isBot: false },
      channel: { id: gateway.general, kind: 'channel', name: 'general' },
      text: 'hello 👋',
      replyTo: { destination: gateway.general, inReplyTo: id },
      metadata: {
        guildId: gateway.config.guildIds[0],
        channelId: gateway.general,
        messageId: id,
        messageType: 0,
      },
    });
  });

  it('leaves out bots, webhooks and itself', async () => {
    await running();
    const { discord } = gateway.sandbox;
    const channelId = gateway.general;
    discord.receiveMessage({ channelId, author: 'other-bot', bot: true, content: 'beep' });
    discord.receiveMessage({ channelId, author: 'ci', webhook: true, content: 'build passed' });
    await gateway.connector.sendText('mine', channelId, { idempotencyKey: 'k', mayHaveBeenSent: false });
    gateway.write('human');
    await published(1);
    expect(gateway.texts()).toEqual(['human']);
    expect(gateway.connector.getSnapshot().counters).toMatchObject({ received: 1, ignored: 3, sent: 1 });
  });

  it('reads threads and direct messages', async () => {
    await running();
    const { discord } = gateway.sandbox;
    const thread = discord.createChannel({ name: 'a thread', parentId: gateway.general }).id;
    gateway.write('in the thread', thread);
    const { channelId: direct } = discord.receiveMessage({ dm: true, author: 'bob', content: 'psst' });
    await published(2);
    const byText = new Map(gateway.host.published.map((envelope) => [envelope.text, envelope]));
    expect(byText.get('in the thread')).toMatchObject({
      channel: { id: thread, kind: 'thread', name: 'a thread' },
      metadata: { threadId: thread, parentChannelId: gateway.general },
    });
    expect(byText.get('psst')).toMatchObject({ channel: { id: direct, kind: 'direct' } });
    expect(byText.get('psst')?.metadata).not.toHaveProperty('guildId');
    const { destination } = byText.get('psst')?.replyTo ?? { destination: '' };
    await gateway.connector.sendText('hi bob', destination, { idempotencyKey: 'k', mayHaveBeenSent: false });
    expect(gateway.sent(direct).map(({ content }) => content)).toEqual(['hi bob']);
  });

  it('reads a thread that the SDK does not know, because it was archived at the start', async () => {
    gateway = await Gateway.create();
    const { discord } = gateway.sandbox;
    const thread = discord.createChannel({ name: 'old thread', parentId: gateway.general }).id;
    discord.updateChannel(thread, { archived: true });
    await gateway.start();
    gateway.write('awake again', thread);
    await published(1);
    expect(gateway.host.published[0]).toMatchObject({
      text: 'awake again',
      channel: { id: thread, kind: 'thread', name: 'old thread' },
      metadata: { parentChannelId: gateway.general },
    });
    expect(gateway.details).toMatchObject({ uncachedMessages: 1 });
  });

  it('names the message that is answered', async () => {
    await running();
    const { id } = gateway.write('question');
    gateway.sandbox.discord.receiveMessage({
      channelId: gateway.general,
      author: 'bob',
      content: 'answer',
      replyTo: id,
    });
    await published(2);
    expect(gateway.host.published[1]?.metadata).toMatchObject({ referencedMessageId: id, messageType: 19 });
  });

  it('hands on attachments with URLs that work', async () => {
    await running();
    const attachments = [{ filename: 'note.txt', text: 'a note' }];
    gateway.sandbox.discord.receiveMessage({ channelId: gateway.general, author: 'ada', attachments });
    await published(1);
    const [envelope] = gateway.host.published;
    expect(envelope).toMatchObject({ text: '', attachments: [{ fileName: 'note.txt', size: 6 }] });
    const response = await fetch(envelope?.attachments[0]?.url ?? '');
    expect(await response.text()).toBe('a note');
  });

  it('tells edits and deletions, of messages from before its start too', async () => {
    gateway = await Gateway.create();
    const { discord } = gateway.sandbox;
    const old = gateway.write('from before');
    await gateway.start();
    const { id } = gateway.write('teh text');
    await published(1);
    const { editedTimestamp } = discord.editMessage(id, 'the text');
    discord.deleteMessage(id);
    discord.editMessage(old.id, 'from before, edited');
    discord.deleteMessage(old.id);
    await published(5);
    const [message, edited, deleted, oldEdited, oldDeleted] = gateway.host.published;
    expect(edited).toMatchObject({
      id: `discord:${id}:${editedTimestamp ?? ''}`,
      type: 'chat.message.edited.v1',
      text: 'the text',
      metadata: { messageId: id },
    });
    expect(deleted).toMatchObject({
      id: `discord:${id}:deleted`,
      type: 'chat.message.deleted.v1',
      from: message?.from,
      text: '',
      metadata: { messageId: id },
    });
    expect(oldEdited).toMatchObject({ type: 'chat.message.edited.v1', text: 'from before, edited' });
    expect(oldDeleted).toMatchObject({ type: 'chat.message.deleted.v1', metadata: { messageId: old.id } });
  });

  it('says nothing of edits and deletions of what it left out', async () => {
    await running();
    const { discord } = gateway.sandbox;
    const { id } = discord.receiveMessage({
      channelId: gateway.general,
      author: 'other-bot',
      bot: true,
      content: 'beep',
    });
    discord.editMessage(id, 'boop');
    discord.deleteMessage(id);
    gateway.write('last');
    await published(1);
    expect(gateway.texts()).toEqual(['last']);
  });

  it('reads the listed channels and their threads alone', async () => {
    gateway = await Gateway.create();
    const [first, second = ''] = gateway.sandbox.discord.channels().map(({ id }) => id);
    const config = { channelIds: [second], directMessages: false };
    const { connector, host } = gateway.restarted({ config });
    await connector.start(new AbortController().signal);
    try {
      const { discord } = gateway.sandbox;
      gateway.write('not listed', first);
      discord.receiveMessage({ dm: true, author: 'bob', content: 'psst' });
      gateway.write('in a thread of another', discord.createChannel({ name: 'other', parentId: first }).id);
      gateway.write('in a thread', discord.createChannel({ name: 'ours', parentId: second }).id);
      gateway.write('listed', second);
      await waitFor(() => host.published.length === 2, 'the listed ones');
      expect(host.published.map(({ text }) => text).sort()).toEqual(['in a thread', 'listed']);
    } finally {
      await connector.stop();
    }
  });

  it('does not lose the messages of a time when the bus and the cursor store refuse', async () => {
    await running();
    gateway.host.failNextPublish(3);
    gateway.host.cursors.failNext(2);
    for (let i = 0; i < 5; i++) gateway.write(`message ${i}`);
    await waitFor(() => new Set(gateway.texts()).size === 5, 'all messages');
    await waitFor(
      () =>
        gateway.host.cursors.entries.get(`channel:${gateway.general}`) ===
        gateway.sandbox.discord.channel(gateway.general).lastMessageId,
      'the cursor at the last message',
    );
    expect(new Set(gateway.host.published.map(({ id }) => id)).size).toBe(gateway.host.published.length);
  });

  it('moves no cursor past a message that the bus does not have', async () => {
    await running();
    const first = gateway.write('taken');
    await published(1);
    const key = `channel:${gateway.general}`;
    await waitFor(() => gateway.host.cursors.entries.get(key) === first.id, 'the cursor');
    gateway.host.holdPublishes();
    gateway.write('on its way');
    gateway.write('on its way too');
    await waitFor(() => gateway.host.heldPublishes === 2, 'the publishes');
    await gateway.connector.stop();
    expect(gateway.host.cursors.entries.get(key)).toBe(first.id);
    const { host, connector } = gateway.restarted();
    await connector.start(new AbortController().signal);
    await waitFor(() => host.published.length === 2, 'both again');
    await connector.stop();
    expect(host.published.map(({ text }) => text)).toEqual(['on its way', 'on its way too']);
  });

  it('reads what piled up from history when too much is on its way', async () => {
    await running();
    gateway.write('first');
    await published(1);
    gateway.host.holdPublishes();
    const texts = Array.from({ length: 1_800 }, (_, i) => `pile ${i}`);
    for (const text of texts) gateway.write(text);
    await waitFor(() => gateway.details['behind'] === 1, 'the channel to fall behind');
    expect(gateway.host.heldPublishes).toBe(500);
    gateway.host.releasePublishes();
    await waitFor(() => gateway.texts().length === 1_801, 'all messages', 20_000);
    expect(gateway.texts()).toEqual(['first', ...texts]);
  });
});
