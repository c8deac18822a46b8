import { parseEnvironment } from '@bitbrat/connectors-core';
import { discordConfigSchema } from './config.js';
import { intentsFor } from './session/intents.js';

const valid = {
  DISCORD_ENABLED: 'true',
  DISCORD_BOT_TOKEN: 'example-bot-token',
  DISCORD_GUILD_ID: '1200000000000000002',
};

describe('discordConfigSchema', () => {
  it('fills in the defaults', () => {
    expect(parseEnvironment(discordConfigSchema, valid)).toEqual({
      ok: true,
      config: {
        enabled: true,
        botToken: 'example-bot-token',
        guildIds: ['1200000000000000002'],
        channelIds: [],
        directMessages: true,
        allowedMentions: 'none',
        attachmentHosts: [],
        apiUrl: 'https://discord.com/api',
        sessionFloor: 20,
        historyHours: 24,
        connectTimeoutSeconds: 30,
        requestTimeoutSeconds: 15,
      },
    });
  });

  it('reads lists, flags and an endpoint', () => {
    const environment = {
      ...valid,
      DISCORD_GUILD_ID: '1200000000000000002, 1200000000000000005,',
      DISCORD_CHANNELS: '1200000000000000003,1200000000000000003',
      DISCORD_DIRECT_MESSAGES: 'false',
      DISCORD_ALLOWED_MENTIONS: 'users',
      DISCORD_ATTACHMENT_HOSTS: 'files.example,127.0.0.1:4010',
      DISCORD_API_URL: 'http://127.0.0.1:4010/api/',
    };
    expect(parseEnvironment(discordConfigSchema, environment)).toMatchObject({
      config: {
        guildIds: ['1200000000000000002', '1200000000000000005'],
        channelIds: ['1200000000000000003'],
        directMessages: false,
        allowedMentions: 'users',
        attachmentHosts: ['files.example', '127.0.0.1:4010'],
        apiUrl: 'http://127.0.0.1:4010/api',
      },
    });
  });

  it.each([{}, { DISCORD_ENABLED: 'false', DISCORD_GUILD_ID: 'nonsense' }])(
    'is disabled by %j',
    (environment) => {
      expect(parseEnvironment(discordConfigSchema, environment)).toEqual({
        ok: true,
        config: { enabled: false },
      });
    },
  );

  it('reports every fault at once, without the values', () => {
    const result = parseEnvironment(discordConfigSchema, {
      DISCORD_ENABLED: 'yes',
      DISCORD_BOT_TOKEN: 'Bot secret-part',
      DISCORD_GUILD_ID: 'my-guild',
      DISCORD_CHANNELS: '#general',
      DISCORD_DIRECT_MESSAGES: 'maybe',
      DISCORD_ALLOWED_MENTIONS: 'everyone',
      DISCORD_ATTACHMENT_HOSTS: 'https://files.example',
      DISCORD_API_URL: 'ftp://x',
      DISCORD_SESSION_FLOOR: '-1',
      DISCORD_HISTORY_HOURS: '0',
      DISCORD_CONNECT_TIMEOUT_SECONDS: '1.5',
      DISCORD_REQUEST_TIMEOUT_SECONDS: 'long',
    });
    expect(result).toMatchObject({ ok: false });
    const faults = result.ok ? [] : result.faults;
    expect(faults.map(({ variable }) => variable).sort()).toEqual([
      'DISCORD_ALLOWED_MENTIONS',
      'DISCORD_API_URL',
      'DISCORD_ATTACHMENT_HOSTS',
      'DISCORD_BOT_TOKEN',
      'DISCORD_CHANNELS',
      'DISCORD_CONNECT_TIMEOUT_SECONDS',
      'DISCORD_DIRECT_MESSAGES',
      'DISCORD_ENABLED',
      'DISCORD_GUILD_ID',
      'DISCORD_HISTORY_HOURS',
      'DISCORD_REQUEST_TIMEOUT_SECONDS',
      'DISCORD_SESSION_FLOOR',
    ]);
    expect(faults.every(({ expected }) => expected.startsWith('expected '))).toBe(true);
    expect(JSON.stringify(faults)).not.toMatch(/secret-part|my-guild|#general/);
  });

  it.each(['DISCORD_BOT_TOKEN', 'DISCORD_GUILD_ID'])('demands %s', (variable) => {
    const result = parseEnvironment(discordConfigSchema, { ...valid, [variable]: '' });
    expect(result).toMatchObject({ ok: false, faults: [{ variable }] });
  });

  it('demands one guild at least', () => {
    const result = parseEnvironment(discordConfigSchema, { ...valid, DISCORD_GUILD_ID: ',' });
    expect(result).toMatchObject({ ok: false, faults: [{ variable: 'DISCORD_GUILD_ID' }] });
  });
});

describe('intentsFor', () => {
  it.each([
    [true, 37_377],
    [false, 33_281],
  ])('with direct messages %j are %i', (directMessages, intents) => {
    expect(intentsFor({ directMessages })).toBe(intents);
  });
});
