import { messageOf } from './thrown.js';

/** Time as a dependency, so that tests need no real time. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Milliseconds since some moment in the past. Nobody sets it, as people and networks set the clock: spans of time are measured with it. */
  monotonic(): number;
  /** Calls back once, after `ms` milliseconds, which may be any number. Returns what cancels it; cancelling twice is harmless. */
  setTimeout(callback: () => void, ms: number): () => void;
}

/** Node's timers take no more, and fire at once instead. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock. Its timers do not keep the process alive by themselves. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => {
    const timer = setTimeout(callback, Math.min(ms, MAX_TIMER_MS));
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/** The machine's clock. Its timers keep the process alive: for work that must end before the process does. */
export const keepAliveClock: Clock = {
  ...systemClock,
  setTimeout: (callback, ms) => {
    const timer = setTimeout(callback, Math.min(ms, MAX_TIMER_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};

/** RFC 3339 in UTC. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Resolves after `ms`, or as soon as `signal` is aborted; never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.setTimeout(finish, ms);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/**
 * Settles as `work` does, or rejects with what `onTimeout` makes when `ms` have passed first.
 *
 * `work` is not stopped by it: hand it an AbortSignal where it can be.
 */
export function withTimeout<T>(
  clock: Clock,
  work: Promise<T>,
  ms: number,
  onTimeout: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimeout(() => {
      reject(onTimeout());
    }, ms);
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error instanceof Error ? error : new Error(messageOf(error)));
      },
    );
  });
}

/** Resolves with `true` when `work` has settled, either way; with `false` when `ms` have passed first. */
export function settledWithin(clock: Clock, work: Promise<unknown>, ms: number): Promise<boolean> {
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
