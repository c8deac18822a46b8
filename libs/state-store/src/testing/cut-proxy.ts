import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Passes connections on to a server, and spoils them on demand. */
export class CutProxy {
  /** How many answers were cut off. */
  cuts = 0;
  private readonly sockets = new Set<Socket>();
  private marker: string | undefined;
  private silent = false;

  private constructor(
    private readonly server: Server,
    /** `127.0.0.1:{port}` */
    readonly host: string,
  ) {}

  /** @param target `host:port` of the server */
  static async start(target: string): Promise<CutProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
    const proxy = new CutProxy(server, `127.0.0.1:${address.port}`);
    const [host, port] = target.split(':');
    server.on('connection', (client) => proxy.join(client, connect(Number(port), host)));
    return proxy;
  }

  /** Once: the request that holds `marker` is passed on, and its connection ends as the answer comes. */
  cutAnswerTo(marker: string): void {
    this.marker = marker;
  }

  /** From now on connections stay open and carry nothing. */
  fallSilent(): void {
    this.silent = true;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket, upstream: Socket): void {
    let cutting = false;
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (this.silent) return;
      if (this.marker !== undefined && chunk.includes(this.marker)) {
        this.marker = undefined;
        cutting = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (this.silent) return;
      if (!cutting) {
        client.write(chunk);
      } else if (chunk.includes('application/grpc') || chunk.byteLength > 60) {
        this.cuts += 1;
        client.destroy();
      }
    });
  }
}
