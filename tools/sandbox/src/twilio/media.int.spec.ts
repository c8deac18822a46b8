import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Client, type Conversation, type Message } from '@twilio/conversations';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { connectSdk, loaded, mintToken, nextEvent } from './testing/sdk-client.js';

const PHONE = '+15550100';
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

describe('Conversations SDK: media', () => {
  let sandbox: Sandbox;
  let client: Client;
  let conversation: Conversation;

  beforeEach(async () => {
    sandbox = await startSandbox();
    const { conversationSid } = await sandbox.twilio.receiveMessage({ from: PHONE, body: 'first' });
    sandbox.twilio.addParticipant(conversationSid, { identity: 'bitbrat' });
    client = connectSdk(sandbox);
    const joined = nextEvent<Conversation>(client, 'conversationJoined');
    await loaded(client);
    conversation = await joined;
  });
  afterEach(async () => {
    await client.shutdown();
    await sandbox.close();
  });

  async function bytesOf(message: Message): Promise<Buffer> {
    const url = await message.attachedMedia?.[0]?.getContentTemporaryUrl();
    const response = await fetch(url ?? '');
    expect(response.headers.get('content-type')).toBe('image/png');
    return Buffer.from(await response.arrayBuffer());
  }

  it('serves the file of an MMS by a temporary URL', async () => {
    const added = nextEvent<Message>(client, 'messageAdded');
    await sandbox.twilio.receiveMessage({
      from: PHONE,
      media: { contentType: 'image/png', filename: 'cat.png', base64: PNG.toString('base64') },
    });
    const message = await added;
    expect([message.type, message.body]).toEqual(['media', null]);
    expect(message.attachedMedia?.[0]).toMatchObject({
      filename: 'cat.png',
      size: 8,
      contentType: 'image/png',
    });
    await expect(bytesOf(message)).resolves.toEqual(PNG);
  });

  it('fetches the file of an MMS from this machine', async () => {
    const server: Server = createServer((_request, response) => {
      response.setHeader('content-type', 'image/png').end(PNG);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // it listens on TCP
    const added = nextEvent<Message>(client, 'messageAdded');
    await sandbox.twilio.receiveMessage({ from: PHONE, mediaUrl: `http://127.0.0.1:${port}/dog.png` });
    await expect(bytesOf(await added)).resolves.toEqual(PNG);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('fetches from nowhere else', async () => {
    const message = { from: PHONE, mediaUrl: 'https://example.com/cat.png' };
    await expect(sandbox.twilio.receiveMessage(message)).rejects.toThrow('fetches from this machine only');
    const inline = { ...message, media: { contentType: 'image/png', base64: PNG.toString('base64') } };
    await sandbox.twilio.receiveMessage(inline);
    const stored = await sandbox.twilio.waitForMessage(({ media }) => media.length > 0);
    expect(stored.media[0]?.filename).toBe('cat.png');
  });

  it('takes an upload', async () => {
    await conversation.sendMessage({ contentType: 'image/png', filename: 'out.png', media: PNG });
    const stored = await sandbox.twilio.waitForMessage(({ author }) => author === 'bitbrat');
    expect(stored.media[0]).toMatchObject({ contentType: 'image/png', filename: 'out.png', size: 8 });
  });

  it('resolves several files at once', async () => {
    const added = nextEvent<Message>(client, 'messageAdded');
    const media = { contentType: 'image/png', base64: PNG.toString('base64') };
    await sandbox.twilio.receiveMessage({ from: PHONE, media });
    const urls = await (await added).getTemporaryContentUrlsForAttachedMedia();
    expect([...urls.values()]).toEqual([expect.stringContaining(`${sandbox.url}/content/ME`)]);
  });

  it('lets nobody in without a token, an unchanged signature or a file', async () => {
    const service = sandbox.twilio.environment()['TWILIO_CHAT_SERVICE_SID'] ?? '';
    const record = `${sandbox.url}/v1/Services/${service}/Media/ME${'0'.repeat(32)}`;
    const token = mintToken(sandbox);
    const wrong = mintToken(sandbox, { secret: 'another-secret' });
    const status = async (url: string, headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(url, { headers })).status;
    await expect(status(record)).resolves.toBe(401);
    await expect(status(record, { 'x-twilio-token': wrong })).resolves.toBe(401);
    await expect(status(record, { 'x-twilio-token': token })).resolves.toBe(404);
    await expect(status(`${sandbox.url}/content/ME0?Expires=9999999999999&Signature=00`)).resolves.toBe(403);
  });
});
