import { connect, type Socket } from 'node:net';
import { RecordingLogger, waitFor } from '@bitbrat/connectors-testing';
import { type HttpWorld, type HttpWorldOptions, startHttpWorld } from './testing/http-world.js';

/** Short, so that the tests are; a machine that is busy makes them longer, never shorter. */
const FAST = { headersMs: 300, requestMs: 600, keepAliveMs: 300, stalledMs: 300, checkMs: 50, lingerMs: 100 };

const POST = 'POST /webhooks/fake HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n';

let world: HttpWorld;
const clients = new Set<Client>();

const start = async (options: HttpWorldOptions = {}): Promise<void> => {
  world = await startHttpWorld({ ...options, limits: { ...FAST, ...options.limits } });
};

afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  clients.clear();
  await world.stop();
});

/** A client that sends bytes, whatever they mean. */
interface Client {
  readonly socket: Socket;
  readonly answer: () => string;
  readonly isClosed: () => boolean;
}

function open(bytes: string | Buffer = ''): Client {
  const socket = connect(world.port, '127.0.0.1');
  let answer = '';
  let closed = false;
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  for (const event of ['close', 'end']) socket.on(event, () => (closed = true));
  socket.write(bytes);
  const client = { socket, answer: () => answer, isClosed: () => closed };
  clients.add(client);
  return client;
}

const untilClosed = (what: string, ...group: Client[]): Promise<void> =>
  waitFor(() => group.every(({ isClosed }) => isClosed()), 20_000, what);

const isAlive = async (): Promise<boolean> => (await fetch(`${world.url}/livez`)).ok;

