/** Something that happened, in a run's own time. */
export interface JournalEntry {
  /** Milliseconds since the run began. */
  readonly at: number;
  readonly what: string;
  /** Ids and tokens of what it concerns; none: everybody. */
  readonly about: readonly string[];
}

/** Faults that are nearer than this to what a message lived through belong to its history, in milliseconds. */
const NEAR_MS = 5_000;

/** Keeps what happened, and tells the history of a message. */
export class Journal {
  readonly #startedAt = performance.now();
  readonly #entries: JournalEntry[] = [];

  /** Milliseconds since the run began. */
  now(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  /** @param about ids and tokens that it concerns; none for what concerns everybody, as faults do */
  note(what: string, ...about: string[]): void {
    this.#entries.push({ at: this.now(), what, about });
  }

  /** Everything that concerns one of the keys, and what went wrong around it, oldest first. */
  history(keys: readonly string[]): readonly JournalEntry[] {
    const own = this.#entries.filter(({ about }) => about.some((key) => keys.includes(key)));
    const from = (own[0]?.at ?? 0) - NEAR_MS;
    const to = (own.at(-1)?.at ?? 0) + NEAR_MS;
    return this.#entries.filter(
      (entry) =>
        entry.about.some((key) => keys.includes(key)) ||
        (entry.about.length === 0 && entry.at >= from && entry.at <= to),
    );
  }

  /** What concerns everybody, oldest first. */
  common(): readonly JournalEntry[] {
    return this.#entries.filter(({ about }) => about.length === 0);
  }
}
