import { z } from 'zod';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { joinRaw, logInRaw } from './testing/raw-client.js';
import { twitchDefaults } from './twitch-options.js';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

describe('Twitch over HTTP', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = await startSandbox();
  });
  afterEach(async () => {
    await sandbox.close();
  });

  const call = async (method: string, path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${sandbox.url}/twitch${path}`, { method, ...init });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const send = (method: string, path: string, body: unknown): Promise<Answer> =>
    call(method, path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  const { clientId, clientSecret, accessToken, refreshToken } = twitchDefaults;
  const refreshRequest = {
    client_id: clientId,
    client_secret: clientSecret,
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
  };
  const pairSchema = z.object({
    access_token: z.string(),
    refresh_token: z.string(),
    expires_in: z.number(),
  });

  describe('tokens', () => {
    const refresh = (changes: Readonly<Record<string, string>> = {}): Promise<Answer> =>
      call('POST', '/oauth2/token', { body: new URLSearchParams({ ...refreshRequest, ...changes }) });
    const validate = (token: string): Promise<Answer> =>
      call('GET', '/oauth2/validate', { headers: { authorization: `OAuth ${token}` } });

    it('refreshes, from a form or from the query, and validates', async () => {
      const inForm = await refresh();
      expect(inForm).toMatchObject({
        status: 200,
        body: {
          expires_in: 14_400,
          scope: ['chat:read', 'chat:edit', 'whispers:read'],
          token_type: 'bearer',
        },
      });
      const pair = pairSchema.parse(inForm.body);
      expect(await validate(pair.access_token)).toMatchObject({
        status: 200,
        body: { client_id: clientId, login: 'bitbrat_bot', user_id: '777000777' },
      });
      const query = new URLSearchParams({ ...refreshRequest, refresh_token: pair.refresh_token });
      expect((await call('POST', `/oauth2/token?${query.toString()}`)).status).toBe(200);
    });

    it.each([
      [{ refresh_token: 'made-up' }, 400, 'Invalid refresh token'],
      [{ client_id: 'other' }, 400, 'invalid client'],
      [{ client_secret: 'wrong' }, 403, 'invalid client secret'],
      [{ grant_type: 'password' }, 400, 'Invalid grant type'],
    ])('refuses %j', async (changes, status, message) => {
      expect(await refresh(changes)).toEqual({ status, body: { status, message } });
    });

    it('ends tokens by time, by revoking, and by a fault', async () => {
      await sandbox.close();
      let now = Date.UTC(2026, 0, 1);
      sandbox = await startSandbox({
        twitch: { now: () => now, tokenLifeMs: 60_000, singleUseRefreshTokens: true },
      });
      expect(await validate(accessToken)).toMatchObject({ body: { expires_in: 60 } });
      now += 60_000;
      expect(await validate(accessToken)).toEqual({
        status: 401,
        body: { status: 401, message: 'invalid access token' },
      });
      const pair = pairSchema.parse((await refresh()).body);
      expect((await refresh()).status).toBe(400);
      const body = new URLSearchParams({ client_id: clientId, token: pair.access_token });
      expect((await call('POST', '/oauth2/revoke', { body })).status).toBe(200);
      expect((await call('POST', '/oauth2/revoke', { body })).status).toBe(400);
      expect((await validate(pair.access_token)).status).toBe(401);
      sandbox.twitch.injectFault({ kind: 'expire-tokens', refreshTokens: true });
      expect((await refresh({ refresh_token: pair.refresh_token })).status).toBe(400);
    });

    it('finds users by login and by id', async () => {
      sandbox.twitch.receiveMessage({
        channel: 'bitbrat',
        login: 'alice',
        userId: '0',
        displayName: 'Alice',
        text: 'x',
      });
      const headers = { authorization: `Bearer ${accessToken}`, 'client-id': clientId };
      const path = '/helix/users?login=ALICE&login=unknown&id=777000777';
      expect(await call('GET', path, { headers })).toMatchObject({
        status: 200,
        body: { data: [{ id: '0', login: 'alice', display_name: 'Alice' }, { login: 'bitbrat_bot' }] },
      });
      expect(await call('GET', '/helix/users', { headers })).toMatchObject({
        body: { data: [{ login: 'bitbrat_bot' }] },
      });
      expect((await call('GET', path)).status).toBe(401);
      expect((await call('GET', path, { headers: { authorization: headers.authorization } })).status).toBe(
        401,
      );
    });

    it('fails, is slow, or loses the answer when a fault says so', async () => {
      sandbox.twitch.injectFault({ kind: 'request', endpoint: 'token', status: 503, delayMs: 1, count: 1 });
      expect((await validate(accessToken)).status).toBe(200);
      expect((await refresh()).status).toBe(503);
      sandbox.twitch.injectFault({ kind: 'request', loseAnswer: true, count: 1 });
      await expect(validate(accessToken)).rejects.toThrow('fetch failed');
      expect((await validate(accessToken)).status).toBe(200);
    });
  });

  describe('control interface', () => {
    it('writes as a user, and shows what stands in the channel', async () => {
      const bot = await joinRaw(sandbox, 'bitbrat');
      const written = await send('POST', '/messages', {
        channel: '#Bitbrat',
        login: 'Alice',
        userId: '1',
        text: 'hello',
      });
      expect(written).toEqual({
        status: 201,
        body: {
          id: sandbox.twitch.messages('bitbrat')[0]?.id,
          channel: 'bitbrat',
          userId: '1',
          seq: 1,
          delivered: 1,
        },
      });
      await bot.next(/user-id=1;user-type= .*PRIVMSG #bitbrat :hello$/);
      const { id } = z.object({ id: z.string() }).parse(written.body);
      const waiting = call('GET', `/channels/bitbrat/messages?after=${id}&waitMs=5000`);
      bot.send(`@reply-parent-msg-id=${id} PRIVMSG #bitbrat :hello to you`);
      expect(await waiting).toMatchObject({
        status: 200,
        body: [{ seq: 2, login: 'bitbrat_bot', text: 'hello to you', replyTo: id, via: 'irc', cut: false }],
      });
      expect(await call('GET', '/channels/bitbrat/messages?after=2&waitMs=1')).toEqual({
        status: 200,
        body: [],
      });
      expect(await call('GET', '/channels/bitbrat/messages')).toMatchObject({
        body: [{ seq: 1 }, { seq: 2 }],
      });
      bot.close();
    });

    it('shows executed commands, channels and statistics', async () => {
      const bot = await joinRaw(sandbox, 'bitbrat');
      bot.send('PRIVMSG #bitbrat :.timeout alice');
      await bot.settle();
      expect(await call('GET', '/channels/bitbrat/commands')).toMatchObject({
        body: [{ name: 'timeout', text: '.timeout alice', login: 'bitbrat_bot', result: 'refused' }],
      });
      expect(await call('GET', '/channels/other/commands')).toMatchObject({ body: [] });
      expect((await send('PATCH', '/channels/bitbrat', { moderators: ['Bitbrat_Bot'] })).body).toMatchObject({
        moderators: ['bitbrat_bot'],
        members: ['bitbrat_bot'],
      });
      expect(await call('GET', '/channels')).toMatchObject({
        body: [{ name: 'bitbrat' }, { name: 'other' }],
      });
      expect(await call('GET', '/stats')).toMatchObject({
        body: { commands: 1, connections: [{ nick: 'bitbrat_bot', channels: ['bitbrat'], quiet: 'no' }] },
      });
      bot.close();
    });

    it('sends events, causes and heals faults, and makes tokens', async () => {
      const { body } = await send('POST', '/tokens', {
        login: 'second',
        lifeMs: 60_000,
        scopes: ['chat:read'],
      });
      const { accessToken: token } = z.object({ accessToken: z.string() }).parse(body);
      expect(token).toMatch(/^[a-z0-9]{30}$/);
      const bot = await logInRaw(sandbox, 'second');
      expect(await send('POST', '/events', { kind: 'raw', line: ':x FOO bar' })).toEqual({
        status: 201,
        body: { connections: 1 },
      });
      await bot.next(/^:x FOO bar$/);
      const faults = [{ kind: 'no-pong' }, { kind: 'drop' }];
      expect(await send('POST', '/faults', faults)).toEqual({
        status: 201,
        body: [
          { id: 'fault-1', affected: 0 },
          { id: null, affected: 1 },
        ],
      });
      await bot.closed();
      expect(await call('GET', '/faults')).toMatchObject({ body: [{ id: 'fault-1', strikes: 0 }] });
      expect(await call('DELETE', '/faults/fault-1')).toEqual({ status: 200, body: { healed: 1 } });
      expect((await call('DELETE', '/faults/fault-1')).status).toBe(404);
      expect(await call('DELETE', '/faults')).toEqual({ status: 200, body: { healed: 0 } });
    });

    it.each([
      ['POST', '/messages', { login: 'alice', text: 'x' }, 400, 'give either "channel" or "whisper"'],
      ['POST', '/messages', { channel: 'c', login: 'a b', text: 'x' }, 400, 'login: expected a login'],
      [
        'POST',
        '/messages',
        { channel: 'c', login: 'a', text: 'x\r\ny' },
        400,
        'text: must not hold a line break',
      ],
      ['POST', '/messages', { channel: 'c', login: 'a', text: '' }, 400, 'text: '],
      [
        'POST',
        '/messages',
        { channel: 'c', login: 'a', text: 'x', replyTo: 'no' },
        404,
        'no message no in c',
      ],
      [
        'POST',
        '/messages',
        { channel: 'c', login: 'bitbrat_bot', userId: '5', text: 'x' },
        409,
        'has the user id 777000777',
      ],
      ['POST', '/events', { kind: 'clearmsg', channel: 'c', messageId: 'no' }, 404, 'no message no'],
      ['POST', '/events', { kind: 'party' }, 400, 'kind: '],
      ['POST', '/faults', [{ kind: 'no-pong' }, { kind: 'wrong' }], 400, 'kind: '],
      ['PATCH', '/channels/c', { slowSeconds: -1 }, 400, 'slowSeconds: '],
      ['PATCH', '/channels/a%20b', {}, 400, '"a b" is no login'],
    ])('%s %s %j is answered with %d', async (method, path, body, status, message) => {
      const answer = await send(method, path, body);
      expect(answer.status).toBe(status);
      expect(z.object({ message: z.string() }).parse(answer.body).message).toContain(message);
      expect(sandbox.twitch.faults()).toEqual([]);
    });

    it('hands out the environment of a service', async () => {
      expect((await call('GET', '/environment')).body).toEqual({
        TWITCH_ENABLED: 'true',
        TWITCH_BOT_USERNAME: 'bitbrat_bot',
        TWITCH_CHANNELS: 'bitbrat',
        TWITCH_ACCESS_TOKEN: accessToken,
        TWITCH_CLIENT_ID: clientId,
        TWITCH_CLIENT_SECRET: clientSecret,
        TWITCH_REFRESH_TOKEN: refreshToken,
        TWITCH_IRC_URL: sandbox.url.replace('http', 'ws'),
        TWITCH_AUTH_URL: `${sandbox.url}/twitch/oauth2`,
      });
    });

    it('ends those who wait when it is closed', async () => {
      const waiting = expect(sandbox.twitch.waitForMessage(() => true)).rejects.toThrow('closed');
      await sandbox.close();
      await waiting;
    });

    it('says what it has instead of what was waited for', async () => {
      await expect(sandbox.twitch.waitForMember('bitbrat', 'nobody', 1)).rejects.toThrow(
        /^Waited 1 ms for nobody in bitbrat in vain; the sandbox is at \{"connections":\[\]/,
      );
    });
  });
});
