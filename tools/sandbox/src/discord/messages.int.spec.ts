import { type Client, DiscordAPIError, type Message, type TextChannel, type ThreadChannel } from 'discord.js';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { loginDiscordJs, nextEvent } from './testing/clients.js';
import { discordDefaults } from './discord-options.js';

const channelId = discordDefaults.channels[0]?.id ?? '';

describe('discord.js: messages', () => {
  let sandbox: Sandbox;
  let client: Client;

  beforeEach(async () => {
    sandbox = await startSandbox();
    client = await loginDiscordJs(sandbox);
  });
  afterEach(async () => {
    await client.destroy();
    await sandbox.close();
  });

  const received = async (write: () => unknown): Promise<Message> => {
    const event = nextEvent(client, 'messageCreate');
    write();
    return (await event)[0];
  };
  const textChannel = (): TextChannel => client.channels.cache.get(channelId) as TextChannel; // made as one

  it('knows the guild, its channels and its roles', () => {
    const guild = client.guilds.cache.get(discordDefaults.guildId);
    expect(guild?.name).toBe(discordDefaults.guildName);
    expect(guild?.channels.cache.map(({ name }) => name)).toEqual(['general', 'support']);
    expect(guild?.roles.cache.map(({ name }) => name).sort()).toEqual(['@everyone', 'moderators']);
    expect(client.user?.id).toBe(discordDefaults.applicationId);
  });

  it('receives a message of a guild channel, with its author', async () => {
    const message = await received(() =>
      sandbox.discord.receiveMessage({ author: 'ada', content: 'héllo 🚀' }),
    );
    expect([message.content, message.author.username, message.author.bot]).toEqual([
      'héllo 🚀',
      'ada',
      false,
    ]);
    expect([message.channelId, message.guildId]).toEqual([channelId, discordDefaults.guildId]);
    expect(Math.abs(message.createdTimestamp - Date.now())).toBeLessThan(10_000);
  });

  it('receives from a thread, a direct channel, a webhook and another bot', async () => {
    const created = nextEvent(client, 'threadCreate');
    const thread = sandbox.discord.createChannel({ name: 'a thread', parentId: channelId });
    await created;
    const inThread = await received(() =>
      sandbox.discord.receiveMessage({ author: 'ada', content: 'in thread', channelId: thread.id }),
    );
    expect([inThread.channel.isThread(), (inThread.channel as ThreadChannel).parentId]).toEqual([
      true,
      channelId,
    ]); // just checked
    const direct = await received(() =>
      sandbox.discord.receiveMessage({ author: 'ada', content: 'psst', dm: true }),
    );
    expect([direct.guildId, direct.channel.isDMBased(), direct.content]).toEqual([null, true, 'psst']);
    const hook = await received(() =>
      sandbox.discord.receiveMessage({ author: 'hook', content: 'x', webhook: true }),
    );
    expect([hook.webhookId, hook.author.bot]).toEqual([hook.author.id, true]);
    const bot = await received(() =>
      sandbox.discord.receiveMessage({ author: 'r2', content: 'x', bot: true }),
    );
    expect([bot.webhookId, bot.author.bot]).toEqual([null, true]);
  });

  it('receives replies, edits and deletions', async () => {
    const first = await received(() => sandbox.discord.receiveMessage({ author: 'ada', content: 'first' }));
    const reply = await received(() =>
      sandbox.discord.receiveMessage({ author: 'bob', content: 'second', replyTo: first.id }),
    );
    expect([reply.type, reply.reference?.messageId, reply.mentions.users.first()?.username]).toEqual([
      19,
      first.id,
      'ada',
    ]);
    const edited = nextEvent(client, 'messageUpdate');
    sandbox.discord.editMessage(first.id, 'first, edited');
    expect((await edited)[1]).toMatchObject({ id: first.id, content: 'first, edited' });
    const deleted = nextEvent(client, 'messageDelete');
    sandbox.discord.deleteMessage(first.id);
    expect((await deleted)[0].id).toBe(first.id);
  });

  it('carries attachments both ways', async () => {
    const message = await received(() =>
      sandbox.discord.receiveMessage({
        author: 'ada',
        attachments: [{ filename: 'nöte.txt', text: 'from ada' }],
      }),
    );
    const attachment = message.attachments.first();
    expect([attachment?.name, attachment?.contentType, attachment?.size]).toEqual([
      'nöte.txt',
      'text/plain; charset=utf-8',
      8,
    ]);
    const download = await fetch(attachment?.url ?? '');
    expect(await download.text()).toBe('from ada');

    const bytes = Buffer.from([0, 13, 10, 45, 45, 255]);
    await textChannel().send({
      content: 'two files',
      files: [
        { attachment: bytes, name: 'a "b".bin' },
        { attachment: Buffer.from('plain'), name: 'c.txt', description: 'alt' },
      ],
    });
    const sent = await sandbox.discord.waitForMessage(({ fromBot }) => fromBot);
    expect(sent.content).toBe('two files');
    expect(sent.attachments.map(({ contentType, size }) => [contentType, size])).toEqual([
      ['application/octet-stream', 6],
      ['text/plain; charset=utf-8', 5],
    ]);
    const stored = sandbox.discord.attachment(sent.channelId, sent.attachments[0]?.id ?? '');
    expect(stored.bytes).toEqual(bytes);
  });

  it('makes one message of one enforced nonce', async () => {
    const once = await textChannel().send({ content: 'x', nonce: 'n1', enforceNonce: true });
    const twice = await textChannel().send({ content: 'x', nonce: 'n1', enforceNonce: true });
    const other = await textChannel().send({ content: 'x', nonce: 'n1' });
    expect(twice.id).toBe(once.id);
    expect(other.id).not.toBe(once.id);
    expect(sandbox.discord.messages(channelId).map(({ nonce }) => nonce)).toEqual(['n1', 'n1']);
  });

  it('sends replies, direct messages and pings no more than allowed', async () => {
    const { id } = sandbox.discord.receiveMessage({ author: 'ada', authorId: '42', content: 'hi' });
    const reply = await textChannel().send({
      content: '@everyone <@42>',
      reply: { messageReference: id },
      allowedMentions: { parse: [] },
    });
    expect(reply.type).toBe(19);
    const [, stored] = sandbox.discord.messages(channelId);
    expect(stored).toMatchObject({ replyTo: id, pings: { everyone: false, users: [], roles: [] } });

    await textChannel().send('@everyone <@42>');
    const [, , loud] = sandbox.discord.messages(channelId);
    expect(loud?.pings).toEqual({ everyone: true, users: ['42'], roles: [] });

    const user = await client.users.createDM('42');
    await user.send('direct');
    expect(sandbox.discord.messages(user.id).map(({ content }) => content)).toEqual(['direct']);
  });

  it('edits and deletes its own messages only', async () => {
    const own = await textChannel().send('mine');
    await own.edit('mine, edited');
    expect(sandbox.discord.messages(channelId)[0]?.content).toBe('mine, edited');
    await own.delete();
    const { id } = sandbox.discord.receiveMessage({ author: 'ada', content: 'hers' });
    const hers = await textChannel().messages.fetch(id);
    await expect(hers.edit('x')).rejects.toMatchObject({ code: 50005, status: 403 });
    await expect(hers.delete()).rejects.toMatchObject({ code: 50013, status: 403 });
    expect(sandbox.discord.messages(channelId).map(({ content }) => content)).toEqual(['hers']);
  });

  it('pages through what follows an id', async () => {
    const ids = Array.from(
      { length: 7 },
      (_, index) => sandbox.discord.receiveMessage({ author: 'ada', content: String(index) }).id,
    );
    const after = ids[1] ?? '';
    const page = await textChannel().messages.fetch({ after, limit: 3, cache: false });
    expect(page.map(({ content }) => content)).toEqual(['4', '3', '2']);
    const rest = await textChannel().messages.fetch({ after: ids[4] ?? '', limit: 100, cache: false });
    expect(rest.map(({ content }) => content)).toEqual(['6', '5']);
  });

  it.each([
    ['too long', { content: 'x'.repeat(2_001) }, 400, 50035],
    ['empty', { content: '' }, 400, 50006],
    ['only spaces', { content: '  \n ' }, 400, 50006],
    ['an unknown reference', { content: 'x', reply: { messageReference: '1' } }, 400, 50035],
    ['a nonce of 26 characters', { content: 'x', nonce: 'n'.repeat(26) }, 400, 50035],
  ])('refuses %s', async (_, message, status, code) => {
    const refused = textChannel().send(message);
    await expect(refused).rejects.toMatchObject({ status, code });
    await expect(refused).rejects.toBeInstanceOf(DiscordAPIError);
    expect(sandbox.discord.messages(channelId)).toEqual([]);
  });

  it('tells unknown channels from forbidden ones', async () => {
    const channel = textChannel();
    sandbox.discord.updateChannel(channelId, { access: 'read-only' });
    await expect(channel.send('x')).rejects.toMatchObject({ code: 50013, status: 403 });
    sandbox.discord.updateChannel(channelId, { access: 'none' });
    await expect(channel.messages.fetch()).rejects.toMatchObject({ code: 50001, status: 403 });
    await expect(client.channels.fetch('1')).rejects.toMatchObject({ code: 10003, status: 404 });
    sandbox.discord.deleteChannel(channelId);
    await expect(channel.send('x')).rejects.toMatchObject({ code: 10003, status: 404 });
  });
});
