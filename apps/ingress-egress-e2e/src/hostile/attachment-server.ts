import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n';

/** What a hostile server answers, by the path that is asked for. What is not here is never answered. */
export const ATTACHMENT_ATTACKS: Readonly<Record<string, string>> = {
  'switching-protocols':
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'redirect-loop': 'HTTP/1.1 302 Found\r\nLocation: /redirect-loop\r\nContent-Length: 0\r\n\r\n',
  'redirect-to-metadata':
    'HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n',
  'announces-too-much': `${HEAD}Content-Length: 99999999999\r\n\r\nx`,
  'ends-early': `${HEAD}Content-Length: 100\r\n\r\nx`,
  'no-http': '\u0000\u0001\u0002 nonsense\r\n\r\n',
  'huge-headers': `${HEAD}X-A: ${'a'.repeat(200_000)}\r\n\r\n`,
  'two-lengths': `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`,
  'not-found': 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
  silence: '',
};

/** A server of attachments that wishes the gateway ill. */
export async function startAttachmentServer(): Promise<{ host: string; close: () => void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    socket.once('data', (chunk) => {
      const path = /^GET \/([\w-]*)/.exec(chunk.toString('latin1'))?.[1] ?? '';
      socket.write(ATTACHMENT_ATTACKS[path] ?? '');
      if (path === 'ends-early' || path === 'no-http') socket.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    host: `127.0.0.1:${port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
