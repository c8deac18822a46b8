import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type DiagnosisRow } from '@bitbrat/connectors-core';
import { type TwilioConfig } from '../config.js';
import { diagnoseTwilio } from './diagnosis.js';
import { Gateway } from '../testing/twilio-world.js';

const containing = (text: string): unknown => expect.stringContaining(text);

let gateway: Gateway;

beforeEach(async () => {
  gateway = await Gateway.create();
});

afterEach(async () => {
  await gateway.dispose();
});

async function diagnose(changed: Partial<TwilioConfig> = {}): Promise<DiagnosisRow[]> {
  const rows: DiagnosisRow[] = [];
  const config = { ...gateway.config, ...changed };
  for await (const row of diagnoseTwilio(config, gateway.host, new AbortController().signal)) rows.push(row);
  return rows;
}

const rowOf = (rows: readonly DiagnosisRow[], check: string): DiagnosisRow | undefined =>
  rows.find((row) => row.check === check);

const statuses = (rows: readonly DiagnosisRow[]): Record<string, string> =>
  Object.fromEntries(rows.map(({ check, status }) => [check, status]));

describe('diagnosing Twilio', () => {
  it('finds all well, changes nothing and leaves no connection behind', async () => {
    gateway.conversation();
    const before = JSON.stringify(gateway.sandbox.twilio.conversations());
    const rows = await diagnose();
    expect(statuses(rows)).toEqual({
      'access token': 'ok',
      'API key': 'ok',
      'auth token': 'ok',
      WebSocket: 'ok',
      participation: 'ok',
      'webhook address': 'ok',
      webhook: 'ok',
    });
    expect(rowOf(rows, 'participation')?.found).toContain('1 conversation');
    expect(JSON.stringify(gateway.sandbox.twilio.conversations())).toBe(before);
    await gateway.sandbox.twilio.waitFor(
      () => (gateway.sandbox.twilio.stats().sockets.open === 0 ? true : undefined),
      'the end of the connection',
    );
    const { apiSecret, authToken } = gateway.config;
    for (const secret of [apiSecret, authToken, 'eyJ']) expect(JSON.stringify(rows)).not.toContain(secret);
    expect(gateway.host.findSecrets([apiSecret, authToken, 'eyJ'])).toEqual([]);
  });

  it.each<[string, Partial<TwilioConfig>, string, string]>([
    ['a wrong API secret', { apiSecret: 'wrong' }, 'API key', 'TWILIO_API_SECRET'],
    ['a wrong API secret', { apiSecret: 'wrong' }, 'WebSocket', 'TWILIO_API_SECRET'],
    ['a wrong auth token', { authToken: 'wrong' }, 'auth token', 'TWILIO_AUTH_TOKEN'],
    ['a wrong auth token', { authToken: 'wrong' }, 'webhook', 'TWILIO_AUTH_TOKEN'],
    ['another account', { accountSid: `AC${'1'.repeat(32)}` }, 'auth token', 'TWILIO_ACCOUNT_SID'],
    ['an unknown service', { chatServiceSid: `IS${'1'.repeat(32)}` }, 'API key', 'TWILIO_CHAT_SERVICE_SID'],
  ])('names the cure of %s: %o, row %s', async (_, changed, check, cure) => {
    const row = rowOf(await diagnose(changed), check);
    expect(row).toMatchObject({ status: 'fault', cure: containing(cure) });
  });

  it('names the cure of a token that has ended', async () => {
    gateway.sandbox.twilio.injectFault({ kind: 'refuse-token', code: 20104 });
    const row = rowOf(await diagnose(), 'WebSocket');
    expect(row).toMatchObject({ status: 'fault', cure: containing("this machine's clock") });
  });

  it('warns where nothing listens at the webhook', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // it listens on TCP
    await new Promise((resolve) => server.close(resolve));
    const webhookUrl = `http://127.0.0.1:${port}/webhooks/twilio`;
    const row = rowOf(await diagnose({ webhookUrl }), 'webhook');
    expect(row).toMatchObject({ status: 'warning', cure: containing('start the gateway') });
  });

  it('tells another program at the webhook from the gateway', async () => {
    const webhookUrl = `${gateway.sandbox.url}/healthz`;
    const row = rowOf(await diagnose({ webhookUrl }), 'webhook');
    expect(row).toMatchObject({ status: 'fault', cure: containing('path') });
  });

  it('ends soon when it is given up', async () => {
    gateway.sandbox.twilio.injectFault({ kind: 'refuse-connections', how: 'silence' });
    const abort = new AbortController();
    const startedAt = Date.now();
    const rows: DiagnosisRow[] = [];
    for await (const row of diagnoseTwilio(gateway.config, gateway.host, abort.signal)) {
      rows.push(row);
      if (row.check === 'auth token') abort.abort();
    }
    expect(rowOf(rows, 'WebSocket')).toMatchObject({ status: 'fault' });
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  });
});
