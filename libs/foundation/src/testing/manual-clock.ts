import { type Clock } from '../clock.js';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Time that passes only when told to. */
export class ManualClock implements Clock {
  #now: number;
  /** By how much the clock was set. */
  #setBy = 0;
  readonly #timers = new Set<Timer>();

  /** @param startMs milliseconds since 1970; by default 2026-01-01T00:00:00Z */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  /** How many timers wait. None may be left after a `stop`. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  readonly now = (): number => this.#now + this.#setBy;

  readonly monotonic = (): number => this.#now;

  /** Sets the clock forward, or back; no time passes. */
  set(byMs: number): void {
    this.#setBy += byMs;
  }

  readonly setTimeout = (callback: () => void, ms: number): (() => void) => {
    const timer = { due: this.#now + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  };

  /**
   * Lets `ms` milliseconds pass: timers run in the order in which they are due, those too that are set on the way,
   * and after each the promises that it settled run on.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.due);
      timer.callback();
      await settle();
    }
    this.#now = end;
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  }
}

/** Turns of the event loop that a chain of promises, deliveries and file operations may take. */
const TURNS = 10;

/** Resolves when every promise that can settle without time or slow I/O has. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
