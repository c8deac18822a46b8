import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { resetConnection } from './reset-connection.js';

/** Both ends of a connection; the server's end does `act` as soon as it is there. */
async function connected(
  act: (socket: Socket) => void,
): Promise<{ client: Socket; closed: Promise<unknown> }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>; // what a net.Server emits
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1'); // it listens on TCP
  client.on('error', () => undefined);
  const [socket] = await accepted;
  server.close();
  const closed = once(socket, 'close');
  act(socket);
  return { client, closed };
}

describe('resetConnection', () => {
  it('resets', async () => {
    const { client, closed } = await connected(resetConnection);
    await expect(once(client.resume(), 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await closed;
  });

  it.each<[string, (socket: Socket) => void]>([
    ['is ending', (socket) => socket.end()],
    ['is ending with a word', (socket) => socket.end('goodbye')],
    ['is gone', (socket) => socket.destroy()],
    ['was reset', resetConnection],
  ])('closes one that %s', async (_state, before) => {
    const { client, closed } = await connected((socket) => {
      before(socket);
      resetConnection(socket);
    });
    await expect(closed).resolves.toEqual([false]);
    client.destroy();
  });

  it('closes one that has ended', async () => {
    const { client, closed } = await connected((socket) => {
      socket.end(() => {
        resetConnection(socket);
      });
    });
    await expect(closed).resolves.toEqual([false]);
    client.destroy();
  });
});
