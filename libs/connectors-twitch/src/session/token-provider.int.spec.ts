import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { RecordingLogger } from '@bitbrat/connectors-testing';
import { systemClock } from '@bitbrat/foundation';
import { type Sandbox, startSandbox, type TwitchSandboxOptions } from '@bitbrat/sandbox';
import { fastClock } from '../testing/twitch-world.js';
import { TwitchTokenProvider } from './token-provider.js';

const never = new AbortController().signal;
const logger = new RecordingLogger();
let sandbox: Sandbox;
let given: Readonly<Record<string, string>>;

async function start(twitch: Partial<TwitchSandboxOptions> = {}): Promise<void> {
  sandbox = await startSandbox({ port: 0, twitch });
  given = sandbox.twitch.environment();
}

interface Overrides {
  readonly accessToken?: string | undefined;
  readonly refreshToken?: string;
  readonly clientSecret?: string;
  readonly botUsername?: string;
  readonly isStatic?: boolean;
  readonly clock?: typeof systemClock;
}

function provider({
  clock = systemClock,
  isStatic = false,
  ...overrides
}: Overrides = {}): TwitchTokenProvider {
  const refresh = {
    clientId: given['TWITCH_CLIENT_ID'] ?? '',
    clientSecret: overrides.clientSecret ?? given['TWITCH_CLIENT_SECRET'] ?? '',
    refreshToken: overrides.refreshToken ?? given['TWITCH_REFRESH_TOKEN'] ?? '',
  };
  return new TwitchTokenProvider(
    {
      accessToken: 'accessToken' in overrides ? overrides.accessToken : given['TWITCH_ACCESS_TOKEN'],
      authUrl: given['TWITCH_AUTH_URL'] ?? '',
      botUsername: overrides.botUsername ?? 'bitbrat_bot',
      refresh: isStatic ? undefined : refresh,
    },
    clock,
    logger,
  );
}

afterEach(async () => {
  await sandbox.close();
  expect(JSON.stringify(logger.entries)).not.toContain(given['TWITCH_CLIENT_SECRET']);
});

