/** Messages of all channels on their way to the bus: far more than a healthy bus leaves there, some megabytes where it is away. */
const MAX_UNDER_WAY = 2_000;

/** Events of all channels that wait while histories are read. */
const MAX_WAITING = 5_000;

/** How much the feeds of all channels hold together, so that a bus that is away costs no more memory the more channels there are. */
export class FeedRoom {
  #underWay = 0;
  #waiting = 0;

  /** Whether another message may set out for the bus. */
  get hasRoom(): boolean {
    return this.#underWay < MAX_UNDER_WAY;
  }

  /** Whether more events wait than should. */
  get isOverfull(): boolean {
    return this.#waiting > MAX_WAITING;
  }

  /** A message sets out for the bus. */
  depart(): void {
    this.#underWay += 1;
  }

  /** The bus has it, or has refused it. */
  arrive(): void {
    this.#underWay -= 1;
  }

  /** An event begins to wait. */
  wait(): void {
    this.#waiting += 1;
  }

  /** So many wait no longer. */
  leave(count: number): void {
    this.#waiting -= count;
  }
}
