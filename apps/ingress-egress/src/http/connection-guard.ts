import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { type HttpLimits } from './limits.js';

interface Connection {
  readonly socket: Socket;
  /** Requests whose answers have not left yet. */
  readonly exchanges: Map<IncomingMessage, ServerResponse>;
  /** Bytes that the client's side had taken at the last look, and when that number last grew. */
  taken: number;
  takenAt: number;
}

/**
 * Bounds the connections of a server.
 *
 * With one connection too many, the one that is longest without a complete request is closed, not the new one: clients that
 * are slow on purpose give way to probes and webhooks, which take milliseconds. Clients that read no answers, and
 * those that send requests without waiting for answers, are cut off.
 */
export class ConnectionGuard {
  /** Least recently active first. */
  readonly #connections = new Map<Socket, Connection>();
  #cancelCheck: (() => void) | undefined;

  constructor(
    server: Server,
    private readonly limits: HttpLimits,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    server.on('connection', (socket: Socket) => {
      this.#open(socket);
    });
    for (const event of ['request', 'checkContinue'] as const) {
      server.prependListener(event, (request: IncomingMessage, response: ServerResponse) => {
        this.#begin(request, response);
      });
    }
    this.#checkLater();
  }

  /** Closes every connection. */
  close(): void {
    this.#cancelCheck?.();
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #open(socket: Socket): void {
    if (this.#connections.size >= this.limits.connections) this.#makeRoom(socket);
    if (socket.destroyed) return;
    this.#connections.set(socket, {
      socket,
      exchanges: new Map(),
      taken: 0,
      takenAt: this.clock.monotonic(),
    });
    socket.once('close', () => this.#connections.delete(socket));
  }

  #makeRoom(newcomer: Socket): void {
    const [victim = newcomer] = [...this.#connections.values()]
      .filter((connection) => !isBeingAnswered(connection))
      .map(({ socket }) => socket);
    this.#connections.delete(victim);
    victim.destroy();
    this.logger.warn('http.connections-full', { limit: this.limits.connections });
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.exchanges.has(request)) return;
    this.#connections.delete(socket);
    this.#connections.set(socket, connection);
    connection.exchanges.set(request, response);
    response.once('close', () => connection.exchanges.delete(request));
    if (connection.exchanges.size > this.limits.pipelined) socket.destroy();
  }

  #checkLater(): void {
    this.#cancelCheck = this.clock.setTimeout(() => {
      const now = this.clock.monotonic();
      for (const connection of this.#connections.values()) this.#check(connection, now);
      this.#checkLater();
    }, this.limits.checkMs);
  }

  #check(connection: Connection, now: number): void {
    const { socket } = connection;
    const taken = socket.bytesWritten - socket.writableLength;
    if (socket.writableLength === 0 || taken > connection.taken) {
      connection.taken = taken;
      connection.takenAt = now;
    } else if (now - connection.takenAt > this.limits.stalledMs) {
      socket.destroy();
    }
  }
}

/** Whether a handler works for it: a request has arrived in whole and its answer is not complete. */
function isBeingAnswered({ exchanges }: Connection): boolean {
  return [...exchanges].some(([request, response]) => request.complete && !response.writableEnded);
}
