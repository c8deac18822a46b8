import { connect, type Socket } from 'node:net';

/** A client that sends bytes, whatever they mean. */
export interface RawClient {
  readonly socket: Socket;
  /** The status of the first answer; empty where there was none. */
  readonly status: () => string;
  readonly isClosed: () => boolean;
}

/** Connects and sends the bytes. Nothing that happens to the connection throws. */
export function openRaw(url: string, bytes: string | Buffer): RawClient {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  let closed = false;
  socket.on('data', (chunk) => (answer = (answer + chunk.toString('latin1')).slice(0, 1_000)));
  socket.on('error', () => undefined);
  for (const event of ['close', 'end']) socket.on(event, () => (closed = true));
  socket.write(bytes);
  return { socket, status: () => answer.split(' ')[1] ?? '', isClosed: () => closed };
}
