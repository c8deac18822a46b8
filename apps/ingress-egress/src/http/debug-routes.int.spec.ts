import { request } from 'node:http';
import { type HttpWorld, startHttpWorld } from './testing/http-world.js';

const TOKEN = 'a-long-debug-token';

/** Every route that shows or changes what is nobody else's business, and what it answers to those who may. */
const ROUTES = [
  ['GET', '/_debug/fake', 200],
  ['GET', '/_debug/fax', 404],
  ['GET', '/_debug/dead-letters', 503],
  ['GET', '/_debug/dead-letters/x', 503],
  ['GET', '/_debug/dead-letters/x?full=true', 503],
  ['POST', '/_debug/dead-letters/replay', 503],
] as const;

/** Requests, and whether they may: by the listener's address, the token that is set, and what the request holds. */
const CALLERS: readonly (readonly [string, string, string | undefined, Record<string, string>, boolean])[] = [
  ['loopback, no token', '127.0.0.1', undefined, {}, true],
  ['loopback by name, no token', 'localhost', undefined, {}, true],
  [
    'loopback, no token, through a proxy that says so',
    '127.0.0.1',
    undefined,
    { 'x-forwarded-for': '1.2.3.4' },
    false,
  ],
  ['loopback, no token, from a web page', '127.0.0.1', undefined, { 'sec-fetch-site': 'cross-site' }, false],
  [
    'loopback, no token, from another origin',
    '127.0.0.1',
    undefined,
    { origin: 'http://evil.example' },
    false,
  ],
  ['loopback, no token, under a name', '127.0.0.1', undefined, { host: 'rebound.example' }, false],
  ['every address, no token, from this machine', '0.0.0.0', undefined, {}, false],
  [
    'every address, no token, a token guessed',
    '0.0.0.0',
    undefined,
    { authorization: 'Bearer undefined' },
    false,
  ],
  ['every IPv6 address, no token, from this machine', '::', undefined, {}, false],
  ['loopback, token not given', '127.0.0.1', TOKEN, {}, false],
  ['loopback, token wrong', '127.0.0.1', TOKEN, { authorization: 'Bearer a-wrong-debug-token' }, false],
  ['loopback, token right', '127.0.0.1', TOKEN, { authorization: `Bearer ${TOKEN}` }, true],
  ['every address, token not given', '0.0.0.0', TOKEN, {}, false],
  ['every address, token right', '0.0.0.0', TOKEN, { authorization: `Bearer ${TOKEN}` }, true],
  [
    'every address, token right, proxied',
    '0.0.0.0',
    TOKEN,
    { authorization: `Bearer ${TOKEN}`, via: '1.1 x' },
    true,
  ],
];

describe.each(CALLERS)('/_debug: %s', (_name, host, debugToken, headers, may) => {
  let world: HttpWorld | undefined;
  beforeAll(async () => {
    world = await startHttpWorld({ host, ...(debugToken === undefined ? {} : { debugToken }) });
    // Each of its routes then answers 503 at once.
    await world.desk.stop();
  });
  afterAll(() => world?.stop());

  it.each(ROUTES)('%s %s', async (method, path, status) => {
    const answer = await ask(world?.port ?? 0, method, path, headers);
    if (may && status !== 404) expect(answer.status).toBe(status);
    else expect(answer).toMatchObject({ status: 404, ...(may ? {} : { body: '{"error":"not found"}' }) });
  });
});

function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string }> {
  const all = { 'content-type': 'application/json', ...headers };
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', method, path, headers: all }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
    })
      .on('error', reject)
      .end(method === 'POST' ? '{"reason":"TIMEOUT"}' : undefined);
  });
}
