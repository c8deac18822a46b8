import { type Clock } from '@bitbrat/foundation';

/** Sessions that may begin in the window. That is 720 a day; Discord allows 1,000 and then resets the token ("Session Start Limit"). */
const MOST_STARTS = 20;
const WINDOW_MS = 2_400_000;

/**
 * How many gateway sessions this process has begun of late. It outlives clients: a gateway that drops each session right after its start
 * must not use up the day's starts, whoever connects again.
 */
export class IdentifyBudget {
  /** When they began, oldest first, by the clock that nobody sets. */
  readonly #starts: number[] = [];

  constructor(private readonly clock: Clock) {}

  /** Milliseconds until another session may begin; 0: now. */
  get waitMs(): number {
    const [oldest] = this.#starts;
    if (oldest === undefined || this.#starts.length < MOST_STARTS) return 0;
    return Math.max(0, Math.ceil(oldest + WINDOW_MS - this.clock.monotonic()));
  }

  /** A session begins. */
  take(): void {
    this.#starts.push(this.clock.monotonic());
    if (this.#starts.length > MOST_STARTS) this.#starts.shift();
  }
}
