/** Time as a dependency, so that tests need no real time. */
export interface BusClock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Milliseconds since some moment: for spans of time, because nobody sets it. */
  monotonic(): number;
  /** Calls back once, after `ms` milliseconds. Returns what cancels it; cancelling twice is harmless. */
  setTimeout(callback: () => void, ms: number): () => void;
}

/** The machine's clock. Its timers keep the process alive: each of them belongs to work that is under way. */
export const systemBusClock: BusClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => {
    const timer = setTimeout(callback, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Resolves after `ms`, or as soon as `signal` is aborted; never rejects. */
export function pause(clock: BusClock, ms: number, signal: AbortSignal): Promise<void> {
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

/** Resolves with `true` when `work` has settled, either way; with `false` when `ms` have passed first. */
export function settledWithin(clock: BusClock, work: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.setTimeout(() => {
      resolve(false);
    }, ms);
    const finish = (): void => {
      cancel();
      resolve(true);
    };
    work.then(finish, finish);
  });
}
