import { type Duplex } from 'node:stream';
import { type WebSocket } from 'ws';

/** Bytes for a client: as one message of a WebSocket, or below it. */
export interface RawBytes {
  readonly as: 'text' | 'binary' | 'tcp';
  readonly base64: string;
}

/** Sends bytes as they are. Does nothing where the socket is closing. */
export function sendRaw(socket: WebSocket, transport: Duplex, { as, base64 }: RawBytes): void {
  if (socket.readyState !== socket.OPEN) return;
  const bytes = Buffer.from(base64, 'base64');
  if (as === 'tcp') transport.write(bytes);
  else socket.send(bytes, { binary: as === 'binary' });
}
