import { type Clock } from './clock.js';

/** Timers by name, of which each name has one at the most. */
export class Timers<Name extends string = string> {
  readonly #cancels = new Map<Name, () => void>();

  constructor(private readonly clock: Clock) {}

  has(name: Name): boolean {
    return this.#cancels.has(name);
  }

  /** Calls back once, after `ms` milliseconds; an earlier timer of the name is cancelled. */
  set(name: Name, ms: number, callback: () => void): void {
    this.cancel(name);
    const cancel = this.clock.setTimeout(() => {
      this.#cancels.delete(name);
      callback();
    }, ms);
    this.#cancels.set(name, cancel);
  }

  cancel(name: Name): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }

  cancelAll(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }
}
