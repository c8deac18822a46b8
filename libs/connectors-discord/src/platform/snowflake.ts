/** First moment that a Discord id can name, in milliseconds since 1970 ("Snowflakes", Discord's API reference). */
const DISCORD_EPOCH_MS = 1_420_070_400_000;

/** Whether a text is written as a Discord id of this century: 17 to 20 decimal digits. */
export function isSnowflake(text: string): boolean {
  return /^[1-9]\d{16,19}$/.test(text);
}

/** Orders two ids by age: negative when `a` is older. Digits are compared as text, because a number would lose the last ones. */
export function compareSnowflakes(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : Number(a > b);
}

/** The younger of two ids; undefined counts as older than any. */
export function newerSnowflake(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareSnowflakes(a, b) >= 0 ? a : b;
}

/** The older of two ids; undefined says nothing. */
export function olderSnowflake(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareSnowflakes(a, b) <= 0 ? a : b;
}

/** The oldest id of a moment. @param ms milliseconds since 1970 */
export function snowflakeAt(ms: number): string {
  return String(BigInt(Math.max(0, Math.trunc(ms) - DISCORD_EPOCH_MS)) << 22n);
}

/** When an id was made, in milliseconds since 1970. */
export function snowflakeTime(id: string): number {
  return Number(BigInt(id) >> 22n) + DISCORD_EPOCH_MS;
}
