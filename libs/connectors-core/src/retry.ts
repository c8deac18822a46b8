/** Exponential back-off with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"). */
export interface BackoffPolicy {
  /** Upper bound of the first wait, in milliseconds. */
  readonly baseMs: number;
  /** Upper bound of any wait, in milliseconds. */
  readonly maxMs: number;
}

/**
 * How long to wait before try number `attempt` + 1, in milliseconds.
 * @param attempt tries that have failed, from 1
 * @param random a number in [0, 1)
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: () => number): number {
  const bound = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.floor(random() * bound);
}
