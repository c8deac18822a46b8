interface Waiter {
  check(): boolean;
  fail(error: Error): void;
}

/** Lets callers wait for a condition on state that changes by events, so that nobody polls or sleeps. */
export class WaitList {
  readonly #waiters = new Set<Waiter>();

  /** Tells everybody who waits that the state may have changed. */
  notify(): void {
    for (const waiter of [...this.#waiters]) if (waiter.check()) this.#waiters.delete(waiter);
  }

  /**
   * Resolves with the first value other than undefined that `probe` returns: now, or after a change.
   *
   * Resolves with undefined after `timeoutMs` milliseconds. Rejects when the list is closed or `probe` throws.
   */
  waitFor<T>(probe: () => T | undefined, timeoutMs: number): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        resolve(undefined);
      }, timeoutMs);
      const waiter: Waiter = {
        check: () => {
          try {
            const value = probe();
            if (value === undefined) return false;
            clearTimeout(timer);
            resolve(value);
          } catch (error) {
            waiter.fail(error instanceof Error ? error : new Error(String(error)));
          }
          return true;
        },
        fail: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      if (!waiter.check()) this.#waiters.add(waiter);
    });
  }

  /**
   * Resolves with the first list that is not empty and that `list` returns: now, or after a change.
   *
   * Resolves with an empty one after `timeoutMs` milliseconds. Rejects as `waitFor` does.
   */
  async waitForSome<T>(list: () => readonly T[], timeoutMs: number): Promise<readonly T[]> {
    const probe = (): readonly T[] | undefined => {
      const found = list();
      return found.length > 0 ? found : undefined;
    };
    return (await this.waitFor(probe, timeoutMs)) ?? [];
  }

  /** Rejects everybody who still waits. */
  close(): void {
    for (const waiter of this.#waiters) waiter.fail(new Error('The sandbox was closed while waiting.'));
    this.#waiters.clear();
  }
}
