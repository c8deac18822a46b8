import { gzipSync } from 'node:zlib';
import { systemClock } from '@bitbrat/foundation';
import fc from 'fast-check';
import { ConnectorError } from '../connector-error.js';
import { type Behaviour, HostileServer, repeating, saying, sayingGoodBye } from './hostile-server.e2e.js';
import { type ResolveHost } from './host-addresses.js';
import { connectOptionsOf } from './http-exchange.js';
import { MediaFetcher, type MediaFile } from './media-fetcher.js';

const MAX_BYTES = 64 * 1024;
const TIMEOUT_MS = 1_000;
const HEAD = 'HTTP/1.1 200 OK\r\n';
const HELLO = `${HEAD}content-type: text/plain\r\ncontent-length: 5\r\n\r\nhello`;

let server: HostileServer;

const fetcher = (
  options: { allowed?: string[]; resolve?: ResolveHost; timeoutMs?: number } = {},
): MediaFetcher =>
  new MediaFetcher({
    hosts: { allowed: options.allowed ?? [server.host], variable: 'X_ATTACHMENT_HOSTS' },
    maxBytes: MAX_BYTES,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    clock: systemClock,
    ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
  });

const fetchFrom = (behaviour: Behaviour, path = '/a.txt'): Promise<MediaFile[]> => {
  server.behaviour = behaviour;
  return fetcher().fetchAll([{ url: `http://${server.host}${path}` }], new AbortController().signal);
};

/** Nothing is left of a fetch: its sockets are closed. */
async function expectNoSocket(): Promise<void> {
  while (server.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve));
}

// The first import of undici must not count towards a fetch's time.
beforeAll(() => import('./undici.js'));

beforeEach(async () => {
  server = await HostileServer.listen();
});

afterEach(async () => {
  await server.close();
});

