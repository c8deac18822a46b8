import { EventEmitter } from 'node:events';
import { type ServerHttp2Session } from 'node:http2';
import { type Server } from '@grpc/grpc-js';

/** What a connection may send before it waits for us to have read it, in bytes. */
export const RECEIVE_WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * Gives each connection a larger receive window than HTTP/2's 64 KiB, which is four publish requests of 16 KiB: clients would
 * wait most of the time, and publish at a half to a third of the speed.
 *
 * `@grpc/grpc-js` has an option for it in its client alone, so this reaches into its server. Where a later version keeps its
 * HTTP/2 servers elsewhere nothing happens but that publishing is slower.
 */
export function widenReceiveWindow(server: Server): void {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  if (!(servers instanceof Map)) return;
  for (const http2Server of servers.keys()) {
    if (!(http2Server instanceof EventEmitter)) continue;
    http2Server.on('session', (session: ServerHttp2Session) => {
      session.setLocalWindowSize(RECEIVE_WINDOW_BYTES);
    });
  }
}