describe('requests that are slow, endless or malformed', () => {
  it.each([
    ['sends nothing', '', '408'],
    ['sends half a request line', 'GET /liv', '408'],
    ['sends half its headers', 'GET /livez HTTP/1.1\r\nHost: x\r\nX-A: ', '408'],
    ['sends half its body', `${POST}Content-Length: 10\r\n\r\n12345`, '408'],
    ['never ends its chunks', `${POST}Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n`, '408'],
    ['never ends a chunk', `${POST}Transfer-Encoding: chunked\r\n\r\nffff\r\n1`, '408'],
    ['waits for ever after its answer', 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n', '200'],
    [
      'sends headers that are too large',
      `GET /livez HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}`,
      '431',
    ],
    ['sends too many headers', `GET /livez HTTP/1.1\r\nHost: x\r\n${'X-A: b\r\n'.repeat(6_000)}\r\n`, '431'],
    ['sends an endless request line', `GET /${'a'.repeat(20_000)}`, '431'],
    ['announces a body that is too large', `${POST}Content-Length: 9999999999\r\n\r\n1`, '413'],
    [
      'announces one and asks first',
      `${POST}Expect: 100-continue\r\nContent-Length: 9999999999\r\n\r\n`,
      '413',
    ],
    ['expects something else', `${POST}Expect: a-miracle\r\nContent-Length: 1\r\n\r\n`, '417'],
    ['sends a negative length', `${POST}Content-Length: -1\r\n\r\n`, '400'],
    ['sends two lengths', `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n1`, '400'],
    [
      'sends a length and chunks',
      `${POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      '400',
    ],
    ['sends a malformed chunk size', `${POST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, '400'],
    ['speaks no HTTP', 'EHLO example.org\r\n\r\n', '400'],
    ['speaks TLS', Buffer.from('160301020001000001fc0303', 'hex'), '400'],
    ['speaks HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400'],
    ['names no host', 'GET /livez HTTP/1.1\r\n\r\n', '400'],
    ['sends a NUL in a header', 'GET /livez HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n', '400'],
    ['wants a tunnel', 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n', ''],
    [
      'sends a body to a path that is not there',
      `POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n1`,
      '404',
    ],
    ['sends a body with a GET', 'GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n1', '200'],
  ])('answers a client that %s, and closes its connection', async (_name, bytes, status) => {
    await start();
    const client = open(bytes);
    await untilClosed('the connection', client);
    expect(client.answer().split(' ')[1] ?? '').toBe(status);
    expect(world.webhooks).toEqual([]);
    expect(await isAlive()).toBe(true);
  });

  it('takes a body after 100 Continue', async () => {
    await start();
    const client = open(`${POST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`);
    await waitFor(() => client.answer().includes('100 Continue'), 20_000, '100 Continue');
    client.socket.write('hi');
    await waitFor(() => client.answer().includes('202 Accepted'), 20_000, 'the answer');
    expect(world.webhooks).toHaveLength(1);
  });

  it.each(['websocket', 'h2c'])('does not upgrade to %s', async (protocol) => {
    await start();
    const client = open(
      `GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AA\r\n\r\n`,
    );
    await waitFor(() => client.answer().includes('200 OK'), 20_000, 'the answer');
  });

  it('cuts a body off at the bound that its length did not announce', async () => {
    await start();
    const client = open(`${POST}Transfer-Encoding: chunked\r\n\r\n200000\r\n`);
    client.socket.write('a'.repeat(2_000_000));
    await untilClosed('the connection', client);
    expect(client.answer()).toContain('413 Payload Too Large');
    expect(world.webhooks).toEqual([]);
  });
});

describe('connections', () => {
  it('closes hundreds that are slow on purpose, and goes on answering under them', async () => {
    await start({ limits: { headersMs: 3_000 } });
    const slow = Array.from({ length: 800 }, () => open('GET /livez HTTP/1.1\r\nX-A: '));
    await waitFor(() => slow.every(({ socket }) => !socket.connecting), 20_000, '800 connections');
    expect(await isAlive()).toBe(true);
    await untilClosed('800 connections', ...slow);
    expect(await isAlive()).toBe(true);
  });

  it('gives up the oldest that is slow for a new one, never one that is being answered', async () => {
    const logger = new RecordingLogger();
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await start({
      limits: { connections: 3, headersMs: 60_000, requestMs: 60_000 },
      logger,
      handle: () => released,
    });
    const working = open(`${POST}Content-Length: 1\r\n\r\n1`);
    await waitFor(() => world.webhooks.length === 1, 20_000, 'the webhook');
    const slow = Array.from({ length: 6 }, () => open('GET /l'));
    await waitFor(() => slow.filter(({ isClosed }) => isClosed()).length >= 4, 20_000, 'room');
    expect(await isAlive()).toBe(true);
    release();
    await waitFor(() => working.answer().includes('202 Accepted'), 20_000, 'the answer');
    expect(logger.entries.map(({ event }) => event)).toContain('http.connections-full');
  });

  it('cuts off a client that floods a connection with requests and waits for no answer', async () => {
    await start();
    const client = open('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5_000));
    await untilClosed('the connection', client);
    expect(await isAlive()).toBe(true);
  });

  it('cuts off a client that reads no answer', async () => {
    await start({ debugToken: 'a-long-debug-token' });
    const client = open();
    client.socket.pause();
    const one = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
    // One at a time, as a client that is no flood would; the system's buffers take some megabytes of answers.
    let closed = false;
    client.socket.on('close', () => (closed = true));
    await waitFor(
      () => {
        if (!closed && client.socket.writableLength === 0) client.socket.write(one.repeat(20));
        return closed;
      },
      20_000,
      'the connection to be closed',
    );
    expect(await isAlive()).toBe(true);
  });

  it('closes with all of them open', async () => {
    await start({ limits: { headersMs: 60_000, requestMs: 60_000, keepAliveMs: 60_000 } });
    const group = [
      open(''),
      open('GET /l'),
      open(`${POST}Content-Length: 9\r\n\r\n1`),
      open('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'),
    ];
    await waitFor(() => group.at(-1)?.answer().includes('200 OK') === true, 20_000, 'the answer');
    await world.http.close();
    await untilClosed('all connections', ...group);
  });
});