describe('TwitchTokenProvider', () => {
  it('gives the configured token when Twitch says that it is good, and knows its end', async () => {
    await start();
    const tokens = provider({ isStatic: true });
    const before = Date.now();
    await expect(tokens.goodToken(never)).resolves.toBe(given['TWITCH_ACCESS_TOKEN']);
    expect(tokens.expiresAt).toBeGreaterThan(before + 3.9 * 3_600_000);
    expect([tokens.canRefresh, tokens.refreshAt]).toEqual([false, undefined]);
  });

  it('gets one where none is configured', async () => {
    await start();
    const tokens = provider({ accessToken: undefined });
    const token = await tokens.goodToken(never);
    expect(token).not.toBe(given['TWITCH_ACCESS_TOKEN']);
    expect(tokens.expiresAt).toBeGreaterThan(Date.now());
    await expect(tokens.goodToken(never)).resolves.toBe(token);
  });

  it('refreshes one that has ended', async () => {
    await start();
    const tokens = provider();
    sandbox.twitch.injectFault({ kind: 'expire-tokens' });
    const token = await tokens.goodToken(never);
    expect(token).not.toBe(given['TWITCH_ACCESS_TOKEN']);
  });

  it('can try again where a token ends as soon as it was given', async () => {
    await start();
    const tokens = provider();
    sandbox.twitch.injectFault({ kind: 'request', endpoint: 'validate', status: 401, count: 2 });
    await expect(tokens.goodToken(never)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
    });
    await expect(tokens.goodToken(never)).resolves.toMatch(/^\w+$/);
  });

  it('refreshes one before it ends', async () => {
    await start({ tokenLifeMs: 1_000_000 });
    let offset = 0;
    const tokens = provider({
      accessToken: undefined,
      clock: { ...systemClock, now: () => Date.now() + offset },
    });
    const first = await tokens.goodToken(never);
    offset = 800_000;
    await expect(tokens.goodToken(never)).resolves.toBe(first);
    // Twitch has told the rest of its life again; the last tenth begins after 900 seconds of it.
    offset = 1_750_000;
    await expect(tokens.goodToken(never)).resolves.not.toBe(first);
  });

  it('goes on with a refresh token that Twitch has replaced', async () => {
    await start({ singleUseRefreshTokens: true });
    const tokens = provider({ accessToken: undefined });
    const all = [await tokens.refresh(never), await tokens.refresh(never), await tokens.refresh(never)];
    expect(new Set(all).size).toBe(3);
  });

  it('goes back to the configured refresh token when the one that replaced it has ended', async () => {
    await start();
    const tokens = provider({ accessToken: undefined });
    await tokens.refresh(never);
    sandbox.twitch.injectFault({
      kind: 'request',
      endpoint: 'token',
      status: 400,
      body: '{"status":400,"message":"Invalid refresh token"}',
      count: 1,
    });
    await expect(tokens.refresh(never)).resolves.toMatch(/^\w+$/);
  });

  it('keeps a new refresh token though its caller gave up before the answer came', async () => {
    await start({ singleUseRefreshTokens: true });
    const tokens = provider({ accessToken: undefined });
    sandbox.twitch.injectFault({ kind: 'request', endpoint: 'token', delayMs: 300, count: 1 });
    const abort = new AbortController();
    const asked = expect(tokens.refresh(abort.signal)).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    abort.abort();
    await asked;
    await tokens.idle(10_000);
    await expect(tokens.refresh(never)).resolves.toMatch(/^\w+$/);
  });

  it('goes on with a token that is about to end where no new one can be had yet', async () => {
    await start({ tokenLifeMs: 1_000_000 });
    let offset = 0;
    const tokens = provider({ clock: { ...systemClock, now: () => Date.now() + offset } });
    await tokens.goodToken(never);
    offset = 950_000;
    sandbox.twitch.injectFault({ kind: 'request', endpoint: 'token', status: 403 });
    await expect(tokens.goodToken(never)).resolves.toBe(given['TWITCH_ACCESS_TOKEN']);
    await expect(tokens.renew(never)).rejects.toMatchObject({ failureClass: 'unlisted' });
    expect(tokens.hasEnded).toBe(false);
  });

  it.each([
    ['a token that ends its line', '{"access_token":"a\\r\\nJOIN #x"}'],
    ['an empty token', '{"access_token":""}'],
    ['more than it reads', `{"access_token":"a","x":"${'x'.repeat(100_000)}"}`],
  ])('does not take %s', async (_, body) => {
    await start();
    sandbox.twitch.injectFault({ kind: 'request', endpoint: 'token', body });
    await expect(provider({ accessToken: undefined }).goodToken(never)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
    });
  });

  it('believes no life that does not fit into a date', async () => {
    await start();
    sandbox.twitch.injectFault({
      kind: 'request',
      endpoint: 'token',
      body: '{"access_token":"abc","expires_in":1e300}',
      count: 1,
    });
    const tokens = provider({ accessToken: undefined });
    await tokens.refresh(never);
    expect(tokens.expiresAt).toBeUndefined();
  });

  it('asks once for several who want a new one', async () => {
    await start({ singleUseRefreshTokens: true });
    const tokens = provider({ accessToken: undefined });
    const [one, two] = await Promise.all([tokens.refresh(never), tokens.refresh(never)]);
    expect(one).toBe(two);
  });

  it.each<[string, Overrides]>([
    ['a wrong refresh token', { accessToken: undefined, refreshToken: 'nonsense' }],
    ['a wrong client secret', { accessToken: undefined, clientSecret: 'nonsense' }],
    ['a wrong token that cannot be refreshed', { accessToken: 'nonsense', isStatic: true }],
    ["somebody else's token", { botUsername: 'somebody_else' }],
  ])('%s is AUTH_FAILED with a hint and without a secret', async (_, overrides) => {
    await start();
    const error: unknown = await provider(overrides)
      .goodToken(never)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'AUTH_FAILED',
      retryable: false,
      hint: expect.stringMatching(/TWITCH_|authorize/) as string,
    });
    expect(JSON.stringify([error, String(error)])).not.toContain('nonsense');
  });

  it('names the scopes that a token lacks', async () => {
    await start();
    const { accessToken } = sandbox.twitch.issueToken({ login: 'bitbrat_bot', scopes: ['chat:read'] });
    await expect(provider({ accessToken }).goodToken(never)).rejects.toMatchObject({
      code: 'AUTH_FAILED',
      message: expect.stringContaining('chat:edit') as string,
    });
  });

  it.each([500, 429])('goes on with the token where it cannot be validated (%i)', async (status) => {
    await start();
    sandbox.twitch.injectFault({ kind: 'request', endpoint: 'validate', status });
    await expect(provider().goodToken(never)).resolves.toBe(given['TWITCH_ACCESS_TOKEN']);
  });

  it.each([
    ['status', { status: 500 }, /UPSTREAM_UNAVAILABLE/],
    ['lost answer', { loseAnswer: true }, /UPSTREAM_UNAVAILABLE|TIMEOUT/],
    ['silence', { delayMs: 60_000 }, /TIMEOUT/],
  ] as const)('can try again where the token endpoint fails: %s', async (_, fault, code) => {
    await start();
    sandbox.twitch.injectFault({ kind: 'request', endpoint: 'token', count: 1, ...fault });
    const tokens = provider({ accessToken: undefined, clock: fastClock(20) });
    await expect(tokens.goodToken(never)).rejects.toMatchObject({
      code: expect.stringMatching(code) as string,
      retryable: true,
    });
    await expect(tokens.goodToken(never)).resolves.toMatch(/^\w+$/);
  });

  it('is given up when nobody waits any more', async () => {
    await start();
    sandbox.twitch.injectFault({ kind: 'request', delayMs: 60_000 });
    const abort = new AbortController();
    const asked = provider().goodToken(abort.signal);
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
  });

  it.each(['not json', '{}', '[]'])('takes the answer %j for an outage', async (body) => {
    await start();
    const server = createServer((_, response) => response.end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // it listens on TCP
    given = { ...given, TWITCH_AUTH_URL: `http://127.0.0.1:${port}` };
    await expect(provider({ accessToken: undefined }).goodToken(never)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
