import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a server does with a connection. It may leave timers: they end with the socket. */
export type Behaviour = (socket: Socket) => void;

/** A TCP server that does as it likes. */
export class HostileServer {
  readonly sockets = new Set<Socket>();
  behaviour: Behaviour = () => undefined;
  #connections = 0;

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.#connections += 1;
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      // Without a reader the end of the connection is never seen.
      socket.resume();
      socket.on('close', () => this.sockets.delete(socket));
      this.behaviour(socket);
    });
  }

  static async listen(): Promise<HostileServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HostileServer(server);
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    const { port } = this.server.address() as AddressInfo; // it listens on TCP
    return `127.0.0.1:${port}`;
  }

  get connections(): number {
    return this.#connections;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** Answers each request with these bytes; the connection stays open. */
export const saying =
  (...chunks: readonly (string | Buffer)[]): Behaviour =>
  (socket) => {
    socket.once('data', () => {
      for (const chunk of chunks) socket.write(chunk);
    });
  };

/** The same, and closes. */
export const sayingGoodBye =
  (...chunks: readonly (string | Buffer)[]): Behaviour =>
  (socket) => {
    socket.once('data', () => {
      socket.end(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))));
    });
  };

/** Says something, then one thing again and again, as fast as it is read or every so many milliseconds. */
export const repeating =
  (first: string, again: string | Buffer, everyMs = 0): Behaviour =>
  (socket) => {
    const go = (): void => {
      if (socket.destroyed) return;
      if (everyMs > 0) {
        socket.write(again);
        setTimeout(go, everyMs);
      } else if (socket.write(again)) {
        setImmediate(go);
      } else {
        socket.once('drain', go);
      }
    };
    socket.once('data', () => {
      socket.write(first);
      go();
    });
  };
