/** Far more than any message has; parsing and validating so much takes some tenths of a second at the most. */
export const MAX_VALUES = 20_000;
export const MAX_DEPTH = 100;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]); // [ {
const CLOSING = new Set([0x5d, 0x7d]); // ] }

/**
 * What a body of JSON in UTF-8 has too much of, seen in one pass over its bytes; undefined where it is within bounds.
 *
 * To be asked before parsing: a few megabytes of brackets would occupy the process for half a minute.
 */
export function exceededBound(data: Uint8Array): string | undefined {
  let depth = 0;
  let values = 1;
  for (let i = 0; i < data.length; i++) {
    const byte = data[i] ?? 0;
    if (byte === QUOTE) {
      i = endOfString(data, i);
    } else if (byte === COMMA) {
      values += 1;
    } else if (OPENING.has(byte)) {
      values += 1;
      depth += 1;
      if (depth > MAX_DEPTH) return `nested too deeply: ${MAX_DEPTH} levels are allowed`;
    } else if (CLOSING.has(byte)) {
      depth -= 1;
    }
    if (values > MAX_VALUES) return `more than ${MAX_VALUES} values`;
  }
  return undefined;
}

/** Index of the quote that ends the string which begins at `start`; the end of the body where there is none. */
function endOfString(data: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < data.length && data[i] !== QUOTE) i += data[i] === BACKSLASH ? 2 : 1;
  return i;
}
