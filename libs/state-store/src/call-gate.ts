import { setMaxListeners } from 'node:events';
import { type Clock } from '@bitbrat/foundation';
import { StateStoreError } from './state-store.js';

const closedError = (): StateStoreError =>
  new StateStoreError(
    'CLOSED',
    'the state store is closed; a write that was under way may have taken effect',
  );

/** Counts the calls under way, and lets a store close behind them. */
export class CallGate {
  private readonly calls = new Set<(error: Error) => void>();
  private readonly forced = new AbortController();
  private closing: Promise<void> | undefined;
  private drained: () => void = () => undefined;

  constructor(private readonly clock: Clock) {
    // One listener for each call that waits: as many as there are calls, and no leak.
    setMaxListeners(0, this.forced.signal);
  }

  /** Aborted when closing has run out of time: what is left has nobody to answer to. */
  get signal(): AbortSignal {
    return this.forced.signal;
  }

  /**
   * Does the work, unless the gate is closed.
   * @throws StateStoreError `CLOSED`
   */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.closing !== undefined) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.calls.add(reject);
      const finish = (): void => {
        this.calls.delete(reject);
        if (this.calls.size === 0) this.drained();
      };
      void work().then(resolve, reject).finally(finish);
    });
  }

  /** Resolves when no call is under way any more, at the latest after `timeoutMs`. */
  close(timeoutMs: number): Promise<void> {
    this.closing ??= this.drain(timeoutMs);
    return this.closing;
  }

  private drain(timeoutMs: number): Promise<void> {
    if (this.calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.clock.setTimeout(() => {
        this.forced.abort();
        for (const reject of this.calls) reject(closedError());
        resolve();
      }, timeoutMs);
      this.drained = () => {
        cancel();
        resolve();
      };
    });
  }
}
