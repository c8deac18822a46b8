import { type Client } from '@twilio/conversations';
import { type Sandbox, startSandbox } from '../../sandbox-server.js';
import { connectSdk, loaded, mintToken, nextEvent } from '../testing/sdk-client.js';

interface ConnectionFailure {
  readonly terminal: boolean;
  readonly httpStatusCode: number;
  readonly errorCode: number;
}

describe('Conversations SDK: tokens', () => {
  let sandbox: Sandbox;
  let client: Client;

  beforeEach(async () => {
    sandbox = await startSandbox();
  });
  afterEach(async () => {
    await client.shutdown();
    await sandbox.close();
  });

  const state = (wanted: string): Promise<string> =>
    nextEvent<string>(client, 'connectionStateChanged', (now) => now === wanted);
  const start = async (): Promise<void> => {
    client = connectSdk(sandbox);
    await loaded(client);
  };

  it.each([
    ['a wrong signature', { secret: 'another-secret' }, 20101],
    ['another service in its grant', { service: `IS${'9'.repeat(32)}` }, 20101],
    ['an end in the past', { ttl: -10 }, 20104],
  ])('denies a token with %s', async (_name, claims, code) => {
    client = connectSdk(sandbox, mintToken(sandbox, claims));
    const failure = await nextEvent<ConnectionFailure>(client, 'connectionError');
    expect(failure).toMatchObject({ terminal: true, httpStatusCode: 401, errorCode: code });
    expect(client.connectionState).toBe('denied');
  });

  it('warns of the end of a token and takes a new one', async () => {
    // A token ends on a whole second: of 6 seconds, between 5 and 6 are left.
    client = connectSdk(sandbox, mintToken(sandbox, { ttl: 6 }));
    const warned = nextEvent(client, 'tokenAboutToExpire');
    await loaded(client);
    await warned;
    await client.updateToken(mintToken(sandbox, { ttl: 3_600 }));
    expect(sandbox.twilio.stats().counters['frame update']).toBe(1);
    expect(client.connectionState).toBe('connected');
  });

  it('ends the connection with the token', async () => {
    client = connectSdk(sandbox, mintToken(sandbox, { ttl: 6 }));
    const expired = nextEvent(client, 'tokenExpired');
    const disconnected = state('disconnected');
    await loaded(client);
    await expired;
    await disconnected;
    const connected = state('connected');
    await client.updateToken(mintToken(sandbox));
    await connected;
  });

  it('token-about-to-expire: the warning comes when asked for', async () => {
    await start();
    const warned = nextEvent(client, 'tokenAboutToExpire');
    sandbox.twilio.injectFault({ kind: 'token-about-to-expire' });
    await warned;
  });

  it('token-life: ends a token before its time, and warns only where it is asked to', async () => {
    sandbox.twilio.injectFault({ kind: 'token-life', seconds: 3, count: 1 });
    client = connectSdk(sandbox);
    let warnings = 0;
    client.on('tokenAboutToExpire', () => (warnings += 1));
    let expired = nextEvent(client, 'tokenExpired');
    let disconnected = state('disconnected');
    await loaded(client);
    await expired;
    await disconnected;
    expect(warnings).toBe(1);

    sandbox.twilio.injectFault({ kind: 'token-life', seconds: 3, warns: false, count: 1 });
    expired = nextEvent(client, 'tokenExpired');
    disconnected = state('disconnected');
    await client.updateToken(mintToken(sandbox));
    await expired;
    await disconnected;
    expect(warnings).toBe(1);
  });

  it('close-frame 401: disconnected without a word about the token', async () => {
    await start();
    let expired = false;
    client.on('tokenExpired', () => (expired = true));
    const disconnected = state('disconnected');
    sandbox.twilio.injectFault({ kind: 'close-frame', status: 401 });
    await disconnected;
    expect(expired).toBe(false);
  });

  it('refuse-token on a reconnect: denied, and a new token brings it back', async () => {
    await start();
    sandbox.twilio.injectFault({ kind: 'refuse-token', on: 'init', count: 1 });
    const expired = nextEvent(client, 'tokenExpired');
    sandbox.twilio.injectFault({ kind: 'drop' });
    await expired;
    expect(client.connectionState).toBe('denied');
    const connected = state('connected');
    await client.updateToken(mintToken(sandbox, { ttl: 1_800 }));
    await connected;
  });

  it('refuse-token on an update: denied', async () => {
    await start();
    sandbox.twilio.injectFault({ kind: 'refuse-token', on: 'update', code: 20101, count: 1 });
    const denied = state('denied');
    await expect(client.updateToken(mintToken(sandbox, { ttl: 1_800 }))).rejects.toThrow();
    await denied;
  });

  it('refuse-token 429: the client comes back by itself', async () => {
    await start();
    sandbox.twilio.injectFault({
      kind: 'refuse-token',
      status: 429,
      code: 20429,
      reconnectMinMs: 50,
      count: 1,
    });
    const failed = nextEvent<ConnectionFailure>(client, 'connectionError');
    sandbox.twilio.injectFault({ kind: 'drop' });
    await expect(failed).resolves.toMatchObject({ terminal: false, httpStatusCode: 429 });
    await state('connected');
  });
});
