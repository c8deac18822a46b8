import { type Client, type CreateMessageOptions, type Message } from 'oceanic.js';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { connectOceanic } from './testing/clients.js';
import { discordDefaults } from './discord-options.js';
import { type FaultInput } from './fault-schema.js';

const channelId = discordDefaults.channels[0]?.id ?? '';

describe('oceanic.js', () => {
  let sandbox: Sandbox;
  let client: Client;

  beforeEach(async () => {
    sandbox = await startSandbox();
    client = await connectOceanic(sandbox);
  });
  afterEach(async () => {
    client.disconnect(false);
    await sandbox.close();
  });

  const received = (content: string): Promise<Message> =>
    new Promise((resolve) => {
      const listener = (message: Message): void => {
        if (message.content !== content) return;
        client.off('messageCreate', listener);
        resolve(message);
      };
      client.on('messageCreate', listener);
    });
  const receive = (content: string, fields: object = {}): Promise<Message> => {
    const message = received(content);
    sandbox.discord.receiveMessage({ author: 'ada', content, ...fields });
    return message;
  };
  const send = (options: CreateMessageOptions): Promise<Message> =>
    client.rest.channels.createMessage(channelId, options);

  it('receives from a channel, a thread and directly, with replies and attachments', async () => {
    const first = await receive('first');
    expect([first.author.username, first.channelID, first.guildID]).toEqual([
      'ada',
      channelId,
      discordDefaults.guildId,
    ]);
    const reply = await receive('second', { replyTo: first.id });
    expect(reply.referencedMessage?.id).toBe(first.id);
    const thread = sandbox.discord.createChannel({ name: 't', parentId: channelId });
    expect((await receive('in thread', { channelId: thread.id })).channelID).toBe(thread.id);
    expect((await receive('direct', { dm: true })).guildID).toBeNull();
    const file = await receive('file', { attachments: [{ filename: 'a.txt', text: 'bytes' }] });
    const [attachment] = file.attachments.toArray();
    expect(await (await fetch(attachment?.url ?? '')).text()).toBe('bytes');
  });

  it('sends text, files and replies, and makes one message of one nonce', async () => {
    const { id } = sandbox.discord.receiveMessage({ author: 'ada', content: 'hi' });
    const reply = await send({
      content: 'answer',
      messageReference: { messageID: id, channelID: channelId },
      files: [{ name: 'a.bin', contents: Buffer.from([0, 255, 13, 10]) }],
    });
    expect(sandbox.discord.messages(channelId, id)).toMatchObject([
      { id: reply.id, content: 'answer', replyTo: id, attachments: [{ filename: 'a.bin', size: 4 }] },
    ]);
    const once = await send({ content: 'x', nonce: 'n', enforceNonce: true });
    const twice = await send({ content: 'x', nonce: 'n', enforceNonce: true });
    expect(twice.id).toBe(once.id);
    await once.edit({ content: 'y' });
    await reply.delete();
    expect(sandbox.discord.messages(channelId, id).map(({ content }) => content)).toEqual(['y']);
  });

  it('reads history and meets the errors of Discord', async () => {
    const ids = ['0', '1', '2'].map(
      (content) => sandbox.discord.receiveMessage({ author: 'ada', content }).id,
    );
    const history = await client.rest.channels.getMessages(channelId, { after: ids[0] ?? '' });
    expect(history.map(({ content }) => content)).toEqual(['2', '1']);
    await expect(client.rest.channels.createMessage('1', { content: 'x' })).rejects.toMatchObject({
      code: 10003,
      status: 404,
    });
    await expect(send({ content: 'x'.repeat(2_001) })).rejects.toMatchObject({ code: 50035, status: 400 });
  });

  const resumable: [string, FaultInput][] = [
    ['op 7', { kind: 'reconnect' }],
    ['a reset connection', { kind: 'drop' }],
  ];
  it.each(resumable)('resumes after %s and gets what it has missed', async (_name, fault) => {
    sandbox.discord.injectFault(fault);
    await sandbox.discord.waitFor(
      () => (sandbox.discord.stats().sessions.attached === 0 ? true : undefined),
      'a session without a socket',
    );
    await receive('missed');
    expect(sandbox.discord.stats().counters.gateway).toMatchObject({ identify: 1, resume: 1 });
  });

  it('identifies anew on the same socket after op 9 false', async () => {
    sandbox.discord.injectFault({ kind: 'invalid-session' });
    await sandbox.discord.waitFor(
      () => (sandbox.discord.stats().sessions.attached === 1 ? true : undefined),
      'a new session',
    );
    await receive('live again');
    expect(sandbox.discord.stats().counters.gateway).toMatchObject({ identify: 2, upgrade: 1 });
  });
});
