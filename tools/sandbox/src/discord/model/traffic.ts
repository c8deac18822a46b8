/** What has been counted, by group and name. */
export type Counts<G extends string> = Readonly<Record<G, Readonly<Record<string, number>>>>;

/** Counts what passes, in groups: requests by route, gateway frames by kind, and so on. */
export class Traffic<G extends string> {
  readonly #groups: ReadonlyMap<G, Map<string, number>>;

  constructor(groups: readonly G[]) {
    this.#groups = new Map(groups.map((group) => [group, new Map<string, number>()]));
  }

  /** Adds one to a counter. */
  count(group: G, name: string): void {
    const counters = this.#groups.get(group);
    counters?.set(name, (counters.get(name) ?? 0) + 1);
  }

  /** All counters, by name. */
  toJSON(): Counts<G> {
    const entries = [...this.#groups].map(([group, counters]) => [
      group,
      Object.fromEntries([...counters].sort()),
    ]);
    return Object.fromEntries(entries) as Counts<G>; // the groups are those that the constructor got
  }
}
