import { type CursorStore, maskPhoneNumbers, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger, withTimeout } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';

/** Addresses whose consent is remembered beside the store. */
const REMEMBERED = 10_000;

/** Milliseconds for the store to answer: a store that is down must not hold up messages. */
const STORE_TIMEOUT_MS = 2_000;

export interface ConsentBookOptions {
  readonly cursors: CursorStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Who wants no messages, by the platform's address of the phone.
 *
 * Kept in the cursor store under `consent:{address}`. Where the store fails, what this process has heard counts, and anything else is sent: the
 * platform keeps its own list for SMS and refuses by itself, and a message that was held back wrongly would be lost.
 */
export class ConsentBook {
  readonly #options: ConsentBookOptions;
  readonly #known = new LRUCache<string, 'out' | 'in' | 'unknown'>({ max: REMEMBERED });
  /** Opt-outs by the platform that are being told. */
  readonly #telling = new Map<string, Promise<void>>();

  constructor(options: ConsentBookOptions) {
    this.#options = options;
  }

  /** Counts at once; resolves when it is durable, or the store has failed. Calls for one address take effect in their order. Never rejects. */
  async record(address: string, consent: 'out' | 'in'): Promise<void> {
    // The person's own word is newer than what is still being told of them.
    this.#telling.delete(address);
    this.#known.set(address, consent);
    await this.#save(address, consent);
  }

  /**
   * The platform says that a phone wants no messages. Counts at once. Where that is news `tell` is called, and only when it has resolved is the
   * note made durable: after a process that ends before, the platform is asked and says it again. Where it is being told already this waits for
   * that.
   * @throws what `tell` rejects with; the opt-out counts no more then, so that the platform is asked and says it again
   */
  async optOut(address: string, tell: () => Promise<void>): Promise<void> {
    // What an earlier process has noted is no news.
    if (!this.#known.has(address)) await this.isOptedOut(address);
    const telling = this.#telling.get(address);
    if (telling === undefined && this.#known.get(address) === 'out') return;
    await (telling ?? this.#tell(address, tell));
  }

  /** Never rejects: where nobody can know, false. */
  async isOptedOut(address: string): Promise<boolean> {
    if (!this.#known.has(address)) {
      const loaded = await this.#ask(address, 'load', async () => ({
        consent: await this.#options.cursors.load(keyOf(address)),
      }));
      // What was heard meanwhile is newer.
      if (loaded !== undefined && !this.#known.has(address)) {
        const { consent } = loaded;
        this.#known.set(address, consent === 'out' || consent === 'in' ? consent : 'unknown');
      }
    }
    return this.#known.get(address) === 'out';
  }

  #tell(address: string, tell: () => Promise<void>): Promise<void> {
    this.#known.set(address, 'out');
    const isStanding = (): boolean => this.#telling.get(address) === telling;
    const telling = tell()
      .then(
        async () => {
          if (isStanding()) await this.#save(address, 'out');
        },
        (error: unknown) => {
          if (isStanding()) this.#known.delete(address);
          throw error;
        },
      )
      .finally(() => {
        if (isStanding()) this.#telling.delete(address);
      });
    this.#telling.set(address, telling);
    return telling;
  }

  async #save(address: string, consent: 'out' | 'in'): Promise<void> {
    await this.#ask(address, 'save', () => this.#options.cursors.save(keyOf(address), consent));
  }

  async #ask<T>(address: string, operation: string, work: () => Promise<T>): Promise<T | undefined> {
    const { clock, logger } = this.#options;
    try {
      return await withTimeout(
        clock,
        work(),
        STORE_TIMEOUT_MS,
        () => new Error(`no answer after ${STORE_TIMEOUT_MS} ms`),
      );
    } catch (error) {
      const reason = maskPhoneNumbers(toConnectorError(error).message);
      logger.warn('twilio.consent-store-failed', { operation, address: maskPhoneNumbers(address), reason });
      return undefined;
    }
  }
}

function keyOf(address: string): string {
  return `consent:${address}`;
}
