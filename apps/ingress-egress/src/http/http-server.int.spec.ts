import { request } from 'node:http';
import {
  ConnectorManager,
  type ConnectorHost,
  type IConnector,
  type Logger,
  systemClock,
  type WebhookReceiver,
  type WebhookRequest,
} from '@bitbrat/connectors-core';
import { createTopics } from '@bitbrat/envelope';
import { createMemoryBus, type MessageBus } from '@bitbrat/message-bus';
import { DeadLetterDesk } from '../dead-letters/dead-letter-desk.js';
import { createHttpServer, type HttpServer } from './http-server.js';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

interface World {
  readonly url: string;
  readonly port: number;
  readonly http: HttpServer;
  readonly bus: MessageBus;
  readonly manager: ConnectorManager;
  readonly webhooks: WebhookRequest[];
}

const aDesk = (bus: MessageBus): DeadLetterDesk =>
  new DeadLetterDesk(
    { bus, clock: systemClock, logger: silent },
    { topics: createTopics(), egressTopic: 'egress' },
  );

let open: World | undefined;

async function aWorld(debugToken?: string): Promise<World> {
  const bus = createMemoryBus();
  const webhooks: WebhookRequest[] = [];
  const create = (host: ConnectorHost): IConnector & WebhookReceiver => ({
    name: 'fake',
    capabilities: {
      text: { maxLength: 100, unit: 'utf16', multiline: true },
      attachments: { inbound: false, maxOutbound: 0 },
      directMessages: false,
      replies: false,
      receipts: false,
      edits: false,
      formatting: 'none',
      duplicateProtection: 'none',
    },
    start: () => {
      void host.stateChanged({ status: 'connected', since: '2026-01-01T00:00:00.000Z' });
      return Promise.resolve();
    },
    stop: () => Promise.resolve(),
    sendText: () => Promise.reject(new Error('not asked for')),
    getSnapshot: () => ({
      name: 'fake',
      state: { status: 'connected', since: '2026-01-01T00:00:00.000Z' },
      counters: { received: 1, ignored: 0, sent: 0, sendFailures: 0, reconnects: 0 },
      details: {},
    }),
    handleWebhook: (webhook) => {
      webhooks.push(webhook);
      return Promise.resolve({ status: 202, contentType: 'text/plain', body: 'taken' });
    },
  });
  const manager = new ConnectorManager([{ name: 'fake', create }], {
    publish: () => Promise.resolve(),
    egressTopic: 'egress',
    cursorsFor: () => ({ load: () => Promise.resolve(undefined), save: () => Promise.resolve() }),
    clock: systemClock,
    logger: silent,
    random: Math.random,
    onStateChanged: () => Promise.resolve(true),
  });
  const http = createHttpServer({
    bus,
    manager,
    clock: systemClock,
    logger: silent,
    desk: aDesk(bus),
    debugToken,
  });
  const port = await http.listen('127.0.0.1', 0);
  open = { url: `http://127.0.0.1:${port}`, port, http, bus, manager, webhooks };
  return open;
}

afterEach(async () => {
  await open?.manager.stopAll(1_000);
  await open?.http.close();
  await open?.bus.close(1_000);
  open = undefined;
});

describe('probes', () => {
  it('is alive before it is ready, and ready when the connectors are connected and the bus answers', async () => {
    const { url, manager, bus } = await aWorld();
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const before = await fetch(`${url}/readyz`);
    expect(before.status).toBe(503);
    expect(await before.json()).toEqual({ ready: false, bus: 'ok', connectors: { fake: 'stopped' } });
    await manager.startAll();
    const after = await fetch(`${url}/readyz`);
    expect(after.status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect(await after.json()).toEqual({ ready: true, bus: 'ok', connectors: { fake: 'connected' } });
    await bus.close(100);
    const away = await fetch(`${url}/readyz`);
    expect(away.status).toBe(503);
    expect(await away.json()).toMatchObject({
      ready: false,
      bus: expect.stringContaining('closed') as string,
    });
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it('tells how the connectors are', async () => {
    const { url, manager } = await aWorld();
    await manager.startAll();
    const response = await fetch(`${url}/healthz`);
    expect(await response.json()).toMatchObject({
      status: 'ok',
      connectors: { fake: { status: 'connected' } },
    });
  });
});

describe('webhooks', () => {
  it('hands over the bytes as they came, path with query, and headers', async () => {
    const { url, webhooks } = await aWorld();
    const body = '{ "a" : "ü" }';
    const response = await fetch(`${url}/webhooks/fake?bodySHA256=ab%20c`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'X-Twilio-Signature': 'sig' },
    });
    expect([response.status, await response.text()]).toEqual([202, 'taken']);
    expect(webhooks).toHaveLength(1);
    expect(webhooks[0]).toMatchObject({ method: 'POST', path: '/webhooks/fake?bodySHA256=ab%20c' });
    expect(webhooks[0]?.headers['x-twilio-signature']).toBe('sig');
    expect(Buffer.from(webhooks[0]?.rawBody ?? []).toString()).toBe(body);
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain', 'application/octet-stream'])(
    'parses no %s',
    async (type) => {
      const { url, webhooks } = await aWorld();
      const init = { method: 'POST', body: 'a=1&a=2', headers: { 'content-type': type } };
      expect((await fetch(`${url}/webhooks/fake`, init)).status).toBe(202);
      expect(Buffer.from(webhooks[0]?.rawBody ?? []).toString()).toBe('a=1&a=2');
    },
  );

  it('refuses what is too large with 413, and hands nothing over', async () => {
    const { url, webhooks } = await aWorld();
    const response = await fetch(`${url}/webhooks/fake`, { method: 'POST', body: 'x'.repeat(1_048_577) });
    expect(response.status).toBe(413);
    expect(webhooks).toEqual([]);
  });

  it('answers 404 where no connector takes webhooks, 503 while it stops', async () => {
    const { url, http } = await aWorld();
    expect((await fetch(`${url}/webhooks/fax`, { method: 'POST' })).status).toBe(404);
    http.drain();
    expect((await fetch(`${url}/webhooks/fake`, { method: 'POST', body: '' })).status).toBe(503);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
  });
});

describe('snapshots', () => {
  it('shows them to this machine', async () => {
    const { url } = await aWorld();
    expect(await (await fetch(`${url}/_debug/fake`)).json()).toMatchObject({
      name: 'fake',
      counters: { received: 1 },
    });
    expect((await fetch(`${url}/_debug/fax`)).status).toBe(404);
  });

  it('hides them from what a proxy passes on', async () => {
    const { port } = await aWorld();
    const status = await new Promise((resolve, reject) => {
      request({ port, path: '/_debug/fake', headers: { 'x-forwarded-for': '203.0.113.5' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(404);
  });

  it('asks for the token where one is set', async () => {
    const { url } = await aWorld('a-long-debug-token');
    expect((await fetch(`${url}/_debug/fake`)).status).toBe(404);
    const headers = { authorization: 'Bearer a-long-debug-token' };
    expect((await fetch(`${url}/_debug/fake`, { headers })).status).toBe(200);
  });
});

describe('listen', () => {
  it('names the port that is in use and the cure', async () => {
    const { port, bus, manager } = await aWorld();
    const second = createHttpServer({
      bus,
      manager,
      clock: systemClock,
      logger: silent,
      desk: aDesk(bus),
      debugToken: undefined,
    });
    await expect(second.listen('127.0.0.1', port)).rejects.toThrow(
      `port ${port} is in use: stop what uses it or set PORT to another one`,
    );
    await second.close();
  });
});
