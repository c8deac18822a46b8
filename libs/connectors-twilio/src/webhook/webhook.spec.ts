import { createHash, createHmac } from 'node:crypto';
import { type WebhookRequest } from '@bitbrat/connectors-core';
import { judgeWebhook } from './webhook.js';

const HEX = '0123456789abcdef0123456789abcdef';
const settings = {
  authToken: 'example-auth-token',
  webhookUrl: 'https://bot.example/webhooks/twilio',
  chatServiceSid: `IS${HEX}`,
};
const FORM = 'application/x-www-form-urlencoded';
const fields: readonly (readonly [string, string])[] = [
  ['EventType', 'onMessageAdded'],
  ['ConversationSid', `CH${HEX}`],
  ['ChatServiceSid', settings.chatServiceSid],
  ['Body', 'hello & 👋'],
];

const sign = (text: string, key = settings.authToken): string =>
  createHmac('sha1', key).update(text, 'utf8').digest('base64');

/** As Twilio's security page says: the URL and, sorted by name, each name with its values. */
function formRequest(
  parameters: readonly (readonly [string, string])[] = fields,
  { key, url = settings.webhookUrl }: { key?: string; url?: string } = {},
): WebhookRequest {
  const names = [...new Set(parameters.map(([name]) => name))].sort();
  const text = names.map((name) => {
    const values = new Set(parameters.filter(([other]) => other === name).map(([, value]) => value));
    return [...values]
      .sort()
      .map((value) => name + value)
      .join('');
  });
  return {
    method: 'POST',
    path: '/webhooks/twilio',
    headers: { 'content-type': FORM, 'x-twilio-signature': sign(url + text.join(''), key) },
    rawBody: Buffer.from(
      new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value])).toString(),
    ),
  };
}

