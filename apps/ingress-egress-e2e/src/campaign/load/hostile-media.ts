import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { resetConnection } from '@bitbrat/sandbox';

/** Ways in which an attachment cannot be fetched. */
export const ATTACHMENT_KINDS = [
  /** Its host has no address. */
  'unresolvable',
  /** The connection is reset. */
  'reset',
  /** `101 Switching Protocols`, which nobody has asked for. */
  'upgrade',
  /** The connection is accepted, and nothing is ever said. */
  'silent',
  /** A body that never ends, in small pieces. */
  'endless',
  /** A redirect to an address that is nobody's business. */
  'redirect',
  /** More bytes than any platform takes. */
  'huge',
  /** Bytes that are not HTTP. */
  'garbage',
] as const;

/** One of them. */
export type AttachmentKind = (typeof ATTACHMENT_KINDS)[number];

const DRIP_MS = 200;
const HUGE_BYTES = 64 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 0x61);
const OK = 'HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n';

/** A server of attachments that misbehaves in each of these ways. */
export class HostileMedia {
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    /** `127.0.0.1:{port}` */
    readonly host: string,
  ) {
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
      socket.once('data', (head: Buffer) => {
        const path = /^GET \/(\w+)/.exec(head.toString('latin1'))?.[1];
        misbehave(socket, path);
      });
    });
  }

  static async start(): Promise<HostileMedia> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port on 127.0.0.1');
    return new HostileMedia(server, `127.0.0.1:${address.port}`);
  }

  /** A URL of this kind. */
  urlOf(kind: AttachmentKind): string {
    return kind === 'unresolvable' ? 'https://nowhere.invalid/picture.png' : `http://${this.host}/${kind}`;
  }

  async close(): Promise<void> {
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.server, 'close');
  }
}

function misbehave(socket: Socket, path: string | undefined): void {
  switch (path) {
    case 'reset':
      resetConnection(socket);
      break;
    case 'upgrade':
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n');
      break;
    case 'endless': {
      socket.write(`${OK}transfer-encoding: chunked\r\n\r\n`);
      const timer = setInterval(() => socket.write('1\r\na\r\n'), DRIP_MS);
      socket.on('close', () => {
        clearInterval(timer);
      });
      break;
    }
    case 'redirect':
      socket.end(
        'HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/meta-data\r\ncontent-length: 0\r\n\r\n',
      );
      break;
    case 'huge':
      socket.write(`${OK}content-length: ${HUGE_BYTES}\r\n\r\n`);
      pour(socket, HUGE_BYTES);
      break;
    case 'garbage':
      socket.end('\u0000\u0001 nothing that HTTP would say\r\n');
      break;
    default:
  }
}

/** Writes as fast as the other side reads. */
function pour(socket: Socket, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= CHUNK.byteLength;
      if (!socket.write(CHUNK)) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}
