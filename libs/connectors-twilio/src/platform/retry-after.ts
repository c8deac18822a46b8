import { toRetryAfterMs } from '@bitbrat/connectors-core';
import { type Clock } from '@bitbrat/foundation';
import { propertyOf } from './property.js';

/** First line of a Twilsock frame: its header's length in bytes. */
const FIRST_LINE = /^TWILSOCK V3\.0 (\d{1,9})\r\n/;

/** Bytes within which the first line ends. */
const FIRST_LINE_LIMIT = 32;

/** Looked for first, because each frame comes by here and hardly one of them is such a reply: only that one is parsed. */
const MAY_BE_REFUSED = /"code"\s*:\s*(?:429|503)\b/;

/**
 * Milliseconds to obey that a Twilsock frame asks to wait: a reply to a tunnelled request that was refused with 429 or 503 and whose HTTP headers hold
 * `Retry-After`. Undefined for any other frame. Never throws.
 */
export function retryAfterIn(frame: Buffer): number | undefined {
  const [line, size] = FIRST_LINE.exec(frame.toString('latin1', 0, FIRST_LINE_LIMIT)) ?? [];
  if (line === undefined) return undefined;
  const text = frame.toString('utf8', line.length, line.length + Number(size));
  if (!MAY_BE_REFUSED.test(text)) return undefined;
  const header = parse(text);
  const status = propertyOf(propertyOf(header, 'http_status'), 'code');
  if (propertyOf(header, 'method') !== 'reply' || (status !== 429 && status !== 503)) return undefined;
  const headers = propertyOf(header, 'http_headers');
  if (typeof headers !== 'object' || headers === null) return undefined;
  const [, value] = Object.entries(headers).find(([name]) => name.toLowerCase() === 'retry-after') ?? [];
  return typeof value === 'string' || typeof value === 'number' ? toRetryAfterMs(String(value)) : undefined;
}

/**
 * The wait that Twilio has told over one connection. The SDK's errors have no headers, so it is read from the frames.
 *
 * It is not matched to a request: Twilio limits accounts, so what one request was told is right for each other that is refused meanwhile.
 */
export class ToldWait {
  #until = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** Milliseconds that are left of it; undefined where there is none. */
  get remainingMs(): number | undefined {
    const ms = Math.ceil(this.#until - this.clock.monotonic());
    return ms > 0 ? ms : undefined;
  }

  /** Takes a frame of the platform's. Never throws. */
  hear(frame: Buffer): void {
    const ms = retryAfterIn(frame);
    // Of two that overlap the longer one: nobody knows which of them the next error belongs to.
    if (ms !== undefined) this.#until = Math.max(this.#until, this.clock.monotonic() + ms);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
