import { type Clock, type Logger, messageOf, sleep } from '@bitbrat/foundation';
import { type StateStore, StateStoreError } from '@bitbrat/state-store';

/** Milliseconds between two looks, while all is well and while it is not, and what one look may take. */
const LOOK_EVERY_MS = 10_000;
const LOOK_AGAIN_MS = 2_000;
const LOOK_MS = 5_000;

/** Faults of a call that say nothing about the store. */
const CALL_FAULTS = new Set(['INVALID_KEY', 'INVALID_VALUE', 'CLOSED']);

/** A store that knows whether it works: by looks of its own, and by what becomes of the calls that pass through it. */
export class StoreWatch implements StateStore {
  readonly #stopped = new AbortController();
  #fault: string | undefined = 'not looked at yet';
  /** Why the last write was refused; undefined: it was not. A store may be readable and refuse writes. */
  #writeFault: string | undefined;
  #reported: string | undefined;

  constructor(
    private readonly store: StateStore,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Why it does not work, with the cure; undefined: it does. */
  get fault(): string | undefined {
    return this.#fault ?? this.#writeFault;
  }

  /** Looks until it is closed. Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
    void this.#watch();
  }

  get(key: string): Promise<string | undefined> {
    return this.store.get(key);
  }

  set(key: string, value: string): Promise<void> {
    return this.#observed(this.store.set(key, value));
  }

  delete(key: string): Promise<void> {
    return this.#observed(this.store.delete(key));
  }

  compareAndSet(key: string, expected: string | undefined, value: string): Promise<boolean> {
    return this.#observed(this.store.compareAndSet(key, expected, value));
  }

  checkHealth(timeoutMs: number): Promise<void> {
    return this.store.checkHealth(timeoutMs);
  }

  close(timeoutMs: number): Promise<void> {
    this.#stopped.abort();
    return this.store.close(timeoutMs);
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopped;
    for (;;) {
      await sleep(this.clock, this.fault === undefined ? LOOK_EVERY_MS : LOOK_AGAIN_MS, signal);
      if (signal.aborted) return;
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    try {
      await this.store.checkHealth(LOOK_MS);
      this.#fault = undefined;
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#fault = textOf(error);
    }
    this.#report();
  }

  async #observed<T>(writing: Promise<T>): Promise<T> {
    try {
      const result = await writing;
      this.#writeFault = undefined;
      return result;
    } catch (error) {
      if (!(error instanceof StateStoreError) || !CALL_FAULTS.has(error.code))
        this.#writeFault = textOf(error);
      throw error;
    } finally {
      this.#report();
    }
  }

  #report(): void {
    const { fault } = this;
    if (fault === this.#reported) return;
    if (fault === undefined) this.logger.info('service.store-works');
    else if (this.#reported === undefined) this.logger.warn('service.store-fails', { reason: fault });
    this.#reported = fault;
  }
}

function textOf(error: unknown): string {
  if (error instanceof StateStoreError) return `${error.code}: ${error.message}`;
  return messageOf(error);
}
