/** The last ids that were added, up to a number of them. */
export class Seen {
  readonly #ids = new Set<string>();

  /** @param most ids that are remembered; the oldest are forgotten first */
  constructor(private readonly most: number) {}

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#ids.delete(id);
    this.#ids.add(id);
    if (this.#ids.size <= this.most) return;
    const [oldest] = this.#ids;
    if (oldest !== undefined) this.#ids.delete(oldest);
  }
}
