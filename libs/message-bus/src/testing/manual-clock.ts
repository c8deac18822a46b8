import { type BusClock } from '../clock.js';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that a test moves. */
export class ManualClock implements BusClock {
  private timers: Timer[] = [];
  private setBy = 0;

  /** @param time milliseconds since 1970 */
  constructor(private time = 0) {}

  now(): number {
    return this.time + this.setBy;
  }

  monotonic(): number {
    return this.time;
  }

  /** Sets the clock forward, or back; timers run as they would have. */
  set(byMs: number): void {
    this.setBy += byMs;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.timers.length;
  }

  setTimeout(callback: () => void, ms: number): () => void {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass: calls what is due, in order of time, and what that has started as far as it is due. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await this.turns();
      const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.time = Math.max(this.time, due.at);
      due.callback();
    }
    this.time = end;
  }

  /** What the last timer has set off, promises and deliveries, has its turns of the event loop. */
  private async turns(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}
