import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import WebSocket from 'ws';
import { resetConnection } from './reset-connection.js';
import { startSandbox } from './sandbox-server.js';

const opened = (socket: WebSocket): Promise<void> =>
  new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
const closed = (socket: WebSocket): Promise<void> => new Promise((resolve) => socket.once('close', resolve));

describe('sandbox server', () => {
  it('says which port is taken, and leaves nothing open', async () => {
    const sandbox = await startSandbox();
    const port = Number(new URL(sandbox.url).port);
    await expect(startSandbox({ port })).rejects.toMatchObject({ code: 'EADDRINUSE', port });
    await sandbox.close();
    const again = await startSandbox({ port });
    expect(again.url).toBe(sandbox.url);
    await again.close();
  });

  it('refuses WebSockets on paths that no platform owns', async () => {
    const sandbox = await startSandbox();
    const socket = new WebSocket(`${sandbox.url.replace('http', 'ws')}/nowhere`);
    await expect(opened(socket)).rejects.toThrow('404');
    await sandbox.close();
  });

  it('survives a client that drops its connection during the upgrade', async () => {
    const sandbox = await startSandbox();
    sandbox.twilio.injectFault({ kind: 'refuse-connections', how: 'silence', count: 1 });
    const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1');
    socket.write(
      'GET /v3/wsconnect HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await sandbox.twilio.waitFor(() => sandbox.twilio.faults().length === 0 || undefined, 'the upgrade');
    resetConnection(socket);
    await expect(fetch(`${sandbox.url}/healthz`).then(({ status }) => status)).resolves.toBe(200);
    await sandbox.close();
  });

  it('closes although everybody hangs, and only once', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo; // it listens on TCP
    const sandbox = await startSandbox({ twilio: { webhookUrl: `http://127.0.0.1:${port}/` } });
    const { twilio, url } = sandbox;
    const { conversationSid } = await twilio.receiveMessage({ from: '+15550100', body: 'hi' });
    const frozen = new WebSocket(`${url.replace('http', 'ws')}/v3/wsconnect`);
    await opened(frozen);
    twilio.injectFault({ kind: 'half-open' });
    twilio.injectFault({ kind: 'request', target: 'rest', delayMs: 600_000 });
    const ended = closed(frozen);
    frozen.on('error', () => undefined);
    const hanging = [
      twilio.waitForMessages(conversationSid, 5, 60_000),
      twilio.waitForMessage(() => false, 60_000),
      fetch(`${url}/twilio/conversations/${conversationSid}/messages?after=5&waitMs=60000`).then(
        (response) => response.ok || Promise.reject(new Error('not ok')),
      ),
      fetch(`${url}/v1/Conversations`).then((response) => response.ok || Promise.reject(new Error('not ok'))),
    ].map((work) =>
      work.then(
        () => 'answered',
        () => 'ended',
      ),
    );
    await fetch(`${url}/healthz`);
    const closing = sandbox.close();
    expect(sandbox.close()).toBe(closing);
    await closing;
    await ended;
    await expect(Promise.all(hanging)).resolves.toEqual(['ended', 'ended', 'ended', 'ended']);
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  });
});
