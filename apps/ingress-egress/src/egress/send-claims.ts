import { createHash } from 'node:crypto';
import { type Clock, type Logger } from '@bitbrat/connectors-core';
import { type StateStore } from '@bitbrat/state-store';

/** Claims that are kept; an older one is overwritten. Far more than a platform takes while the bus redelivers. */
const SLOTS = 512;

/** Milliseconds between two tries to write what the store has not taken. */
const RETRY_MS = 1_000;

/** What an earlier process has left of an event: nothing, a send whose end nobody knows, or a send that is done. */
export type EarlierSend = 'none' | 'unknown' | 'done';

/**
 * Remembers durably which events are being sent, for platforms that give no means to find out afterwards.
 *
 * A claim is made before the first try and marked when the outcome is known. A claim of another process without such a mark means that
 * the message may stand on the platform. A store that does not answer holds up no message: what it has not taken is written as soon as
 * it answers again, and only a process that dies before that leaves no trace.
 */
export class SendClaims {
  readonly #own = new Set<string>();
  /** What the store has not taken yet, by key. */
  readonly #unsaved = new Map<string, string>();
  #cancelRetry: (() => void) | undefined;

  constructor(
    private readonly store: Pick<StateStore, 'get' | 'set'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** To be called before each try. Never rejects. */
  async begin(eventId: string): Promise<EarlierSend> {
    if (this.#own.has(eventId)) return 'none';
    const key = slotOf(eventId);
    const found = await this.#load(key);
    if (found === `started ${eventId}`) return 'unknown';
    if (found === `done ${eventId}`) return 'done';
    this.#own.add(eventId);
    await this.#save(key, `started ${eventId}`);
    return 'none';
  }

  /** The outcome is known. Never rejects. */
  async end(eventId: string): Promise<void> {
    if (this.#own.delete(eventId)) await this.#save(slotOf(eventId), `done ${eventId}`);
  }

  /** It was not sent, and this process gives it back. Never rejects. */
  async release(eventId: string): Promise<void> {
    if (this.#own.delete(eventId)) await this.#save(slotOf(eventId), 'free');
  }

  /** Ends the tries to write; what the store has not taken is given up. */
  stop(): void {
    this.#cancelRetry?.();
    this.#unsaved.clear();
  }

  async #load(key: string): Promise<string | undefined> {
    const unsaved = this.#unsaved.get(key);
    if (unsaved !== undefined) return unsaved;
    try {
      return await this.store.get(key);
    } catch (error) {
      this.logger.warn('egress.claim-not-kept', { reason: String(error) });
      return undefined;
    }
  }

  /** Resolves when it is durable, or when the store has refused it for now. */
  async #save(key: string, value: string): Promise<void> {
    this.#unsaved.set(key, value);
    try {
      await this.store.set(key, value);
      // A later value may have come meanwhile: that one is not saved by this.
      if (this.#unsaved.get(key) === value) this.#unsaved.delete(key);
    } catch (error) {
      this.logger.warn('egress.claim-not-kept', { reason: String(error) });
      this.#retryLater();
    }
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.clock.setTimeout(() => {
      this.#cancelRetry = undefined;
      for (const [key, value] of this.#unsaved) void this.#save(key, value);
    }, RETRY_MS);
  }
}

function slotOf(eventId: string): string {
  const hash = createHash('sha1').update(eventId).digest().readUInt32BE(0);
  return `egress-claim/${hash % SLOTS}`;
}
