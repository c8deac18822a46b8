import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { resolveInstanceId } from './instance-id.js';

let server: Server | undefined;

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/id`; // listening on TCP
}

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

describe('resolveInstanceId', () => {
  it('takes what is configured', async () => {
    const id = await resolveInstanceId({ configured: 'one', metadataUrl: undefined, hostName: 'h' });
    expect(id).toBe('one');
  });

  it('asks the metadata server as Google wants it asked', async () => {
    const metadataUrl = await serve((request, response) => {
      response.end(request.headers['metadata-flavor'] === 'Google' ? '00bf4bf02d\n' : 'no flavour');
    });
    await expect(resolveInstanceId({ configured: undefined, metadataUrl, hostName: 'h' })).resolves.toBe(
      '00bf4bf02d',
    );
  });

  it.each([
    ['an error', 404, 'x'],
    ['no id', 200, '<html>'],
  ])('falls back to host name and a random part on %s', async (_name, status, body) => {
    const metadataUrl = await serve((_request, response) => {
      response.writeHead(status).end(body);
    });
    const sources = { configured: undefined, metadataUrl, hostName: 'my_host.local' };
    const first = await resolveInstanceId(sources);
    expect(first).toMatch(/^my-host-local-[0-9a-f]{8}$/);
    await expect(resolveInstanceId(sources)).resolves.not.toBe(first);
  });
});
