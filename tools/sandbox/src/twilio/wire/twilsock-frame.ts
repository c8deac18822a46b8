import { parseJson } from '../../json.js';

/** One Twilsock frame: the header's fields and the payload's bytes. */
export interface TwilsockFrame {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Buffer;
}

/** A binary message that is not a Twilsock frame; the message says what is wrong with it. */
export class FrameError extends Error {
  constructor(message: string) {
    super(`Not a Twilsock frame: ${message}`);
    this.name = 'FrameError';
  }
}

const PREFIX = 'TWILSOCK V3.0 ';
const CRLF = Buffer.from('\r\n');

/** Writes a frame. A payload other than undefined is written as JSON; lengths count UTF-8 bytes. */
export function encodeFrame(header: Readonly<Record<string, unknown>>, payload?: unknown): Buffer {
  const body = payload === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(payload), 'utf8');
  const fields = {
    ...header,
    payload_size: body.length,
    ...(payload === undefined ? {} : { payload_type: 'application/json' }),
  };
  const head = Buffer.from(JSON.stringify(fields), 'utf8');
  return Buffer.concat([Buffer.from(`${PREFIX}${head.length}\r\n`), head, CRLF, body]);
}

/** Reads a frame. Bytes after the payload are ignored. Throws `FrameError`. */
export function decodeFrame(bytes: Buffer): TwilsockFrame {
  const lineEnd = bytes.indexOf(CRLF);
  const line = bytes.toString('latin1', 0, Math.max(lineEnd, 0));
  const digits = line.startsWith(PREFIX) ? line.slice(PREFIX.length) : '';
  if (!/^\d{1,9}$/.test(digits))
    throw new FrameError('it does not begin with "TWILSOCK V3.0 <header bytes>"');
  const headStart = lineEnd + CRLF.length;
  const headEnd = headStart + Number(digits);
  if (headEnd + CRLF.length > bytes.length) throw new FrameError('the header is cut off');
  const header = parseJson(bytes.toString('utf8', headStart, headEnd));
  if (!isRecord(header)) throw new FrameError('the header is not a JSON object');
  if (!bytes.subarray(headEnd, headEnd + CRLF.length).equals(CRLF)) {
    throw new FrameError('no line end after the header: its length counts bytes, not characters');
  }
  const size = header['payload_size'] ?? 0;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) {
    throw new FrameError('payload_size is not a number of bytes');
  }
  const start = headEnd + CRLF.length;
  if (start + size > bytes.length) throw new FrameError('the payload is cut off');
  return { header, payload: bytes.subarray(start, start + size) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
