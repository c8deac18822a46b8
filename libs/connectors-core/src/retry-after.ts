/**
 * The longest that a platform's demand to wait is obeyed, in milliseconds. A header may hold any number, and what it
 * says may be lifted earlier: asking again four times an hour costs a platform nothing.
 */
export const MAX_RETRY_AFTER_MS = 15 * 60_000;

/** The wait to obey, in milliseconds; undefined for what is no wait (negative, not a number). */
export function boundRetryAfter(ms: number | undefined): number | undefined {
  return ms === undefined || !(ms >= 0) ? undefined : Math.min(ms, MAX_RETRY_AFTER_MS);
}

/**
 * Milliseconds to obey of a header `Retry-After`; undefined where it has none.
 *
 * Seconds only: a date, which HTTP allows, would be measured by the platform's clock.
 */
export function toRetryAfterMs(value: string | null | undefined): number | undefined {
  const [, seconds] = /^\s*(\d{1,20}(?:\.\d{1,20})?)\s*$/.exec(value?.slice(0, 64) ?? '') ?? [];
  const ms = Math.ceil(Number(seconds ?? 0) * 1_000);
  return ms > 0 ? boundRetryAfter(ms) : undefined;
}
