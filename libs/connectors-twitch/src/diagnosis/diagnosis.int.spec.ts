import { type DiagnosisRow } from '@bitbrat/connectors-core';
import { type TwitchConfig } from '../config.js';
import { diagnoseTwitch } from './diagnosis.js';
import { Gateway, waitFor } from '../testing/twitch-world.js';

const containing = (text: string): unknown => expect.stringContaining(text);

let gateway: Gateway;

beforeEach(async () => {
  gateway = await Gateway.create({ sandbox: { channels: ['bitbrat', 'second'] } });
});

afterEach(async () => {
  await gateway.dispose();
});

async function diagnose(changed: Partial<TwitchConfig> = {}): Promise<DiagnosisRow[]> {
  const rows: DiagnosisRow[] = [];
  const config = { ...gateway.config, ...changed };
  for await (const row of diagnoseTwitch(config, gateway.host, new AbortController().signal)) rows.push(row);
  return rows;
}

const rowOf = (rows: readonly DiagnosisRow[], check: string): DiagnosisRow | undefined =>
  rows.find((row) => row.check === check);

const statuses = (rows: readonly DiagnosisRow[]): Record<string, string> =>
  Object.fromEntries(rows.map(({ check, status }) => [check, status]));

describe('diagnosing Twitch', () => {
  it('finds all well, writes nothing and leaves no connection behind', async () => {
    const rows = await diagnose();
    expect(statuses(rows)).toEqual({ 'access token': 'ok', chat: 'ok', '#bitbrat': 'ok', '#second': 'ok' });
    await waitFor(() => gateway.connections === 0, 'the end of the connection');
    expect(gateway.sent('bitbrat')).toEqual([]);
    const { accessToken = '', refresh } = gateway.config;
    const secrets = [accessToken, refresh?.clientSecret ?? '', refresh?.refreshToken ?? ''];
    for (const secret of secrets) expect(JSON.stringify(rows)).not.toContain(secret);
    expect(gateway.host.findSecrets(secrets)).toEqual([]);
  });

  it('refreshes where there is no access token', async () => {
    const rows = await diagnose({ accessToken: undefined });
    expect(statuses(rows)).toMatchObject({ 'refresh token': 'ok', chat: 'ok' });
  });

  it('warns of an access token that cannot be refreshed', async () => {
    const row = rowOf(await diagnose({ refresh: undefined }), 'access token');
    expect(row).toMatchObject({ status: 'warning', cure: containing('TWITCH_REFRESH_TOKEN') });
  });

  it('names the cure of an access token that has ended', async () => {
    gateway.sandbox.twitch.injectFault({ kind: 'expire-tokens' });
    const ended = rowOf(await diagnose({ refresh: undefined }), 'access token');
    expect(ended).toMatchObject({ status: 'fault', cure: containing('TWITCH_ACCESS_TOKEN') });
    const replaceable = rowOf(await diagnose(), 'access token');
    expect(replaceable).toMatchObject({
      status: 'warning',
      cure: containing('leave out TWITCH_ACCESS_TOKEN'),
    });
  });

  it('names the cure of a wrong client secret', async () => {
    const { refresh } = gateway.config;
    if (refresh === undefined) throw new Error('the sandbox hands out a refresh token');
    const changed = { accessToken: undefined, refresh: { ...refresh, clientSecret: 'wrong' } };
    const rows = await diagnose(changed);
    expect(rows).toMatchObject([
      { check: 'refresh token', status: 'fault', cure: containing('TWITCH_CLIENT_SECRET') },
    ]);
  });

  it('names the cure of a missing scope and of another account', async () => {
    const { twitch } = gateway.sandbox;
    const login = gateway.config.botUsername;
    const { accessToken: narrow } = twitch.issueToken({ login, scopes: ['chat:read'] });
    expect(rowOf(await diagnose({ accessToken: narrow }), 'access token')).toMatchObject({
      status: 'fault',
      cure: containing('chat:edit'),
    });
    const { accessToken: strange } = twitch.issueToken({ login: 'somebody' });
    expect(rowOf(await diagnose({ accessToken: strange }), 'access token')).toMatchObject({
      status: 'fault',
      cure: containing('TWITCH_BOT_USERNAME'),
    });
  });

  it('tells channels that refuse from those that can be joined', async () => {
    gateway.sandbox.twitch.configureChannel('second', { suspended: true });
    const rows = await diagnose({ channels: ['bitbrat', 'second'] });
    expect(statuses(rows)).toEqual({
      'access token': 'ok',
      chat: 'ok',
      '#bitbrat': 'ok',
      '#second': 'fault',
    });
    expect(rowOf(rows, '#second')?.cure).toContain('suspended');
  });

  it('names a chat that does not answer', async () => {
    gateway.sandbox.twitch.injectFault({ kind: 'refuse-connections', how: 'http' });
    expect(rowOf(await diagnose(), 'chat')).toMatchObject({ status: 'fault' });
  });

  it('names the cure of a refused login', async () => {
    gateway.sandbox.twitch.injectFault({ kind: 'login-failure' });
    expect(rowOf(await diagnose(), 'chat')).toMatchObject({
      status: 'fault',
      cure: containing('chat:read'),
    });
  });
});
