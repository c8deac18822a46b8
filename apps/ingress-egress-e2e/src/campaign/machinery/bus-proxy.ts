import { once } from 'node:events';
import { createServer, type Server, type Socket, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { resetConnection } from '@bitbrat/sandbox';
import { Http2Calls } from './http2-calls.js';

/** Milliseconds between two looks whether a hanging connection may go on. */
const HANG_POLL_MS = 50;

/** Milliseconds that the bus gets to end the calls of a client that is gone. */
const LINGER_MS = 2_000;

/** How the network between the service and what it calls is. */
export interface LinkState {
  /** New connections are cut off at once. */
  refusing: boolean;
  /** Nothing goes through, and nobody is told. */
  hanging: boolean;
  /** Milliseconds that each piece of data takes longer, each way. */
  delayMs: number;
}

/** The network between the service and the bus, or whatever else speaks gRPC, so that it can be cut, slowed and held up for the service alone. */
export class BusProxy {
  readonly state: LinkState = { refusing: false, hanging: false, delayMs: 0 };
  /** Those of the service, and those to the bus. */
  readonly #clients = new Set<Socket>();
  readonly #upstreams = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: number,
    /** Where it listens: `127.0.0.1:{port}`. */
    readonly host: string,
  ) {
    server.on('connection', (socket) => {
      this.#serve(socket);
    });
  }

  /** @param target `127.0.0.1:{port}` of the bus */
  static async start(target: string): Promise<BusProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port on 127.0.0.1');
    return new BusProxy(server, Number(target.split(':')[1]), `127.0.0.1:${address.port}`);
  }

  /** Ends all open connections by a TCP reset. */
  cut(): void {
    for (const socket of this.#clients) resetConnection(socket);
  }

  async close(): Promise<void> {
    this.state.hanging = false;
    this.cut();
    for (const socket of this.#upstreams) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #serve(client: Socket): void {
    if (this.state.refusing) {
      resetConnection(client);
      return;
    }
    const upstream = connect(this.target, '127.0.0.1');
    const calls = new Http2Calls();
    /** What the client has sent and the bus has not got yet. */
    const unsent = new Set<Buffer>();
    this.#clients.add(client);
    this.#upstreams.add(upstream);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('data', (chunk: Buffer) => {
      const frames = calls.take(chunk);
      unsent.add(frames);
      void this.#relay(frames, client, upstream).then(() => unsent.delete(frames));
    });
    client.on('close', () => {
      this.#clients.delete(client);
      // Nobody reads the server's answers any more.
      upstream.removeAllListeners('data').resume();
      // An end without the beginning before it would be a fault of the connection, of which all its calls would die.
      if (!upstream.destroyed) upstream.write(Buffer.concat([...unsent, calls.end()]));
      setTimeout(() => upstream.destroy(), LINGER_MS).unref();
    });
    upstream.on('data', (chunk: Buffer) => {
      void this.#relay(chunk, upstream, client);
    });
    upstream.on('close', () => {
      this.#upstreams.delete(upstream);
      client.destroy();
    });
  }

  async #relay(chunk: Buffer, from: Socket, to: Socket): Promise<void> {
    const { state } = this;
    if (state.hanging || state.delayMs > 0) {
      from.pause();
      if (state.delayMs > 0) await delay(state.delayMs);
      while (state.hanging && !from.destroyed) await delay(HANG_POLL_MS);
    }
    if (from.destroyed) return;
    if (to.destroyed || to.write(chunk)) {
      from.resume();
    } else {
      from.pause();
      to.once('drain', () => from.resume());
    }
  }
}
