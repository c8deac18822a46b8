import { type Twilio } from 'twilio';
import { type Sandbox, startSandbox } from '../sandbox-server.js';
import { connectRest } from './testing/sdk-client.js';

const PHONE = '+15550100';

describe('REST client', () => {
  let sandbox: Sandbox;
  let rest: Twilio;
  let sid: string;

  beforeEach(async () => {
    sandbox = await startSandbox();
    rest = connectRest(sandbox);
    ({ conversationSid: sid } = await sandbox.twilio.receiveMessage({ from: PHONE, body: 'first' }));
  });
  afterEach(() => sandbox.close());

  it('adds, finds and removes participants', async () => {
    const { participants } = rest.conversations.v1.conversations(sid);
    const added = await participants.create({ identity: 'bitbrat' });
    expect(added).toMatchObject({ conversationSid: sid, identity: 'bitbrat' });
    await expect(participants.create({ identity: 'bitbrat' })).rejects.toMatchObject({
      status: 409,
      code: 50433,
    });
    const listed = await participants.list();
    expect(listed.map(({ identity }) => identity)).toEqual([null, 'bitbrat']);
    const fetched = await rest.conversations.v1.conversations(sid).participants('bitbrat').fetch();
    expect(fetched.sid).toBe(added.sid);
    await rest.conversations.v1.conversations(sid).participants(added.sid).remove();
    await expect(participants.list()).resolves.toHaveLength(1);
  });

  it('refuses a phone that has a conversation already', async () => {
    const other = sandbox.twilio.createConversation();
    const { participants } = rest.conversations.v1.conversations(other.sid);
    const binding = { 'messagingBinding.address': PHONE, 'messagingBinding.proxyAddress': '+15550199' };
    await expect(participants.create(binding)).rejects.toMatchObject({ status: 409, code: 50416 });
  });

  it('works with the service in the path, and with the API key', async () => {
    const environment = sandbox.twilio.environment();
    const key = [environment['TWILIO_API_KEY'] ?? '', environment['TWILIO_API_SECRET'] ?? ''] as const;
    const service = connectRest(sandbox, key).conversations.v1.services(
      environment['TWILIO_CHAT_SERVICE_SID'] ?? '',
    );
    await expect(service.conversations(sid).fetch()).resolves.toMatchObject({ sid, friendlyName: PHONE });
    const elsewhere = rest.conversations.v1.services(`IS${'9'.repeat(32)}`).conversations(sid);
    await expect(elsewhere.fetch()).rejects.toMatchObject({ status: 404 });
  });

  it('sends messages and pages through them both ways', async () => {
    const { messages } = rest.conversations.v1.conversations(sid);
    for (let index = 1; index <= 6; index += 1) {
      await messages.create({ author: 'system', body: `message ${index}`, attributes: '{"n":1}' });
    }
    const ascending = await messages.list({ pageSize: 3 });
    expect(ascending.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const descending = await messages.list({ order: 'desc', pageSize: 2, limit: 3 });
    expect(descending.map(({ index }) => index)).toEqual([6, 5, 4]);
    const fetched = await rest.conversations.v1
      .conversations(sid)
      .messages(ascending[1]?.sid ?? '')
      .fetch();
    expect(fetched).toMatchObject({ body: 'message 1', attributes: '{"n":1}', delivery: { sent: 'all' } });
  });

  it('keeps a page in its place while newer messages arrive', async () => {
    for (let index = 1; index < 4; index += 1)
      await sandbox.twilio.receiveMessage({ from: PHONE, body: 'more' });
    const { messages } = rest.conversations.v1.conversations(sid);
    const first = await messages.page({ order: 'desc', pageSize: 2 });
    await sandbox.twilio.receiveMessage({ from: PHONE, body: 'newest' });
    const second = await first.nextPage();
    expect(first.instances.map(({ index }) => index)).toEqual([3, 2]);
    expect(second?.instances.map(({ index }) => index)).toEqual([1, 0]);
    expect(second?.nextPageUrl).toBeUndefined();
  });

  it('lists the conversations of a span of time, the newest first, page by page', async () => {
    const { conversations } = rest.conversations.v1.services(
      sandbox.twilio.environment()['TWILIO_CHAT_SERVICE_SID'] ?? '',
    );
    const sids = [sid];
    for (let i = 1; i < 5; i += 1) sids.unshift(sandbox.twilio.createConversation().sid);
    const newest = sandbox.twilio.conversation(sids[0] ?? '').dateCreated;
    const day = (offset: number): string => new Date(Date.parse(newest) + offset * 86_400_000).toISOString();
    const list = async (filter: Parameters<typeof conversations.list>[0]): Promise<string[]> =>
      (await conversations.list({ ...filter, pageSize: 2 })).map((each) => each.sid);
    await expect(list({ startDate: day(-1) })).resolves.toEqual(sids);
    await expect(list({ startDate: day(-1), endDate: day(1), state: 'active' })).resolves.toEqual(sids);
    await expect(list({ startDate: newest, endDate: newest })).resolves.toContain(sids[0]);
    await expect(list({ startDate: day(1) })).resolves.toEqual([]);
    await expect(list({ endDate: day(-1) })).resolves.toEqual([]);
    await expect(list({ state: 'closed' })).resolves.toEqual([]);
    await expect(list({})).resolves.toEqual([...sids].reverse());
  });

  it.each([
    [
      'a start that is no date',
      () => rest.conversations.v1.conversations.list({ startDate: 'yesterday' }),
      400,
      20001,
    ],
    [
      'an unknown conversation',
      () => rest.conversations.v1.conversations(`CH${'0'.repeat(32)}`).fetch(),
      404,
      20404,
    ],
    [
      'an unknown message',
      () =>
        rest.conversations.v1
          .conversations(sid)
          .messages(`IM${'0'.repeat(32)}`)
          .fetch(),
      404,
      20404,
    ],
    [
      'a text over 1,600 characters',
      () => rest.conversations.v1.conversations(sid).messages.create({ body: 'x'.repeat(1_601) }),
      400,
      21617,
    ],
    [
      'a participant without a name',
      () => rest.conversations.v1.conversations(sid).participants.create({}),
      400,
      20001,
    ],
    [
      'a wrong password',
      () =>
        connectRest(sandbox, [sandbox.twilio.environment()['TWILIO_ACCOUNT_SID'] ?? '', 'wrong'])
          .conversations.v1.conversations(sid)
          .fetch(),
      401,
      20003,
    ],
  ])('refuses %s', async (_name, call, status, code) => {
    await expect(call()).rejects.toMatchObject({ status, code });
  });

  it('fails, throttles and loses answers on demand', async () => {
    const { participants } = rest.conversations.v1.conversations(sid);
    const fault = { kind: 'request', target: 'rest', operation: 'createParticipant', count: 1 } as const;
    sandbox.twilio.injectFault({ ...fault, status: 503 });
    await expect(participants.create({ identity: 'a' })).rejects.toMatchObject({ status: 503 });
    sandbox.twilio.injectFault({ ...fault, loseAnswer: 'drop' });
    await expect(participants.create({ identity: 'b' })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(sandbox.twilio.conversation(sid).participants.map(({ identity }) => identity)).toEqual([
      null,
      'b',
    ]);
  });

  it('names the time to wait after 429 when asked to', async () => {
    const fault = { kind: 'request', target: 'rest', status: 429, count: 1 } as const;
    const { TWILIO_API_KEY: user = '', TWILIO_API_SECRET: password = '' } = sandbox.twilio.environment();
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    const retryAfter = async (): Promise<readonly [number, string | null]> => {
      const response = await fetch(`${sandbox.url}/v1/Conversations/${sid}`, { headers: { authorization } });
      await response.arrayBuffer();
      return [response.status, response.headers.get('retry-after')];
    };
    sandbox.twilio.injectFault(fault);
    await expect(retryAfter()).resolves.toEqual([429, null]);
    sandbox.twilio.injectFault({ ...fault, retryAfterSeconds: 3 });
    await expect(retryAfter()).resolves.toEqual([429, '3']);
    await expect(retryAfter()).resolves.toEqual([200, null]);
  });
});
