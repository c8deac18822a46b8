import { createHash } from 'node:crypto';
import { type Logger } from '@bitbrat/connectors-core';
import { type StateStore } from '@bitbrat/state-store';

/** Claims that are kept; an older one is overwritten. Far more than a platform takes while the bus redelivers. */
const SLOTS = 512;

/** What an earlier process has left of an event: nothing, a send whose end nobody knows, or a send that is done. */
export type EarlierSend = 'none' | 'unknown' | 'done';

/**
 * Remembers durably which events are being sent, for platforms that give no means to find out afterwards.
 *
 * A claim is made before the first try and marked when the outcome is known. A claim of another process without such a mark means that
 * the message may stand on the platform. A store that does not answer costs this protection, never the message.
 */
export class SendClaims {
  readonly #own = new Set<string>();

  constructor(
    private readonly store: Pick<StateStore, 'get' | 'set'>,
    private readonly logger: Logger,
  ) {}

  /** To be called before each try. Never rejects. */
  async begin(eventId: string): Promise<EarlierSend> {
    if (this.#own.has(eventId)) return 'none';
    const key = slotOf(eventId);
    const found = await this.#attempt(() => this.store.get(key));
    if (found === `started ${eventId}`) return 'unknown';
    if (found === `done ${eventId}`) return 'done';
    this.#own.add(eventId);
    await this.#attempt(() => this.store.set(key, `started ${eventId}`));
    return 'none';
  }

  /** The outcome is known. Never rejects. */
  async end(eventId: string): Promise<void> {
    if (!this.#own.delete(eventId)) return;
    await this.#attempt(() => this.store.set(slotOf(eventId), `done ${eventId}`));
  }

  /** It was not sent, and this process gives it back. Never rejects. */
  async release(eventId: string): Promise<void> {
    if (!this.#own.delete(eventId)) return;
    await this.#attempt(() => this.store.set(slotOf(eventId), 'free'));
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.logger.warn('egress.claim-not-kept', { reason: String(error) });
      return undefined;
    }
  }
}

function slotOf(eventId: string): string {
  const hash = createHash('sha1').update(eventId).digest().readUInt32BE(0);
  return `egress-claim/${hash % SLOTS}`;
}
