import {
  type BackoffPolicy,
  backoffMs,
  type Clock,
  type ConnectorError,
  type Logger,
  sleep,
} from '@bitbrat/connectors-core';
import { toTwilioError } from './errors.js';

/** Conversations that are read at once. */
const MAX_CONCURRENT = 16;

const BACKOFF: BackoffPolicy = { baseMs: 500, maxMs: 30_000 };

/** Reads one conversation to its end. */
export type Drain = (conversationSid: string, signal: AbortSignal) => Promise<void>;

export interface DrainerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
  readonly drain: Drain;
}

/** Whether a conversation is deleted, or the bot was removed from it. */
export function isGone({ code }: ConnectorError): boolean {
  return code === 'TARGET_NOT_FOUND' || code === 'FORBIDDEN';
}

interface Entry {
  running: boolean;
  /** Something happened while it ran or waited for a slot. */
  again: boolean;
  failures: number;
  cancelRetry: (() => void) | undefined;
}

/**
 * Runs drains: one at a time per conversation, 16 at once, again where a wake-up came meanwhile, later where one failed.
 *
 * A wake-up during a back-off does not cut it short, or a busy conversation would hammer a bus or platform that is not well.
 */
export class ConversationDrainer {
  readonly #options: DrainerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly #stop = new AbortController();
  #slots = MAX_CONCURRENT;

  constructor(options: DrainerOptions) {
    this.#options = options;
  }

  /** Conversations that are read, wait to be read, or wait to be tried again. */
  get pending(): number {
    return [...this.#entries.values()].filter((entry) => entry.running || entry.cancelRetry !== undefined)
      .length;
  }

  /** Says that a conversation may have news. Cheap; call it as often as you like. */
  wake(conversationSid: string): void {
    if (this.#stop.signal.aborted) return;
    let entry = this.#entries.get(conversationSid);
    if (entry === undefined) {
      entry = { running: false, again: false, failures: 0, cancelRetry: undefined };
      this.#entries.set(conversationSid, entry);
    }
    if (entry.running) entry.again = true;
    else if (entry.cancelRetry === undefined) this.#start(conversationSid, entry);
  }

  /** Tries at once what waits for a back-off: its cause may be gone. */
  retryNow(): void {
    for (const [conversationSid, entry] of this.#entries) {
      if (entry.cancelRetry === undefined) continue;
      this.#endRetry(entry);
      entry.failures = 0;
      this.#start(conversationSid, entry);
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

  #start(conversationSid: string, entry: Entry): void {
    entry.running = true;
    const run = this.#run(conversationSid, entry).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #run(conversationSid: string, entry: Entry): Promise<void> {
    await this.#takeSlot();
    try {
      do {
        entry.again = false;
        await this.#options.drain(conversationSid, this.#stop.signal);
        entry.failures = 0;
      } while (this.#isWanted(entry));
      entry.running = false;
      this.#entries.delete(conversationSid);
    } catch (reason) {
      entry.running = false;
      this.#onFailure(conversationSid, entry, toTwilioError(reason, `read ${conversationSid}`));
    } finally {
      this.#giveSlot();
    }
  }

  #isWanted(entry: Entry): boolean {
    return entry.again && !this.#stop.signal.aborted;
  }

  #onFailure(conversationSid: string, entry: Entry, error: ConnectorError): void {
    const { clock, logger, random } = this.#options;
    if (this.#stop.signal.aborted) return;
    const fields = { conversationSid, code: error.code, reason: error.message };
    if (isGone(error)) {
      // A later event brings it back.
      logger.info('twilio.conversation-gone', fields);
      this.#entries.delete(conversationSid);
      return;
    }
    entry.failures += 1;
    const waitMs = backoffMs(BACKOFF, entry.failures, random);
    logger.warn('twilio.read-failed', { ...fields, failures: entry.failures, waitMs });
    entry.cancelRetry = clock.setTimeout(() => {
      entry.cancelRetry = undefined;
      this.#start(conversationSid, entry);
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
