/** Exponential back-off (AWS Architecture Blog, "Exponential Backoff And Jitter"). */
export interface BackoffPolicy {
  /** Bound of the first wait, in milliseconds. */
  readonly baseMs: number;
  /** Largest bound, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Where in relation to the bound a wait lies.
 *
 * - `full`: between 0 and the bound. For one client whose first retry may come at once.
 * - `half`: between a half and the whole of the bound, so that no retry comes at once.
 * - `longer`: the bound and up to a tenth more. For platforms that limit how often one may try.
 */
export type Jitter = 'full' | 'half' | 'longer';

/**
 * How long to wait after `failures` failures in a row, in milliseconds. The bound doubles with each failure.
 * @param failures from 1
 * @param random returns a number in [0, 1)
 */
export function backoffMs(
  { baseMs, maxMs }: BackoffPolicy,
  failures: number,
  random: () => number,
  jitter: Jitter = 'full',
): number {
  const boundMs = Math.min(maxMs, baseMs * 2 ** Math.min(failures - 1, 30));
  switch (jitter) {
    case 'full':
      return Math.floor(random() * boundMs);
    case 'half':
      return Math.round(boundMs / 2 + (random() * boundMs) / 2);
    case 'longer':
      return boundMs + Math.floor(boundMs * 0.1 * random());
    default:
      return jitter satisfies never;
  }
}
