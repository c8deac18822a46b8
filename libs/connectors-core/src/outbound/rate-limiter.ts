/** So many messages in so much time. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/**
 * A token bucket that delays instead of refusing: `count` tokens at most, refilled evenly over `perMs`.
 *
 * Kept as one number, the time at which the bucket will be full again (the generic cell rate algorithm, ITU-T I.371).
 */
export class RateLimiter {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  #fullAt = -Infinity;

  constructor(rate: Rate) {
    this.#intervalMs = rate.perMs / rate.count;
    this.#toleranceMs = rate.perMs - this.#intervalMs;
  }

  /**
   * Takes a token, now or in the future: it is booked, and later calls queue behind it.
   * @param now milliseconds, of a clock that nobody sets
   * @returns how long to wait before using it, in milliseconds
   */
  reserve(now: number): number {
    const start = Math.max(now, this.#fullAt);
    this.#fullAt = start + this.#intervalMs;
    return Math.max(0, Math.ceil(start - this.#toleranceMs - now));
  }
}
