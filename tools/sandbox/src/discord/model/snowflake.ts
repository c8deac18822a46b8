/** First moment that a Discord id can name, in milliseconds since the Unix epoch ("Snowflakes", Discord's reference). */
export const DISCORD_EPOCH_MS = 1_420_070_400_000;

const TIMESTAMP_SHIFT = 22n;

/** Makes ids that grow with time, and by one within the same millisecond. */
export class SnowflakeSource {
  #last = 0n;

  /** @param now milliseconds since the Unix epoch. */
  constructor(private readonly now: () => number) {}

  /** The next id: larger than every one before it, even when the clock goes backwards. */
  next(): string {
    const earliest = BigInt(this.now() - DISCORD_EPOCH_MS) << TIMESTAMP_SHIFT;
    this.#last = earliest > this.#last ? earliest : this.#last + 1n;
    return this.#last.toString();
  }
}

/** When an id was made, in milliseconds since the Unix epoch. */
export function snowflakeTime(id: string): number {
  return Number(BigInt(id) >> TIMESTAMP_SHIFT) + DISCORD_EPOCH_MS;
}

/** Whether `text` is written as a Discord id: decimal digits that fit into 64 bits. */
export function isSnowflake(text: string): boolean {
  return /^[0-9]{1,20}$/.test(text) && BigInt(text) < 1n << 64n;
}

/** Orders two ids by age: negative when `a` is older. */
export function compareSnowflakes(a: string, b: string): number {
  return a.length === b.length ? (a < b ? -1 : Number(a > b)) : a.length - b.length;
}
