import { createHash } from 'node:crypto';
import { type DeadLetter, type EgressOutcome, MAX_BODY_BYTES } from '@bitbrat/envelope';

/** The longest string that an outcome or status keeps when the whole does not fit, in UTF-16 code units. */
const MAX_STRING_LENGTH = 1_000;

const sizeOf = (value: object): number => Buffer.byteLength(JSON.stringify(value));

/**
 * Fills a dead letter with as much of the original body as its message on the bus holds: base64 makes a body grow by a
 * third.
 * @param letter without a body
 */
export function withBody(letter: DeadLetter, body: Uint8Array): DeadLetter {
  const whole = { ...letter, bodyBytes: body.byteLength, bodySha256: sha256(body) };
  const room = Math.max(0, MAX_BODY_BYTES - sizeOf({ ...whole, truncated: true }));
  const kept = body.subarray(0, Math.floor(room / 4) * 3);
  return {
    ...whole,
    bodyBase64: Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength).toString('base64'),
    truncated: kept.byteLength < body.byteLength,
  };
}

/** A letter that keeps only what every bus takes, for one that the bus refuses. */
export function withoutBody(letter: DeadLetter): DeadLetter {
  const { messageId, topic } = letter.origin;
  return { ...letter, origin: { topic, messageId, attributes: {} }, bodyBase64: '', truncated: true };
}

/** An outcome that does not fit, of an event nearly as large as a message: without fields unknown to the contract, strings cut. */
export function fitOutcome(outcome: EgressOutcome): EgressOutcome {
  const { connector, destination } = outcome.target;
  return shorten({ ...outcome, target: { connector, destination } });
}

/** The same with each string cut to a length that fits, for a status or outcome that does not. */
export function shorten<T extends object>(message: T): T {
  const text = JSON.stringify(message, (_key, value: unknown) => {
    if (typeof value !== 'string' || value.length <= MAX_STRING_LENGTH) return value;
    return `${value.slice(0, MAX_STRING_LENGTH - 1).toWellFormed()}…`;
  });
  return JSON.parse(text) as T; // the same fields, and strings stay strings
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