describe('MediaFetcher', () => {
  it.each<[string, Behaviour]>([
    ['a length', saying(HELLO)],
    ['chunks', saying(`${HEAD}transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`)],
    ['the end of the connection', sayingGoodBye(`${HEAD}\r\nhello`)],
    ['some interim answers before', saying('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(3), HELLO)],
    ['a length, said before it was asked', (socket) => socket.write(HELLO)],
    ['more bytes than its length says', saying(HELLO, 'and more, which nobody asked for')],
  ])('takes a file that ends by %s', async (_name, behaviour) => {
    const [file] = await fetchFrom(behaviour);
    expect(file).toMatchObject({ name: 'a.txt', data: Buffer.from('hello') });
    await expectNoSocket();
  });

  it.each(['identity', 'Identity', 'IDENTITY', '', ' ', ',', 'identity, identity', 'identity,,Identity'])(
    'takes a file whose Content-Encoding is %j',
    async (encoding) => {
      const [file] = await fetchFrom(saying(HELLO.replace(HEAD, `${HEAD}Content-Encoding: ${encoding}\r\n`)));
      expect(file?.data.toString()).toBe('hello');
    },
  );

  it.each(['gzip', 'GZip', 'identity, br', 'identity\r\ncontent-encoding: gzip', 'x-unknown'])(
    'refuses a file whose Content-Encoding is %j',
    async (encoding) => {
      const fetching = fetchFrom(saying(HELLO.replace(HEAD, `${HEAD}Content-Encoding: ${encoding}\r\n`)));
      await expect(fetching).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' });
    },
  );

  it('gives a host with several addresses time to accept a connection', () => {
    const { autoSelectFamilyAttemptTimeout: ms } = connectOptionsOf(new URL('https://files.example/'), []);
    expect(ms).toBeGreaterThan(2_000);
  });

  it.each<[string, Behaviour, string]>([
    [
      'switches protocols',
      saying('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
      'PAYLOAD_INVALID',
    ],
    [
      'switches protocols and does not say to which',
      saying('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
      'PAYLOAD_INVALID',
    ],
    [
      'sends interim answers for ever',
      repeating('', 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'.repeat(100)),
      'PAYLOAD_INVALID',
    ],
    ['sends 100 Continue', saying('HTTP/1.1 100 Continue\r\n\r\n'), 'UPSTREAM_UNAVAILABLE'],
    ['sends headers for ever', repeating(HEAD, `x-more: ${'x'.repeat(100)}\r\n`), 'UPSTREAM_UNAVAILABLE'],
    ['sends one header for ever', repeating(`${HEAD}x-more: `, 'x'.repeat(100)), 'UPSTREAM_UNAVAILABLE'],
    [
      'sends trailers for ever',
      repeating(`${HEAD}transfer-encoding: chunked\r\n\r\n0\r\n`, 'x: y\r\n'.repeat(100)),
      'UPSTREAM_UNAVAILABLE',
    ],
    ['is silent', () => undefined, 'TIMEOUT'],
    ['drips its headers', repeating('', 'H', 50), 'UPSTREAM_UNAVAILABLE'],
    ['drips its body', repeating(`${HEAD}content-length: 50000\r\n\r\n`, 'x', 50), 'TIMEOUT'],
    ['drips a chunk extension', repeating(`${HEAD}transfer-encoding: chunked\r\n\r\n5;`, 'x', 50), 'TIMEOUT'],
    ['ends too early', sayingGoodBye(`${HEAD}content-length: 50\r\n\r\nhello`), 'UPSTREAM_UNAVAILABLE'],
    [
      'ends amid a chunk',
      sayingGoodBye(`${HEAD}transfer-encoding: chunked\r\n\r\n50\r\nhello`),
      'UPSTREAM_UNAVAILABLE',
    ],
    [
      'says that its file is too long',
      saying(`${HEAD}content-length: 99999999999\r\n\r\n`),
      'PAYLOAD_INVALID',
    ],
    ['sends too long a file', repeating(`${HEAD}\r\n`, Buffer.alloc(4_096)), 'PAYLOAD_INVALID'],
    [
      'sends chunks for ever',
      repeating(`${HEAD}transfer-encoding: chunked\r\n\r\n`, `1000\r\n${'x'.repeat(4_096)}\r\n`),
      'PAYLOAD_INVALID',
    ],
    [
      'has two lengths',
      saying(`${HEAD}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`),
      'UPSTREAM_UNAVAILABLE',
    ],
    ['has a negative length', saying(`${HEAD}content-length: -5\r\n\r\nhello`), 'UPSTREAM_UNAVAILABLE'],
    [
      'has a length and chunks',
      saying(`${HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
      'UPSTREAM_UNAVAILABLE',
    ],
    [
      'compresses a bomb',
      saying(`${HEAD}content-encoding: gzip\r\n\r\n`, gzipSync(Buffer.alloc(10_000_000))),
      'PAYLOAD_INVALID',
    ],
    ['closes at once', (socket) => socket.end(), 'UPSTREAM_UNAVAILABLE'],
    ['resets at once', (socket) => socket.resetAndDestroy(), 'UPSTREAM_UNAVAILABLE'],
    ['speaks TLS', saying(Buffer.from([21, 3, 1, 0, 2, 2, 40])), 'UPSTREAM_UNAVAILABLE'],
    [
      'redirects to itself',
      sayingGoodBye('HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n'),
      'PAYLOAD_INVALID',
    ],
    [
      'redirects to a private address',
      sayingGoodBye('HTTP/1.1 302 Found\r\nlocation: https://10.0.0.1/\r\n\r\n'),
      'PAYLOAD_INVALID',
    ],
    ['redirects to nowhere', sayingGoodBye('HTTP/1.1 302 Found\r\n\r\n'), 'PAYLOAD_INVALID'],
    ['is not modified', sayingGoodBye('HTTP/1.1 304 Not Modified\r\n\r\n'), 'PAYLOAD_INVALID'],
    ['has no content', sayingGoodBye('HTTP/1.1 204 No Content\r\n\r\n'), 'PAYLOAD_INVALID'],
    ['has a part only', sayingGoodBye('HTTP/1.1 206 Partial Content\r\n\r\nhello'), 'PAYLOAD_INVALID'],
    ['refuses', sayingGoodBye('HTTP/1.1 403 Forbidden\r\n\r\n'), 'PAYLOAD_INVALID'],
    ['is overloaded', sayingGoodBye('HTTP/1.1 429 Too Many Requests\r\n\r\n'), 'UPSTREAM_UNAVAILABLE'],
    ['finds it too early', sayingGoodBye('HTTP/1.1 425 Too Early\r\n\r\n'), 'UPSTREAM_UNAVAILABLE'],
    ['is broken', sayingGoodBye('HTTP/1.1 599 What\r\n\r\n'), 'UPSTREAM_UNAVAILABLE'],
  ])('gives up a server that %s', async (_name, behaviour, code) => {
    const error: unknown = await fetchFrom(behaviour).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'ConnectorError', code, ambiguous: false });
    expect(error).toMatchObject({ message: expect.stringMatching(/^attachment 1: /) as string }); // a matcher stands for a string
    await expectNoSocket();
  });

  it('gives a file or a ConnectorError, whatever a server sends', async () => {
    const line = fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 101 Switching Protocols\r\n',
      'HTTP/1.1 103 Early Hints\r\n',
      'HTTP/1.1 302 Found\r\n',
      'HTTP/1.0 200\r\n',
      'content-length: 3\r\n',
      'content-length: 0\r\n',
      'transfer-encoding: chunked\r\n',
      'transfer-encoding: gzip, chunked\r\n',
      'connection: upgrade\r\nupgrade: websocket\r\n',
      'connection: close\r\n',
      'location: /x\r\n',
      'trailer: x\r\n',
      '\r\n',
      '3\r\nabc\r\n',
      '0\r\n\r\n',
      '\n',
      '\0',
    );
    const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
    const piece: fc.Arbitrary<string | Buffer> = fc.oneof(
      { weight: 5, arbitrary: line },
      { weight: 1, arbitrary: bytes },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), fc.boolean(), async (pieces, inOne) => {
        server.behaviour = inOne ? sayingGoodBye(...pieces) : (socket) => void dribble(socket, pieces);
        const fetching = fetcher({ timeoutMs: 300 }).fetchAll(
          [{ url: `http://${server.host}/` }],
          new AbortController().signal,
        );
        const result: unknown = await fetching.catch((error: unknown) => error);
        await expectNoSocket();
        return Array.isArray(result) || result instanceof ConnectorError;
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it('has one time limit for all files', async () => {
    const slowly: Behaviour = (socket) => {
      setTimeout(() => socket.end(HELLO), 400);
    };
    server.behaviour = slowly;
    const attachments = Array.from({ length: 5 }, () => ({ url: `http://${server.host}/` }));
    await expect(fetcher().fetchAll(attachments, new AbortController().signal)).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    expect(server.connections).toBeLessThan(5);
  });

  it('has one size limit for all files', async () => {
    server.behaviour = sayingGoodBye(`${HEAD}\r\n`, Buffer.alloc(MAX_BYTES / 2 + 1));
    const attachments = [1, 2].map(() => ({ url: `http://${server.host}/` }));
    await expect(fetcher().fetchAll(attachments, new AbortController().signal)).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
      message: 'attachment 2: it is too large',
    });
  });

  it('connects to nobody where one URL of several is refused', async () => {
    const attachments = [{ url: `http://${server.host}/` }, { url: 'https://x/%ZZ' }];
    await expect(fetcher().fetchAll(attachments, new AbortController().signal)).rejects.toMatchObject({
      message: 'attachment 2: its URL is malformed',
    });
    expect(server.connections).toBe(0);
  });

  it('ends when the caller gives up', async () => {
    const caller = new AbortController();
    const connected = new Promise<void>((resolve) => {
      server.behaviour = () => {
        resolve();
      };
    });
    const fetching = fetcher({ timeoutMs: 60_000 }).fetchAll(
      [{ url: `http://${server.host}/` }],
      caller.signal,
    );
    await connected;
    caller.abort();
    await expect(fetching).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'attachment 1: the caller gave up',
    });
    await expectNoSocket();
  });

  it.each<[string, ResolveHost, string]>([
    ['never answers', () => new Promise(() => undefined), 'TIMEOUT'],
    ['answers nothing', () => Promise.resolve([]), 'UPSTREAM_UNAVAILABLE'],
    ['answers with a private address', () => Promise.resolve(['127.0.0.1']), 'PAYLOAD_INVALID'],
    [
      'throws',
      () => {
        throw new TypeError('addresses is not iterable');
      },
      'UPSTREAM_UNAVAILABLE',
    ],
  ])('gives up a name whose look-up %s', async (_name, resolve, code) => {
    const fetching = fetcher({ allowed: [], resolve, timeoutMs: 200 }).fetchAll(
      [{ url: `https://files.example:${server.host.split(':')[1] ?? ''}/` }],
      new AbortController().signal,
    );
    await expect(fetching).rejects.toMatchObject({ code, ambiguous: false });
    expect(server.connections).toBe(0);
  });
});

/** One piece after the other, each by itself. */
async function dribble(
  socket: { write(chunk: string | Buffer): unknown; end(): unknown },
  pieces: readonly (string | Buffer)[],
): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
}
