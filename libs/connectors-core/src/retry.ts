/** Exponential back-off (AWS Architecture Blog, "Exponential Backoff And Jitter"). */
export interface BackoffPolicy {
  /** Bound of the first wait, in milliseconds. */
  readonly baseMs: number;
  /** Largest bound, in milliseconds. */
  readonly maxMs: number;
}

/** By how much of its bound a slow wait is prolonged at most. */
const SLOW_JITTER = 0.1;

/**
 * Back-off with full jitter: how long to wait before try number `attempt` + 1, in milliseconds. The bound is the upper one.
 * @param attempt tries that have failed, from 1
 * @param random a number in [0, 1)
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: () => number): number {
  return Math.floor(random() * boundOf(policy, attempt));
}

/**
 * As `backoffMs`, but the bound is the lower one: jitter only prolongs. For platforms that limit how often one may
 * try, and for waits that were announced.
 */
export function slowBackoffMs(policy: BackoffPolicy, attempt: number, random: () => number): number {
  const boundMs = boundOf(policy, attempt);
  return boundMs + Math.floor(boundMs * SLOW_JITTER * random());
}

function boundOf({ baseMs, maxMs }: BackoffPolicy, attempt: number): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
}
