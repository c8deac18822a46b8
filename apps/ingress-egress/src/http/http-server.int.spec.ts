import { request } from 'node:http';
import { silentLogger, systemClock } from '@bitbrat/foundation';
import { createHttpServer } from './http-server.js';
import { aDesk, type HttpWorld, startHttpWorld } from './testing/http-world.js';

let open: HttpWorld | undefined;

async function aWorld(debugToken?: string): Promise<HttpWorld> {
  open = await startHttpWorld(debugToken === undefined ? {} : { debugToken });
  return open;
}

afterEach(async () => {
  await open?.stop();
  open = undefined;
});

describe('probes', () => {
  it('is alive before it is ready, and ready when the connectors are connected and the bus answers', async () => {
    const { url, manager, bus } = await aWorld();
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const before = await fetch(`${url}/readyz`);
    expect(before.status).toBe(503);
    const transport = { bus: 'ok', store: 'ok', ingressSubscriptions: 'unknown' };
    expect(await before.json()).toEqual({ ready: false, ...transport, connectors: { fake: 'stopped' } });
    await manager.startAll();
    const after = await fetch(`${url}/readyz`);
    expect(after.status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect(await after.json()).toEqual({ ready: true, ...transport, connectors: { fake: 'connected' } });
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
      logger: silentLogger,
      desk: aDesk(bus),
      debugToken: undefined,
    });
    await expect(second.listen('127.0.0.1', port)).rejects.toThrow(
      `port ${port} is in use: stop what uses it or set PORT to another one`,
    );
    await second.close();
  });

  it('names HOST where it is no address of this machine', async () => {
    const { bus, manager } = await aWorld();
    const server = createHttpServer({
      bus,
      manager,
      clock: systemClock,
      logger: silentLogger,
      desk: aDesk(bus),
      debugToken: undefined,
    });
    // TEST-NET-1: no machine has it.
    await expect(server.listen('192.0.2.1', 0)).rejects.toThrow('HOST is no address of this machine');
    await server.close();
  });
});
