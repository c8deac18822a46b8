const FIRST_MS = 60_000;
const MAX_MS = 15 * 60_000;

/**
 * Milliseconds until what was refused for good, or with an answer that no table lists, is tried again: a minute at first,
 * growing to 15.
 * @param failures in a row, from 1
 */
export function slowRetryMs(failures: number): number {
  return Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
}
