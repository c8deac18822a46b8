import WebSocket from 'ws';
import { z } from 'zod';
import { parseJson } from '../../json.js';
import { type Sandbox, startSandbox } from '../../sandbox-server.js';
import { discordDefaults } from '../discord-options.js';

const channelId = discordDefaults.channels[0]?.id ?? '';

interface Answer {
  readonly status: number;
  /** Undefined for no body. */
  readonly body: unknown;
}

const idOf = ({ body }: Answer): string => z.object({ id: z.string() }).parse(body).id;

describe('Discord control interface', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = await startSandbox();
  });
  afterEach(() => sandbox.close());

  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${sandbox.url}/discord${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return { status: response.status, body: parseJson(await response.text()) };
  };

  it('writes, shows, edits and deletes messages', async () => {
    const posted = await call('POST', '/messages', {
      author: 'ada',
      content: 'hello',
      attachments: [{ filename: 'a.bin', base64: Buffer.from([1, 2]).toString('base64') }],
    });
    expect(posted).toMatchObject({ status: 201, body: { channelId } });
    const id = idOf(posted);
    const list = await call('GET', `/channels/${channelId}/messages`);
    expect(list.body).toMatchObject([
      { id, content: 'hello', fromBot: false, author: { name: 'ada', kind: 'person' } },
    ]);
    const [stored] = sandbox.discord.messages(channelId);
    expect(list.body).toEqual([stored]);
    const bytes = await (await fetch(stored?.attachments[0]?.url ?? '')).arrayBuffer();
    expect([...new Uint8Array(bytes)]).toEqual([1, 2]);
    expect(await call('PATCH', `/messages/${id}`, { content: 'bye' })).toMatchObject({
      body: { content: 'bye' },
    });
    expect((await call('DELETE', `/messages/${id}`)).status).toBe(204);
    expect((await call('DELETE', `/messages/${id}`)).status).toBe(404);
  });

  it('waits for the next message', async () => {
    const { id } = sandbox.discord.receiveMessage({ author: 'ada', content: 'old' });
    const waiting = call('GET', `/channels/${channelId}/messages?after=${id}&waitMs=10000`);
    sandbox.discord.receiveMessage({ author: 'ada', content: 'new' });
    expect((await waiting).body).toMatchObject([{ content: 'new' }]);
  });

  it('creates guilds, channels, threads and direct channels', async () => {
    const guild = await call('POST', '/guilds', { name: 'Second' });
    const channel = await call('POST', '/channels', { name: 'c', guildId: idOf(guild) });
    const thread = await call('POST', '/channels', { name: 't', parentId: idOf(channel) });
    expect(channel.body).toMatchObject({ kind: 'text' });
    expect(thread.body).toMatchObject({ kind: 'thread', guildId: idOf(guild) });
    const hidden = await call('PATCH', `/channels/${idOf(channel)}`, { access: 'none' });
    expect(hidden.body).toMatchObject({ access: 'none' });
    expect((await call('GET', `/channels/${idOf(thread)}`)).body).toMatchObject({ access: 'none' });
    await call('POST', '/messages', { author: 'ada', content: 'psst', dm: true });
    const all = await call('GET', '/channels');
    expect(all.body).toMatchObject(['text', 'text', 'text', 'thread', 'direct'].map((kind) => ({ kind })));
    expect((await call('DELETE', `/channels/${idOf(channel)}`)).status).toBe(204);
    expect((await call('GET', `/channels/${idOf(thread)}`)).status).toBe(404);
  });

  it('arms, lists and heals faults, and shows statistics and the environment', async () => {
    const armed = await call('POST', '/faults', { kind: 'request', status: 500 });
    expect(armed).toMatchObject({ status: 201, body: { sockets: 0 } });
    expect((await call('GET', '/faults')).body).toMatchObject([{ id: idOf(armed), strikes: 0 }]);
    expect((await call('GET', '/stats')).body).toMatchObject({
      faults: 1,
      sessionStartsLeft: 1_000,
    });
    expect((await call('DELETE', `/faults/${idOf(armed)}`)).body).toEqual({ healed: 1 });
    expect((await call('DELETE', `/faults/${idOf(armed)}`)).status).toBe(404);
    await call('POST', '/faults', [{ kind: 'no-hello' }, { kind: 'reconnect' }]);
    expect((await call('DELETE', '/faults')).body).toEqual({ healed: 1 });
    expect((await call('GET', '/environment')).body).toEqual({
      DISCORD_ENABLED: 'true',
      DISCORD_BOT_TOKEN: discordDefaults.token,
      DISCORD_GUILD_ID: discordDefaults.guildId,
      DISCORD_CHANNELS: discordDefaults.channels.map(({ id }) => id).join(','),
      DISCORD_API_URL: `${sandbox.url}/api`,
    });
  });

  it.each([
    ['POST', '/messages', { content: 'x' }, 400, 'author'],
    ['POST', '/messages', { author: 'ada' }, 400, 'a message needs content'],
    ['POST', '/messages', { author: 'a', content: 'x', dm: true, channelId }, 400, 'no channelId'],
    ['POST', '/messages', { author: 'a', content: 'x', channelId: '1' }, 404, 'no channel 1'],
    ['POST', '/messages', { author: 'a', content: 'x', replyTo: '1' }, 404, 'no message 1'],
    ['POST', '/channels', { name: 'x', kind: 'thread' }, 400, 'parentId'],
    ['POST', '/channels', { name: 'x', id: channelId }, 409, 'already'],
    ['POST', '/channels', { name: 'x', guildId: '1' }, 404, 'no guild 1'],
    ['POST', '/faults', { kind: 'drop', how: 'close', closeCode: 1006 }, 400, 'close code'],
    ['POST', '/faults', [{ kind: 'no-hello' }, { kind: 'nonsense' }], 400, 'kind'],
    ['GET', `/channels/${channelId}/messages?after=x`, undefined, 400, 'after'],
    ['GET', '/nowhere', undefined, 404, '/discord/nowhere'],
  ])('answers %s %s with what is wrong', async (method, path, body, status, words) => {
    const refused = await call(method, path, body);
    expect(refused.status).toBe(status);
    expect(z.object({ message: z.string() }).parse(refused.body).message).toContain(words);
    expect(sandbox.discord.stats()).toMatchObject({ messages: 0, faults: 0 });
  });

  describe('gateway', () => {
    const closeCode = (query: string, frames: readonly unknown[]): Promise<number> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`${sandbox.url.replace('http', 'ws')}/${query}`);
        socket.on('error', reject);
        socket.on('close', resolve);
        socket.on('open', () => {
          for (const frame of frames) socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
        });
      });
    const identify = (fields: object): object => ({
      op: 2,
      d: { token: `Bot ${discordDefaults.token}`, intents: 1, properties: {}, ...fields },
    });

    it.each<[string, string, readonly unknown[], number]>([
      ['another version', '?v=9&encoding=json', [], 4012],
      ['an unknown opcode', '?v=10', [{ op: 99 }], 4001],
      ['no JSON', '?v=10', ['nonsense'], 4002],
      ['a frame that is too long', '?v=10', ['x'.repeat(5_000)], 4002],
      ['a frame before IDENTIFY', '?v=10', [{ op: 3, d: {} }], 4003],
      ['a wrong token', '?v=10', [identify({ token: 'x' })], 4004],
      ['a wrong token in RESUME', '?v=10', [{ op: 6, d: { token: 'x', session_id: 'x', seq: 0 } }], 4004],
      ['a second IDENTIFY', '?v=10', [identify({}), identify({})], 4005],
      ['more than 120 frames', '?v=10', [identify({}), ...Array<object>(120).fill({ op: 1, d: 0 })], 4008],
      ['a shard out of range', '?v=10', [identify({ shard: [2, 2] })], 4010],
      ['intents that do not exist', '?v=10', [identify({ intents: 1 << 30 })], 4013],
    ])('closes on %s', async (_name, query, frames, expected) => {
      await expect(closeCode(query, frames)).resolves.toBe(expected);
    });

    it('says HELLO, unless a fault keeps it silent', async () => {
      const connect = async (): Promise<{ socket: WebSocket; hello: Promise<unknown> }> => {
        const socket = new WebSocket(`${sandbox.url.replace('http', 'ws')}/?v=10&encoding=json`);
        const hello = new Promise<unknown>((resolve) => {
          socket.on('message', (data: Buffer) => {
            resolve(parseJson(data.toString()));
          });
          socket.on('close', resolve);
        });
        await new Promise((resolve) => socket.on('open', resolve));
        return { socket, hello };
      };
      const { socket, hello } = await connect();
      expect(await hello).toEqual({ op: 10, d: { heartbeat_interval: 41_250 }, s: null, t: null });
      socket.terminate();
      sandbox.discord.injectFault({ kind: 'no-hello', count: 1 });
      const silent = await connect();
      expect(sandbox.discord.stats().sockets.silent).toBe(1);
      sandbox.discord.heal();
      expect(await silent.hello).toBe(1006);
    });

    it('refuses transport compression and leaves other upgrades alone', async () => {
      await expect(closeCode('?v=10&compress=zlib-stream', [])).rejects.toThrow('400');
      await expect(closeCode('nowhere?v=10', [])).rejects.toThrow('404');
      expect(sandbox.discord.stats().counters.gateway).toEqual({ upgrade: 1 });
    });
  });
});
