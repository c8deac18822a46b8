import { type IncomingMessage } from 'node:http';
import { type HttpLimits } from './limits.js';

/** Bytes that are allocated for a body at first. */
const FIRST_BYTES = 4_096;

/** A body that is not read. The status is answered and the connection closed. */
export class BodyRefusedError extends Error {
  override readonly name = 'BodyRefusedError';

  constructor(
    readonly statusCode: 400 | 413 | 503,
    message: string,
  ) {
    super(message);
  }
}

/** A body that is being read, or whose request is being answered. */
interface HeldBody {
  bytes: number;
  /** Ends the reading; undefined when the body has arrived. */
  refuse: ((error: BodyRefusedError) => void) | undefined;
}

/**
 * Reads bodies into memory, each of them and all together within a bound.
 *
 * What announces itself as too large is refused before anything is read. When all together reach the bound, the oldest body
 * that is still arriving is refused: clients that send slowly on purpose give way to the others.
 */
export class BodyReader {
  /** Oldest first. */
  readonly #bodies = new Set<HeldBody>();
  #held = 0;

  constructor(private readonly limits: Pick<HttpLimits, 'bodyBytes' | 'heldBytes'>) {}

  /** Bytes of all bodies that are held. */
  get held(): number {
    return this.#held;
  }

  /**
   * Resolves with the body; its bytes count as held until `released` settles.
   * @throws BodyRefusedError
   */
  async read(request: IncomingMessage, released: Promise<unknown>): Promise<Buffer> {
    const { bodyBytes } = this.limits;
    if (Number(request.headers['content-length']) > bodyBytes) throw tooLarge(bodyBytes);
    const held: HeldBody = { bytes: 0, refuse: undefined };
    this.#bodies.add(held);
    const release = (): void => {
      this.#bodies.delete(held);
      this.#held -= held.bytes;
      held.bytes = 0;
    };
    void released.then(release, release);
    return this.#receive(request, held);
  }

  #receive(request: IncomingMessage, held: HeldBody): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      // One buffer that grows: a chunk for each byte would cost a hundred times the byte.
      let buffer = Buffer.alloc(0);
      let length = 0;
      const settle = (): void => {
        held.refuse = undefined;
        request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onError);
      };
      held.refuse = (error) => {
        settle();
        request.pause();
        reject(error);
      };
      const onData = (chunk: Buffer): void => {
        const refusal = this.#admit(held, length + chunk.length, buffer.length);
        if (refusal !== undefined) {
          held.refuse?.(refusal);
          return;
        }
        if (length + chunk.length > buffer.length) {
          const grown = Buffer.allocUnsafe(held.bytes);
          buffer.copy(grown, 0, 0, length);
          buffer = grown;
        }
        length += chunk.copy(buffer, length);
      };
      const onEnd = (): void => {
        settle();
        resolve(buffer.subarray(0, length));
      };
      const onError = (): void => {
        settle();
        reject(new BodyRefusedError(400, 'the body ended early'));
      };
      request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onError);
    });
  }

  /** Makes room for a body of `length` bytes. Returns why there is none. */
  #admit(held: HeldBody, length: number, allocated: number): BodyRefusedError | undefined {
    const { bodyBytes, heldBytes } = this.limits;
    if (length > bodyBytes) return tooLarge(bodyBytes);
    if (length <= allocated) return undefined;
    const wanted = Math.min(bodyBytes, Math.max(length, allocated * 2, FIRST_BYTES));
    this.#held += wanted - held.bytes;
    held.bytes = wanted;
    while (this.#held > heldBytes) {
      const victim = [...this.#bodies].find((body) => body.refuse !== undefined && body.bytes > 0);
      if (victim === undefined || victim === held) return busy();
      victim.refuse?.(busy());
      this.#held -= victim.bytes;
      victim.bytes = 0;
    }
    return undefined;
  }
}

const tooLarge = (bytes: number): BodyRefusedError =>
  new BodyRefusedError(413, `the body is larger than ${bytes} bytes`);

const busy = (): BodyRefusedError => new BodyRefusedError(503, 'too many large requests at once');
