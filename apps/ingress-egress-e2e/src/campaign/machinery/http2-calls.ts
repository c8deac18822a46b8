/** The client connection preface (RFC 9113, 3.4). */
const PREFACE_BYTES = 24;
/** Length, type, flags and stream id in front of each frame (RFC 9113, 4.1). */
const HEADER_BYTES = 9;
const DATA = 0x0;
const HEADERS = 0x1;
const RST_STREAM = 0x3;
const END_STREAM = 0x1;

/**
 * The client's half of an HTTP/2 connection, with calls that end abruptly turned into calls whose client has nothing more to say.
 *
 * Google's emulator (0.8.20) does not notice that a call was cancelled or that its connection is gone: its handler dies of a
 * `NoSuchMethodError`. It goes on lending messages to the dead call, a minute each, until hardly any reaches a living one. The real Pub/Sub
 * takes them back. A half-closed call is one that the emulator does end.
 */
export class Http2Calls {
  readonly #open = new Set<number>();
  #rest = Buffer.alloc(0);
  #sawPreface = false;

  /** Takes what the client has sent; returns what the server shall get, in whole frames. */
  take(chunk: Buffer): Buffer {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const out: Buffer[] = [];
    if (!this.#sawPreface) {
      if (this.#rest.length < PREFACE_BYTES) return Buffer.alloc(0);
      out.push(this.#cut(PREFACE_BYTES));
      this.#sawPreface = true;
    }
    for (;;) {
      if (this.#rest.length < HEADER_BYTES) break;
      const length = HEADER_BYTES + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < length) break;
      out.push(this.#translate(this.#cut(length)));
    }
    return Buffer.concat(out);
  }

  /** What the server shall get when the client is gone: the end of each call that is still open. */
  end(): Buffer {
    const ends = [...this.#open].map(endOf);
    this.#open.clear();
    return Buffer.concat(ends);
  }

  #translate(frame: Buffer): Buffer {
    const type = frame.readUInt8(3);
    const stream = frame.readUInt32BE(5) & 0x7fffffff;
    if (type === RST_STREAM) return this.#open.delete(stream) ? endOf(stream) : Buffer.alloc(0);
    if (type === HEADERS) this.#open.add(stream);
    if ((type === HEADERS || type === DATA) && (frame.readUInt8(4) & END_STREAM) !== 0)
      this.#open.delete(stream);
    return frame;
  }

  #cut(length: number): Buffer {
    const head = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return head;
  }
}

/** An empty DATA frame that ends the client's side of a stream; it needs no room in any window. */
function endOf(stream: number): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES);
  frame.writeUInt8(DATA, 3);
  frame.writeUInt8(END_STREAM, 4);
  frame.writeUInt32BE(stream, 5);
  return frame;
}
