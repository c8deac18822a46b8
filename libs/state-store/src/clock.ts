/** Time as a dependency, so that tests need no real time. */
export interface StateClock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Calls back once, after `ms` milliseconds. Returns what cancels it; cancelling twice is harmless. */
  setTimeout(callback: () => void, ms: number): () => void;
}

/** The machine's clock. Its timers keep the process alive: each of them belongs to work that is under way. */
export const systemStateClock: StateClock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => {
    const timer = setTimeout(callback, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Resolves after `ms`, or as soon as `signal` is aborted; never rejects. */
export function pause(clock: StateClock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.setTimeout(finish, ms);
    signal.addEventListener('abort', finish, { once: true });
  });
}

/** Settles as `work` does, or rejects with what `onTimeout` makes when `ms` have passed first. */
export function settleWithin<T>(
  clock: StateClock,
  work: Promise<T>,
  ms: number,
  onTimeout: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimeout(() => {
      reject(onTimeout());
    }, ms);
    void work.then(resolve, reject).finally(cancel);
  });
}
