/** Counters by name, and gauges that are read when asked for. */
export class Stats {
  readonly #counters = new Map<string, number>();

  /** Adds one to a counter. */
  count(name: string): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + 1);
  }

  /** All counters, sorted by name. */
  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.#counters].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
