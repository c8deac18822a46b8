/** Exponential back-off with jitter. */
export interface Backoff {
  /** The first wait, in milliseconds. */
  readonly minMs: number;
  /** Upper bound of any wait, in milliseconds. */
  readonly maxMs: number;
}

/**
 * How long to wait after `failures` failures in a row, in milliseconds: between a half and the whole of the doubled
 * wait, so that many waiters do not come back at once and none comes back at once.
 * @param failures from 1
 * @param random a number in [0, 1)
 */
export function backoffMs(backoff: Backoff, failures: number, random: () => number): number {
  const bound = Math.min(backoff.maxMs, backoff.minMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(bound / 2 + (random() * bound) / 2);
}
