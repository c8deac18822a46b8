/** Nested objects and arrays at most. Twilio's webhooks are flat. */
export const MAX_JSON_DEPTH = 16;

/** Members and items of all objects and arrays together, at most. */
export const MAX_JSON_ITEMS = 1_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * Parses a JSON object in time linear in the size of the body: depth and number of items are counted before anything is
 * allocated for them.
 * @returns undefined where the text is no JSON object, or a larger one than the bounds allow
 */
export function parseJsonObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (!isWithinBounds(body)) return undefined;
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof json === 'object' && json !== null ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}

function isWithinBounds(body: Buffer): boolean {
  let depth = 0;
  let items = 0;
  for (let i = 0; i < body.length; i += 1) {
    const byte = body[i] ?? 0;
    if (byte === QUOTE) {
      i = endOfString(body, i);
    } else if (byte === COMMA || byte === COLON) {
      items += 1;
    } else if (isOpening(byte)) {
      depth += 1;
      items += 1;
    } else if (isClosing(byte)) {
      depth -= 1;
    }
    if (depth > MAX_JSON_DEPTH || items > MAX_JSON_ITEMS) return false;
  }
  return true;
}

/** @returns the index of the closing quote, or of the end of the body */
function endOfString(body: Buffer, opening: number): number {
  let i = opening + 1;
  while (i < body.length && body[i] !== QUOTE) i += body[i] === BACKSLASH ? 2 : 1;
  return i;
}

function isOpening(byte: number): boolean {
  return byte === 0x5b || byte === 0x7b;
}

function isClosing(byte: number): boolean {
  return byte === 0x5d || byte === 0x7d;
}