function jsonRequest(body: string): WebhookRequest {
  const query = `?bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
  return {
    method: 'POST',
    path: `/webhooks/twilio${query}`,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-twilio-signature': sign(settings.webhookUrl + query),
    },
    rawBody: Buffer.from(body),
  };
}

const judge = (request: WebhookRequest, overrides: Partial<typeof settings> = {}): unknown =>
  judgeWebhook(request, { ...settings, ...overrides });

const wake = { kind: 'wake', conversationSid: `CH${HEX}` };
const form = formRequest();
const json = jsonRequest(JSON.stringify(Object.fromEntries(fields)));
const changed = (name: string, value: string): (readonly [string, string])[] =>
  fields.map(([other, old]) => [other, other === name ? value : old]);

describe('judgeWebhook', () => {
  it.each<[string, WebhookRequest]>([
    ['a form', form],
    ['JSON', json],
    [
      'a form with repeated parameters',
      formRequest([...fields, ['Media', 'b'], ['Media', 'a'], ['Media', 'b']]),
    ],
    ['a form with a parameter named like a prototype', formRequest([...fields, ['__proto__', 'x']])],
    ['onConversationAdded', formRequest(changed('EventType', 'onConversationAdded'))],
    [
      'a form of another media type spelling',
      { ...form, headers: { ...form.headers, 'content-type': `${FORM.toUpperCase()}; charset=UTF-8` } },
    ],
    ['a path that a proxy has changed', { ...form, path: '/internal' }],
    ['a URL signed with its port', formRequest(fields, { url: 'https://bot.example:443/webhooks/twilio' })],
  ])('accepts %s', (_, request) => {
    expect(judge(request)).toEqual(wake);
  });

  it('keeps the query of the configured URL as it was requested', () => {
    const webhookUrl = `${settings.webhookUrl}?tenant=1`;
    const request = { ...formRequest(fields, { url: webhookUrl }), path: '/webhooks/twilio?tenant=1' };
    expect(judge(request, { webhookUrl })).toEqual(wake);
  });

  it.each<[string, number, WebhookRequest]>([
    ['GET', 405, { ...form, method: 'GET' }],
    ['another type', 415, { ...form, headers: { ...form.headers, 'content-type': 'text/plain' } }],
    ['no type', 415, { ...form, headers: { 'x-twilio-signature': form.headers['x-twilio-signature'] } }],
    ['no signature', 403, { ...form, headers: { 'content-type': FORM } }],
    ['an empty signature', 403, { ...form, headers: { ...form.headers, 'x-twilio-signature': '' } }],
    ['a foreign signature', 403, formRequest(fields, { key: 'another-token' })],
    [
      'the signature of another URL',
      403,
      formRequest(fields, { url: 'https://evil.example/webhooks/twilio' }),
    ],
    ['a changed form', 403, { ...form, rawBody: Buffer.from(`${String(Buffer.from(form.rawBody))}1`) }],
    ['changed JSON', 403, { ...json, rawBody: Buffer.from(`${String(Buffer.from(json.rawBody))} `) }],
    ['JSON without its hash', 403, { ...json, path: '/webhooks/twilio' }],
    ['bytes that are no text', 403, { ...json, rawBody: Buffer.from([0xff, 0xfe]) }],
    ['an unsigned body that is no JSON either', 403, { ...json, rawBody: Buffer.from('{') }],
    ['signed text that is no JSON', 400, jsonRequest('{"EventType":')],
    ['signed JSON that is no object', 400, jsonRequest('"onMessageAdded"')],
    ['no event', 400, formRequest(fields.slice(1))],
    ['no conversation', 400, formRequest(fields.filter(([name]) => name !== 'ConversationSid'))],
    ['a malformed conversation', 400, formRequest(changed('ConversationSid', '../../Services'))],
    ['a repeated event', 400, formRequest([...fields, ['EventType', 'onConversationAdded']])],
  ])('refuses %s with %i', (_, status, request) => {
    expect(judge(request)).toMatchObject({ kind: 'refuse', status });
  });

  const delivery = (changes: Readonly<Record<string, string>> = {}): WebhookRequest =>
    formRequest(
      Object.entries({
        EventType: 'onDeliveryUpdated',
        ChatServiceSid: settings.chatServiceSid,
        ConversationSid: `CH${HEX}`,
        MessageSid: `IM${HEX}`,
        ParticipantSid: `MB${HEX}`,
        Status: 'delivered',
        ErrorCode: '0',
        DateUpdated: '2026-11-20T12:00:00.000Z',
        ...changes,
      }),
    );

  it.each<[string, Readonly<Record<string, string>>, string, number | undefined]>([
    ['delivered', {}, 'delivered', undefined],
    ['read', { Status: 'read' }, 'read', undefined],
    ['failed', { Status: 'failed', ErrorCode: '63014' }, 'failed', 63014],
    ['undelivered', { Status: 'undelivered', ErrorCode: '30003' }, 'failed', 30003],
    ['an error code that is none', { Status: 'failed', ErrorCode: 'null' }, 'failed', undefined],
  ])('tells that a message was %s', (_, changes, status, errorCode) => {
    expect(judge(delivery(changes))).toEqual({
      kind: 'delivery',
      update: {
        conversationSid: `CH${HEX}`,
        messageSid: `IM${HEX}`,
        participantSid: `MB${HEX}`,
        status,
        errorCode,
        occurredAt: Date.UTC(2026, 10, 20, 12),
      },
    });
  });

  it('tells it from JSON, too', () => {
    const body = {
      EventType: 'onDeliveryUpdated',
      ConversationSid: `CH${HEX}`,
      MessageSid: `IM${HEX}`,
      Status: 'failed',
      ErrorCode: 30008,
    };
    expect(judge(jsonRequest(JSON.stringify(body)))).toMatchObject({
      kind: 'delivery',
      update: { status: 'failed', errorCode: 30008, participantSid: undefined, occurredAt: undefined },
    });
  });

  it.each<[string, Readonly<Record<string, string>>, object]>([
    ['ignores what the sending has told', { Status: 'sent' }, { kind: 'ignore' }],
    ['ignores a status like a prototype', { Status: 'constructor' }, { kind: 'ignore' }],
    ['ignores another service', { ChatServiceSid: `IS${'f'.repeat(32)}` }, { kind: 'ignore' }],
    ['refuses a malformed message', { MessageSid: 'IM1/../..' }, { kind: 'refuse', status: 400 }],
  ])('%s', (_, changes, expected) => {
    expect(judge(delivery(changes))).toMatchObject(expected);
  });

  it('refuses a delivery without status and an unsigned one', () => {
    const fieldsOfDelivery = [
      ['EventType', 'onDeliveryUpdated'],
      ['ConversationSid', `CH${HEX}`],
    ] as const;
    expect(judge(formRequest(fieldsOfDelivery))).toMatchObject({ kind: 'refuse', status: 400 });
    expect(judge(formRequest(fieldsOfDelivery, { key: 'another-token' }))).toMatchObject({
      kind: 'refuse',
      status: 403,
    });
  });

  it.each([
    ['another event', changed('EventType', 'onParticipantAdded')],
    ['another service', changed('ChatServiceSid', `IS${'f'.repeat(32)}`)],
  ])('ignores %s', (_, parameters) => {
    expect(judge(formRequest(parameters))).toMatchObject({ kind: 'ignore' });
  });
});
