import { StateStoreError } from '../state-store.js';

const VERSION = 1;

/** The file's content for `entries`. */
export function encodeEntries(entries: ReadonlyMap<string, string>): string {
  return `${JSON.stringify({ version: VERSION, entries: Object.fromEntries(entries) }, undefined, 1)}\n`;
}

/**
 * The entries that `content` holds.
 * @param path named in errors
 * @throws StateStoreError `CORRUPT`
 */
export function decodeEntries(content: string, path: string): Map<string, string> {
  const document = parse(content, path);
  if (!isRecord(document) || !isRecord(document['entries'])) {
    throw corrupt(path, 'it is not a state file');
  }
  if (document['version'] !== VERSION) {
    throw corrupt(path, `its version is not ${VERSION}`);
  }
  const entries = new Map<string, string>();
  for (const [key, value] of Object.entries(document['entries'])) {
    if (typeof value !== 'string') throw corrupt(path, `the value of "${key}" is not a text`);
    entries.set(key, value);
  }
  return entries;
}

function parse(content: string, path: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    // The parser's message quotes the content, which may be a stored value.
    throw corrupt(path, content === '' ? 'it is empty' : 'it is not JSON', error);
  }
}

function corrupt(path: string, reason: string, cause?: unknown): StateStoreError {
  return new StateStoreError(
    'CORRUPT',
    `state file "${path}" cannot be read: ${reason}. Put a good copy in its place, or move it away to begin with nothing remembered; it was left as it is`,
    cause === undefined ? undefined : { cause },
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
