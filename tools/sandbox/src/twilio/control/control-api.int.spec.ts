import { z } from 'zod';
import { type Sandbox, startSandbox } from '../../sandbox-server.js';

const receiptSchema = z.strictObject({
  conversationSid: z.string(),
  messageSid: z.string(),
  index: z.number(),
});
const FROM = '+15550100';

describe('control interface', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = await startSandbox();
  });
  afterEach(() => sandbox.close());

  async function call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${sandbox.url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }
  const write = async (body: string): Promise<z.infer<typeof receiptSchema>> =>
    receiptSchema.parse((await call('POST', '/twilio/messages', { from: FROM, body })).body);

  it('says that it is healthy', async () => {
    await expect(call('GET', '/healthz')).resolves.toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('takes an SMS and shows where it went', async () => {
    const sent = await call('POST', '/twilio/messages', { from: FROM, body: 'hello' });
    const receipt = receiptSchema.parse(sent.body);
    expect([sent.status, receipt.index]).toEqual([201, 0]);
    await expect(write('again')).resolves.toMatchObject({
      conversationSid: receipt.conversationSid,
      index: 1,
    });
    const listed = await call('GET', '/twilio/conversations');
    expect(listed.body).toMatchObject([
      {
        sid: receipt.conversationSid,
        messageCount: 2,
        participants: [{ type: 'sms', address: FROM, proxyAddress: '+15550199' }],
      },
    ]);
    const messages = await call('GET', `/twilio/conversations/${receipt.conversationSid}/messages`);
    expect(messages.body).toMatchObject([
      { author: FROM, body: 'hello', index: 0, attributes: {} },
      { author: FROM, body: 'again', index: 1, attributes: {} },
    ]);
  });

  it('keeps WhatsApp and SMS of one number apart', async () => {
    const sms = await write('sms');
    const chat = await call('POST', '/twilio/messages', { from: `whatsapp:${FROM}`, body: 'hi' });
    const { conversationSid } = receiptSchema.parse(chat.body);
    expect(conversationSid).not.toBe(sms.conversationSid);
    expect(sandbox.twilio.conversation(conversationSid).participants).toMatchObject([
      { type: 'whatsapp', address: `whatsapp:${FROM}`, proxyAddress: 'whatsapp:+15550199' },
    ]);
  });

  it('writes as a chat participant', async () => {
    const { conversationSid } = await write('hello');
    const path = `/twilio/conversations/${conversationSid}/participants`;
    const message = { author: 'alice', conversationSid, body: 'hi', attributes: { a: 1 } };
    await expect(call('POST', '/twilio/messages', message)).resolves.toMatchObject({ status: 400 });
    await expect(call('POST', path, { identity: 'alice' })).resolves.toMatchObject({ status: 201 });
    await expect(call('POST', path, { identity: 'alice' })).resolves.toMatchObject({ status: 409 });
    await expect(call('POST', '/twilio/messages', message)).resolves.toMatchObject({ status: 201 });
    expect(sandbox.twilio.messages(conversationSid, 0)).toMatchObject([
      { author: 'alice', attributes: { a: 1 } },
    ]);
    await expect(call('DELETE', `${path}/alice`)).resolves.toMatchObject({ status: 204 });
  });

  it('takes a message of an earlier time', async () => {
    const dateCreated = '2020-02-29T12:00:00.000Z';
    const { body } = await call('POST', '/twilio/messages', { from: FROM, body: 'old', dateCreated });
    const { conversationSid } = receiptSchema.parse(body);
    expect(sandbox.twilio.messages(conversationSid)).toMatchObject([{ body: 'old', dateCreated }]);
  });

  it('waits for a message that is yet to come', async () => {
    const { conversationSid } = await write('hello');
    const path = `/twilio/conversations/${conversationSid}/messages`;
    const waiting = call('GET', `${path}?after=0&waitMs=10000`);
    await write('later');
    expect((await waiting).body).toMatchObject([{ body: 'later', index: 1 }]);
    expect((await call('GET', `${path}?after=1&waitMs=1`)).body).toEqual([]);
  });

  it('arms, shows and heals faults, all of a list or none', async () => {
    const fault = { kind: 'no-replay', count: 2 };
    await expect(call('POST', '/twilio/faults', fault)).resolves.toEqual({
      status: 201,
      body: { id: 'fault-1', sockets: 0 },
    });
    await expect(call('POST', '/twilio/faults', [fault, { kind: 'explode' }])).resolves.toMatchObject({
      status: 400,
    });
    await expect(call('POST', '/twilio/faults', [fault, { kind: 'drop' }])).resolves.toMatchObject({
      body: [
        { id: 'fault-2', sockets: 0 },
        { id: null, sockets: 0 },
      ],
    });
    expect((await call('GET', '/twilio/faults')).body).toHaveLength(2);
    await expect(call('DELETE', '/twilio/faults/fault-1')).resolves.toMatchObject({ body: { healed: 1 } });
    await expect(call('DELETE', '/twilio/faults/fault-1')).resolves.toMatchObject({ status: 404 });
    await expect(call('DELETE', '/twilio/faults')).resolves.toMatchObject({ body: { healed: 1 } });
  });

  it('sets opt-outs and webhooks, and tells environment and statistics', async () => {
    await call('POST', '/twilio/opt-outs', { address: FROM, optedOut: true });
    expect((await call('GET', '/twilio/opt-outs')).body).toEqual([FROM]);
    await expect(
      call('PUT', '/twilio/webhook-target', { url: 'http://127.0.0.1:1/' }),
    ).resolves.toMatchObject({
      status: 200,
    });
    await write('hello');
    const { body } = await call('GET', '/twilio/webhooks?waitMs=10000');
    expect(z.array(z.looseObject({ event: z.string(), outcome: z.string() })).parse(body)[0]).toMatchObject({
      event: 'onConversationAdded',
      outcome: 'failed',
      attempts: [{ error: 'bad port' }, { error: 'bad port' }],
    });
    expect((await call('GET', '/twilio/environment')).body).toMatchObject({ TWILIO_REST_URL: sandbox.url });
    expect((await call('GET', '/twilio/stats')).body).toMatchObject({ conversations: 1, messages: 1 });
  });

  it('deletes a conversation', async () => {
    const { conversationSid } = await write('hello');
    const path = `/twilio/conversations/${conversationSid}`;
    await expect(call('DELETE', path)).resolves.toMatchObject({ status: 204 });
    await expect(call('GET', path)).resolves.toMatchObject({ status: 404 });
    await expect(write('hello')).resolves.toMatchObject({ index: 0 });
  });

  it.each([
    ['POST', '/twilio/messages', {}, 'from:'],
    ['POST', '/twilio/messages', { from: 'bob', body: 'x' }, 'from: expected a phone number'],
    ['POST', '/twilio/messages', { from: FROM }, 'body: a message needs'],
    ['POST', '/twilio/messages', { from: FROM, body: 'x', colour: 1 }, 'colour'],
    [
      'POST',
      '/twilio/messages',
      { from: FROM, body: 'x', conversationSid: 'CH1' },
      'conversationSid: expected',
    ],
    ['POST', '/twilio/messages', { from: FROM, mediaUrl: 'cat' }, 'mediaUrl: expected a URL'],
    [
      'POST',
      '/twilio/messages',
      { from: FROM, mediaUrl: 'http://127.0.0.1:1/x' },
      'mediaUrl: the file could not',
    ],
    [
      'POST',
      '/twilio/messages',
      { from: FROM, body: 'x', dateCreated: 'now' },
      'dateCreated: expected a time',
    ],
    ['POST', '/twilio/messages', { author: 'alice', body: 'x' }, 'conversationSid: needed with author'],
    ['POST', '/twilio/messages', { from: FROM, body: 'x'.repeat(40_000) }, 'Body is 40000 bytes'],
    ['POST', '/twilio/faults', { kind: 'drop', closeCode: 1 }, 'closeCode:'],
    ['POST', '/twilio/opt-outs', { address: FROM }, 'optedOut:'],
    ['POST', '/twilio/conversations', { participants: [{}] }, 'participants.0.identity:'],
    ['PUT', '/twilio/webhook-target', { url: 'ftp://x' }, 'url: expected an http or https URL'],
    ['GET', `/twilio/conversations/CH${'0'.repeat(32)}/messages?waitMs=forever`, undefined, 'waitMs:'],
  ])('%s %s %j -> 400', async (method, path, body, message) => {
    await expect(call(method, path, body)).resolves.toMatchObject({
      status: 400,
      body: { message: expect.stringContaining(message) as string },
    });
  });

  it('answers 404 where there is nothing', async () => {
    await expect(call('GET', '/nowhere')).resolves.toMatchObject({ status: 404 });
    const message = { from: FROM, body: 'x', conversationSid: `CH${'0'.repeat(32)}` };
    await expect(call('POST', '/twilio/messages', message)).resolves.toMatchObject({ status: 404 });
  });
});
