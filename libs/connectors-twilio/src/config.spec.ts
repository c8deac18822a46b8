import { parseEnvironment } from '@bitbrat/connectors-core';
import { twilioConfigSchema } from './config.js';

const HEX = '0123456789abcdef0123456789abcdef';
const valid = {
  TWILIO_ENABLED: 'true',
  TWILIO_ACCOUNT_SID: `AC${HEX}`,
  TWILIO_AUTH_TOKEN: 'example-auth-token',
  TWILIO_API_KEY: `SK${HEX}`,
  TWILIO_API_SECRET: 'example-api-secret',
  TWILIO_CHAT_SERVICE_SID: `IS${HEX}`,
  TWILIO_IDENTITY: 'bot',
};

describe('twilioConfigSchema', () => {
  it('fills in the defaults', () => {
    expect(parseEnvironment(twilioConfigSchema, valid)).toEqual({
      ok: true,
      config: {
        enabled: true,
        accountSid: valid.TWILIO_ACCOUNT_SID,
        authToken: valid.TWILIO_AUTH_TOKEN,
        apiKey: valid.TWILIO_API_KEY,
        apiSecret: valid.TWILIO_API_SECRET,
        chatServiceSid: valid.TWILIO_CHAT_SERVICE_SID,
        identity: 'bot',
        tokenTtlSeconds: 3600,
        allowedSenders: [],
        historyHours: 24,
        webhookUrl: undefined,
        conversationsWsUrl: undefined,
        restUrl: 'https://conversations.twilio.com',
        sweepSeconds: 60,
        watchdogSeconds: 60,
        replaceClientAfterMessages: 10_000,
      },
    });
  });

  it('reads what is set', () => {
    const result = parseEnvironment(twilioConfigSchema, {
      ...valid,
      TWILIO_TOKEN_TTL_SECONDS: '600',
      TWILIO_ALLOWED_SENDERS: ' +15550100, whatsapp:+15550101 ,chat:agent',
      TWILIO_WEBHOOK_URL: 'https://bot.example/webhooks/twilio?x=1',
      TWILIO_CONVERSATIONS_WS_URL: 'ws://127.0.0.1:4010/v3/wsconnect',
      TWILIO_REST_URL: 'http://127.0.0.1:4010/',
    });
    expect(result).toMatchObject({
      ok: true,
      config: {
        tokenTtlSeconds: 600,
        allowedSenders: ['+15550100', 'whatsapp:+15550101', 'chat:agent'],
        webhookUrl: 'https://bot.example/webhooks/twilio?x=1',
        conversationsWsUrl: 'ws://127.0.0.1:4010/v3/wsconnect',
        restUrl: 'http://127.0.0.1:4010',
      },
    });
  });

  it.each([
    ['nothing is set', {}],
    ['it is empty', { TWILIO_ENABLED: '' }],
    ['it is false, whatever else is wrong', { TWILIO_ENABLED: 'false', TWILIO_ACCOUNT_SID: 'nonsense' }],
    ['only the rest is set', { ...valid, TWILIO_ENABLED: undefined }],
  ])('is disabled where %s', (_, environment) => {
    expect(parseEnvironment(twilioConfigSchema, environment)).toEqual({
      ok: true,
      config: { enabled: false },
    });
  });

  it('lists every missing setting at once', () => {
    const result = parseEnvironment(twilioConfigSchema, { TWILIO_ENABLED: 'true' });
    expect(result.ok ? [] : result.faults.map((fault) => fault.variable)).toEqual([
      'TWILIO_ACCOUNT_SID',
      'TWILIO_AUTH_TOKEN',
      'TWILIO_API_KEY',
      'TWILIO_API_SECRET',
      'TWILIO_CHAT_SERVICE_SID',
      'TWILIO_IDENTITY',
    ]);
  });

  it.each([
    ['TWILIO_ENABLED', 'yes'],
    ['TWILIO_ACCOUNT_SID', `SK${HEX}`],
    ['TWILIO_ACCOUNT_SID', 'AC123'],
    ['TWILIO_AUTH_TOKEN', 'with space'],
    ['TWILIO_API_KEY', `AC${HEX}`],
    ['TWILIO_CHAT_SERVICE_SID', 'IS-nope'],
    ['TWILIO_IDENTITY', 'x'.repeat(257)],
    ['TWILIO_TOKEN_TTL_SECONDS', '179'],
    ['TWILIO_TOKEN_TTL_SECONDS', '86401'],
    ['TWILIO_TOKEN_TTL_SECONDS', '1e3'],
    ['TWILIO_TOKEN_TTL_SECONDS', '-600'],
    ['TWILIO_ALLOWED_SENDERS', '+15550100;+15550101'],
    ['TWILIO_ALLOWED_SENDERS', '15550100'],
    ['TWILIO_HISTORY_HOURS', '0'],
    ['TWILIO_WEBHOOK_URL', '/webhooks/twilio'],
    ['TWILIO_WEBHOOK_URL', 'ftp://bot.example'],
    ['TWILIO_WEBHOOK_URL', 'https://user@bot.example'],
    ['TWILIO_WEBHOOK_URL', 'https://bot.example/#x'],
    ['TWILIO_CONVERSATIONS_WS_URL', 'http://127.0.0.1'],
    ['TWILIO_REST_URL', 'ws://127.0.0.1'],
    ['TWILIO_SWEEP_SECONDS', '1'],
    ['TWILIO_WATCHDOG_SECONDS', 'soon'],
    ['TWILIO_REPLACE_CLIENT_AFTER_MESSAGES', '99'],
  ])('refuses %s=%s and does not repeat the value', (variable, value) => {
    const result = parseEnvironment(twilioConfigSchema, { ...valid, [variable]: value });
    const faults = result.ok ? [] : result.faults;
    expect(faults).toEqual([{ variable, expected: expect.stringMatching(/^expected /) as string }]);
    expect(faults[0]?.expected.split(' ')).not.toContain(value);
  });
});
