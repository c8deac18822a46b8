import { type CursorStore, toConnectorError } from '@bitbrat/connectors-core';
import { type BackoffPolicy, backoffMs, type Clock, type Logger, sleep } from '@bitbrat/foundation';

/** Milliseconds that a value waits for a newer one before it is saved: what is lost by a kill is read again, with the same ids. */
const COALESCE_MS = 250;

/** Saves at once. */
const MAX_CONCURRENT = 16;

const BACKOFF: BackoffPolicy = { baseMs: 500, maxMs: 30_000 };

export interface CursorKeeperOptions {
  readonly store: CursorStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
}

/** Saves values in the background: only the newest of a key, again where the store refused. */
export class CursorKeeper {
  readonly #options: CursorKeeperOptions;
  #dirty = new Map<string, string>();
  #cancelTimer: (() => void) | undefined;
  #saving: Promise<void> | undefined;
  #failures = 0;
  #isStopped = false;

  constructor(options: CursorKeeperOptions) {
    this.#options = options;
  }

  /** Values that are not durable yet. */
  get pending(): number {
    return this.#dirty.size;
  }

  /** Remembers a value; never fails. */
  set(key: string, value: string): void {
    this.#dirty.set(key, value);
    this.#schedule(COALESCE_MS);
  }

  /** Saves what is left, once, within `limitMs`; afterwards nothing is saved any more. Never rejects. */
  async stop(limitMs: number): Promise<void> {
    const timeUp = new AbortController();
    const saved = (this.#saving ?? Promise.resolve())
      .then(() => this.#save())
      .finally(() => {
        timeUp.abort();
      });
    await Promise.race([saved, sleep(this.#options.clock, limitMs, timeUp.signal)]);
    this.#isStopped = true;
    this.#cancelTimer?.();
  }

  #schedule(ms: number): void {
    if (this.#cancelTimer !== undefined || this.#saving !== undefined || this.#isStopped) return;
    this.#cancelTimer = this.#options.clock.setTimeout(() => {
      this.#cancelTimer = undefined;
      this.#saving = this.#save().finally(() => {
        this.#saving = undefined;
        if (this.#dirty.size > 0) this.#schedule(this.#pauseMs());
      });
    }, ms);
  }

  #pauseMs(): number {
    return (
      COALESCE_MS + (this.#failures === 0 ? 0 : backoffMs(BACKOFF, this.#failures, this.#options.random))
    );
  }

  async #save(): Promise<void> {
    const values = [...this.#dirty];
    this.#dirty = new Map();
    let failure: unknown;
    for (let i = 0; i < values.length; i += MAX_CONCURRENT) {
      await Promise.all(
        values.slice(i, i + MAX_CONCURRENT).map(async ([key, value]) => {
          try {
            await this.#options.store.save(key, value);
          } catch (error) {
            failure = error;
            if (!this.#dirty.has(key)) this.#dirty.set(key, value);
          }
        }),
      );
    }
    this.#failures = failure === undefined ? 0 : this.#failures + 1;
    if (failure === undefined) return;
    const reason = toConnectorError(failure).message;
    this.#options.logger.warn('discord.cursor-save-failed', { reason, failures: this.#failures });
  }
}
