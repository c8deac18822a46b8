import { parseEnvironment } from '@bitbrat/connectors-core';
import { twitchConfigSchema } from './config.js';

const valid = {
  TWITCH_ENABLED: 'true',
  TWITCH_BOT_USERNAME: 'BitBrat_Bot',
  TWITCH_CHANNELS: 'bitbrat',
  TWITCH_ACCESS_TOKEN: 'oauth:exampleToken',
};
const refresh = {
  TWITCH_CLIENT_ID: 'example-client-id',
  TWITCH_CLIENT_SECRET: 'example-client-secret',
  TWITCH_REFRESH_TOKEN: 'example-refresh-token',
};

function faultsOf(environment: Readonly<Record<string, string | undefined>>): string[] {
  const result = parseEnvironment(twitchConfigSchema, environment);
  return result.ok ? [] : result.faults.map((fault) => fault.variable);
}

describe('twitchConfigSchema', () => {
  it('fills in the defaults', () => {
    expect(parseEnvironment(twitchConfigSchema, valid)).toEqual({
      ok: true,
      config: {
        enabled: true,
        botUsername: 'bitbrat_bot',
        channels: ['bitbrat'],
        accessToken: 'exampleToken',
        refresh: undefined,
        ircUrl: 'wss://irc-ws.chat.twitch.tv',
        authUrl: 'https://id.twitch.tv/oauth2',
        bufferMessages: 10_000,
        confirmSeconds: 10,
        maxSendWaitSeconds: 10,
        watchdogSeconds: 30,
      },
    });
  });

  it('reads what is set', () => {
    const result = parseEnvironment(twitchConfigSchema, {
      ...valid,
      ...refresh,
      TWITCH_ACCESS_TOKEN: '',
      TWITCH_CHANNELS: ' #BitBrat, second ,,bitbrat,THIRD_1',
      TWITCH_IRC_URL: 'ws://127.0.0.1:4010/twitch',
      TWITCH_AUTH_URL: 'http://127.0.0.1:4010/twitch/oauth2/',
      TWITCH_BUFFER_MESSAGES: '5',
      TWITCH_CONFIRM_SECONDS: '3',
      TWITCH_MAX_SEND_WAIT_SECONDS: '0',
      TWITCH_WATCHDOG_SECONDS: '60',
    });
    expect(result).toMatchObject({
      ok: true,
      config: {
        channels: ['bitbrat', 'second', 'third_1'],
        accessToken: undefined,
        refresh: {
          clientId: 'example-client-id',
          clientSecret: 'example-client-secret',
          refreshToken: 'example-refresh-token',
        },
        ircUrl: 'ws://127.0.0.1:4010/twitch',
        authUrl: 'http://127.0.0.1:4010/twitch/oauth2',
        bufferMessages: 5,
        confirmSeconds: 3,
        maxSendWaitSeconds: 0,
        watchdogSeconds: 60,
      },
    });
  });

  it.each([
    ['nothing is set', {}],
    ['it is empty', { TWITCH_ENABLED: '' }],
    ['it is false, whatever else is wrong', { TWITCH_ENABLED: 'false', TWITCH_CHANNELS: '??' }],
    ['only the rest is set', { ...valid, TWITCH_ENABLED: undefined }],
  ])('is disabled where %s', (_, environment) => {
    expect(parseEnvironment(twitchConfigSchema, environment)).toEqual({
      ok: true,
      config: { enabled: false },
    });
  });

  it('lists every missing setting at once', () => {
    expect(faultsOf({ TWITCH_ENABLED: 'true' })).toEqual([
      'TWITCH_BOT_USERNAME',
      'TWITCH_CHANNELS',
      'TWITCH_ACCESS_TOKEN',
    ]);
  });

  it.each([['TWITCH_CLIENT_ID'], ['TWITCH_CLIENT_SECRET'], ['TWITCH_REFRESH_TOKEN']])(
    'wants the others beside %s, a token or not',
    (name) => {
      const others = Object.keys(refresh).filter((other) => other !== name);
      expect(faultsOf({ ...valid, [name]: 'x' })).toEqual(others);
      expect(faultsOf({ ...valid, TWITCH_ACCESS_TOKEN: undefined, [name]: 'x' })).toEqual(others);
    },
  );

  it.each([
    ['TWITCH_ENABLED', 'yes'],
    ['TWITCH_BOT_USERNAME', 'bit brat'],
    ['TWITCH_BOT_USERNAME', 'x'.repeat(26)],
    ['TWITCH_BOT_USERNAME', 'bot\r\nJOIN #x'],
    ['TWITCH_CHANNELS', ','],
    ['TWITCH_CHANNELS', 'good,not good'],
    ['TWITCH_CHANNELS', 'ümlaut'],
    ['TWITCH_ACCESS_TOKEN', 'with space'],
    ['TWITCH_ACCESS_TOKEN', 'oauth:'],
    ['TWITCH_ACCESS_TOKEN', 'token\r\nJOIN #x'],
    ['TWITCH_IRC_URL', 'http://127.0.0.1'],
    ['TWITCH_IRC_URL', 'ws://user:pass@127.0.0.1'],
    ['TWITCH_AUTH_URL', 'id.twitch.tv'],
    ['TWITCH_BUFFER_MESSAGES', '0'],
    ['TWITCH_CONFIRM_SECONDS', '61'],
    ['TWITCH_MAX_SEND_WAIT_SECONDS', '-1'],
    ['TWITCH_WATCHDOG_SECONDS', '1e3'],
  ])('refuses %s=%j by name, without the value', (name, value) => {
    const result = parseEnvironment(twitchConfigSchema, { ...valid, [name]: value });
    const faults = result.ok ? [] : result.faults;
    expect(faults.map(({ variable }) => variable)).toEqual([name]);
    expect(faults[0]?.expected).toMatch(/^expected /);
    if (value.includes(' ')) expect(faults[0]?.expected).not.toContain(value);
  });

  it('never shows a secret', () => {
    const secret = 'not a token';
    const result = parseEnvironment(twitchConfigSchema, {
      ...valid,
      ...refresh,
      TWITCH_CLIENT_SECRET: secret,
    });
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toContain(secret);
  });
});
