import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Clock, keepAliveClock, type Logger, silentLogger } from '@bitbrat/foundation';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { createMethods } from '../api/methods.js';
import { readMethods } from '../api/proto.js';
import { LocalBus } from '../engine/local-bus.js';
import { addGrpcServices } from './grpc-calls.js';
import { createHttpListener } from './http-calls.js';
import { widenReceiveWindow } from './receive-window.js';

/** Settings of the local bus; each has a default. */
export interface LocalBusServerOptions {
  /** Default: one that is free. */
  readonly port?: number;
  /** What each subscription keeps at most; older messages are dropped, and that is logged. Default 500,000 messages, 512 MiB. */
  readonly limits?: { readonly messages: number; readonly bytes: number };
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export interface LocalBusServer {
  readonly port: number;
  /** `127.0.0.1:8085`: the value of `PUBSUB_EMULATOR_HOST`. */
  readonly address: string;
  /** Ends every call and forgets every message. Idempotent. */
  close(): Promise<void>;
}

/** A connection that says nothing for so long is closed, in milliseconds. */
const FIRST_BYTES_MS = 10_000;

/** The first bytes of every HTTP/2 connection (RFC 9113, section 3.4). */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0');

/**
 * Pub/Sub's own API, gRPC and REST on one port of 127.0.0.1, over topics in this process's memory.
 *
 * Any client of Google Cloud Pub/Sub works against it with `PUBSUB_EMULATOR_HOST` alone. There is no authentication, which
 * is why it serves this machine only.
 * @throws Error `EADDRINUSE` where the port is taken
 */
export async function startLocalBus(options: LocalBusServerOptions = {}): Promise<LocalBusServer> {
  const { clock = keepAliveClock, logger = silentLogger, port = 0 } = options;
  const limits = options.limits ?? { messages: 500_000, bytes: 512 * 1024 * 1024 };
  const bus = new LocalBus({ clock, logger, limits });
  const methods = createMethods(bus, clock);
  const protoMethods = readMethods();
  // Messages may have 10 MB, requests a thousand of them; the bound is Pub/Sub's for a request.
  const grpc = new GrpcServer({ 'grpc.max_receive_message_length': 11_000_000 });
  addGrpcServices(grpc, protoMethods, { bus, methods, logger });
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  widenReceiveWindow(grpc);
  const http = createHttpServer(createHttpListener(protoMethods, methods, logger));
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    sortOut(socket, {
      http2: () => {
        injector.injectConnection(socket);
      },
      http1: () => {
        http.emit('connection', socket);
      },
    });
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, '127.0.0.1', resolve);
  });
  const bound = (listener.address() as AddressInfo).port; // it listens on TCP
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => listener.close(resolve));
    bus.close();
    grpc.forceShutdown();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port: bound, address: `127.0.0.1:${bound}`, close: () => (closing ??= close()) };
}

/** Looks at the first bytes of a connection, and gives it with them to the server that understands it. */
function sortOut(socket: Socket, to: { readonly http2: () => void; readonly http1: () => void }): void {
  let seen = Buffer.alloc(0);
  socket.setTimeout(FIRST_BYTES_MS, () => socket.destroy());
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null; // no encoding is set
    if (chunk === null) return;
    seen = Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, HTTP2_PREFACE.length);
    const isPreface = seen.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length));
    if (isPreface && length < HTTP2_PREFACE.length) return;
    socket.off('readable', onReadable);
    socket.setTimeout(0);
    socket.unshift(seen);
    if (isPreface) to.http2();
    else to.http1();
  };
  socket.on('readable', onReadable);
}
