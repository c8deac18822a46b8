import { once } from 'node:events';
import { createServer, type OutgoingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { systemClock } from '@bitbrat/foundation';
import { createSdkClient, type SdkClient } from '../session/sdk-client.js';

const DAY = '86400';

describe('an answer of Discord that asks to wait', () => {
  let server: Server;
  let sdk: SdkClient;
  let requests = 0;
  let answers: { readonly status: number; readonly headers: OutgoingHttpHeaders }[];

  beforeEach(async () => {
    requests = 0;
    server = createServer((_, response) => {
      requests += 1;
      const { headers, status } = answers.shift() ?? { status: 200, headers: {} };
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // of a TCP server that listens
    const apiUrl = `http://127.0.0.1:${port}/api`;
    const options = { intents: 0, requestTimeoutMs: 5_000, clock: systemClock, random: () => 0.5 };
    sdk = await createSdkClient({ ...options, apiUrl });
    sdk.client.rest.setToken('token');
  });

  afterEach(async () => {
    await sdk.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const ask = (): Promise<unknown> => sdk.client.rest.get('/users/1');

  it.each([
    ['of a day for one route', 429, { 'retry-after': DAY }],
    ['of a day for all', 429, { 'retry-after': DAY, 'x-ratelimit-global': 'true' }],
    ['of centuries', 429, { 'retry-after': '9'.repeat(30) }],
    [
      'in the bucket',
      429,
      { 'retry-after': '1', 'x-ratelimit-reset-after': DAY, 'x-ratelimit-remaining': '0' },
    ],
    [
      'after a request that has worked',
      200,
      { 'x-ratelimit-reset-after': DAY, 'x-ratelimit-remaining': '0' },
    ],
  ] as const)('%s holds what is asked next for 15 minutes at most', async (_, status, headers) => {
    answers = [{ status, headers }];
    const error: unknown = await ask().catch((reason: unknown) => reason);
    const { handlers, globalReset } = sdk.client.rest;
    const resets = [...handlers.values()].map((handler) => Number(Reflect.get(handler, 'reset')));
    const heldMs = Math.max(globalReset, ...resets) - Date.now();
    const { retryAfter = 0, timeToReset = 0 } = error as { retryAfter?: number; timeToReset?: number }; // or '{}', the answer
    const mostMs = Math.max(heldMs, retryAfter, timeToReset);
    expect(mostMs).toBeGreaterThan(800_000);
    expect(mostMs).toBeLessThanOrEqual(901_000);
  });

  it.each(['soon', 'Wed, 21 Oct 2026 07:28:00 GMT', '-5', 'NaN'])(
    'with the time %j is not asked again at once',
    async (value) => {
      answers = Array.from({ length: 20 }, () => ({ status: 429, headers: { 'retry-after': value } }));
      await expect(ask()).rejects.toMatchObject({
        name: expect.stringMatching(/^RateLimitError/) as unknown,
      });
      expect(requests).toBe(1);
    },
  );
});
