import { backoffMs, type BackoffPolicy, type Clock, sleep } from '@bitbrat/foundation';
import { type ConnectorError } from '../connector-error.js';

const BACKOFF: BackoffPolicy = { baseMs: 500, maxMs: 30_000 };

/** What becomes of a channel whose drain has failed. */
export interface DrainFailure {
  readonly error: ConnectorError;
  /** In a row. */
  readonly failures: number;
  /** Milliseconds until the next try. */
  readonly waitMs: number;
}

export interface DrainerOptions {
  readonly clock: Clock;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
  /** Channels that are drained at once. */
  readonly concurrency: number;
  /** Reads one channel to its end. */
  readonly drain: (channelId: string, signal: AbortSignal) => Promise<void>;
  readonly toError: (reason: unknown, channelId: string) => ConnectorError;
  /** Whether the channel is forgotten, until it is woken again, be it while this drain ran; default: never. */
  readonly isGone?: (error: ConnectorError, channelId: string) => boolean;
  /** A drain has failed and will be tried again. */
  readonly onFailure: (channelId: string, failure: DrainFailure) => void;
}

interface Entry {
  running: boolean;
  /** Something happened while it ran or waited for a slot. */
  again: boolean;
  failures: number;
  cancelRetry: (() => void) | undefined;
}

/**
 * Runs drains: one at a time per channel, a limited number at once, again where a wake-up came meanwhile, later where one failed, and then not
 * before the platform allows it.
 *
 * A wake-up during a back-off does not cut it short, or a busy channel would hammer a bus or platform that is not well.
 */
export class Drainer {
  readonly #options: DrainerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #stop = new AbortController();
  #slots: number;

  constructor(options: DrainerOptions) {
    this.#options = options;
    this.#slots = options.concurrency;
  }

  /** Channels that are drained, wait to be drained, or wait to be tried again. */
  get pending(): number {
    return this.#entries.size;
  }

  /** Says that a channel may have news. Cheap; call it as often as you like. */
  wake(channelId: string): void {
    if (this.#stop.signal.aborted) return;
    let entry = this.#entries.get(channelId);
    if (entry === undefined) {
      entry = { running: false, again: false, failures: 0, cancelRetry: undefined };
      this.#entries.set(channelId, entry);
    }
    if (entry.running) entry.again = true;
    else if (entry.cancelRetry === undefined) this.#start(channelId, entry);
  }

  /** Tries at once what waits for a back-off: its cause may be gone. */
  retryNow(): void {
    for (const [channelId, entry] of this.#entries) {
      if (entry.cancelRetry === undefined) continue;
      this.#endRetry(entry);
      entry.failures = 0;
      this.#start(channelId, entry);
    }
  }

  /** Starts nothing more; resolves when what runs has ended, or after `limitMs`. */
  async stop(limitMs: number): Promise<void> {
    this.#stop.abort();
    for (const entry of this.#entries.values()) this.#endRetry(entry);
    for (const admit of this.#waiting.splice(0)) admit();
    const timeUp = new AbortController();
    const ended = Promise.allSettled(this.#running).then(() => {
      timeUp.abort();
    });
    await Promise.race([ended, sleep(this.#options.clock, limitMs, timeUp.signal)]);
  }

  #start(channelId: string, entry: Entry): void {
    entry.running = true;
    const run = this.#run(channelId, entry).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #run(channelId: string, entry: Entry): Promise<void> {
    await this.#takeSlot();
    try {
      do {
        entry.again = false;
        await this.#options.drain(channelId, this.#stop.signal);
        entry.failures = 0;
      } while (this.#isWanted(entry));
      this.#entries.delete(channelId);
    } catch (reason) {
      entry.running = false;
      this.#onFailure(channelId, entry, reason);
    } finally {
      this.#giveSlot();
    }
  }

  #isWanted(entry: Entry): boolean {
    return entry.again && !this.#stop.signal.aborted;
  }

  #onFailure(channelId: string, entry: Entry, reason: unknown): void {
    const { clock, isGone = () => false, onFailure, random, toError } = this.#options;
    if (this.#stop.signal.aborted) return;
    const error = toError(reason, channelId);
    if (isGone(error, channelId)) {
      // Who woke it since may know of a channel that has come back, and says so but once.
      if (entry.again) this.#start(channelId, entry);
      else this.#entries.delete(channelId);
      return;
    }
    entry.failures += 1;
    const waitMs = Math.max(backoffMs(BACKOFF, entry.failures, random), error.retryAfterMs ?? 0);
    onFailure(channelId, { error, failures: entry.failures, waitMs });
    entry.cancelRetry = clock.setTimeout(() => {
      entry.cancelRetry = undefined;
      this.#start(channelId, entry);
    }, waitMs);
  }

  #endRetry(entry: Entry): void {
    entry.cancelRetry?.();
    entry.cancelRetry = undefined;
  }

  #takeSlot(): Promise<void> {
    if (this.#slots > 0 || this.#stop.signal.aborted) {
      this.#slots -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        this.#slots -= 1;
        resolve();
      });
    });
  }

  #giveSlot(): void {
    this.#slots += 1;
    this.#waiting.shift()?.();
  }
}
