import { MAX_RETRY_AFTER_MS } from '@bitbrat/connectors-core';

/** Headers that say for how many seconds nothing may be asked ("Rate Limits"). */
const WAIT_HEADERS = ['retry-after', 'x-ratelimit-reset-after'] as const;

const MAX_SECONDS = MAX_RETRY_AFTER_MS / 1_000;

/**
 * Bounds the waits that an answer asks for, in place. discord.js obeys any number: it would ask nothing more for as
 * long, and would repeat the request at once after a value that is no number.
 */
export function boundWaits(headers: Pick<Headers, 'delete' | 'get' | 'set'>): void {
  for (const name of WAIT_HEADERS) {
    const value = headers.get(name);
    if (value === null) continue;
    const seconds = Number(value);
    if (value.trim() === '' || !(seconds >= 0)) headers.delete(name);
    else if (seconds > MAX_SECONDS) headers.set(name, String(MAX_SECONDS));
  }
}
