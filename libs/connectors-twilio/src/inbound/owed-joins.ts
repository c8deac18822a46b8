import { type CursorStore, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger, withTimeout } from '@bitbrat/foundation';
import { isConversationSid } from '../platform/conversation-sid.js';

const KEY = 'owed-joins';

/** Conversations that are kept, those that have waited longest first. */
const MAX_KEPT = 1_000;

/** Milliseconds for the store to answer. */
const STORE_TIMEOUT_MS = 1_000;

export interface OwedJoinsOptions {
  readonly cursors: CursorStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A conversation that waits to be joined, and since when (milliseconds since 1970). */
export type OwedJoin = readonly [conversationSid: string, since: number];

/** Keeps over restarts which conversations wait to be joined: a list by creation shows the young ones only. */
export class OwedJoins {
  readonly #options: OwedJoinsOptions;
  #saved = '[]';
  #saving: Promise<boolean> | undefined;
  #next: Promise<boolean> | undefined;

  constructor(options: OwedJoinsOptions) {
    this.#options = options;
  }

  /** Never rejects: what cannot be read is none. */
  async load(): Promise<readonly OwedJoin[]> {
    const text = await this.#ask('load', () => this.#options.cursors.load(KEY));
    if (text === undefined) return [];
    this.#saved = text;
    return parse(text);
  }

  /**
   * Resolves to whether they are durable; never rejects. Asks the store only where something has changed, and calls that come
   * while it works share the next save.
   * @param owed what waits then
   */
  save(owed: () => readonly OwedJoin[]): Promise<boolean> {
    const current = this.#saving;
    if (current === undefined) return this.#start(owed);
    this.#next ??= current.then(() => this.#start(owed));
    return this.#next;
  }

  #start(owed: () => readonly OwedJoin[]): Promise<boolean> {
    this.#next = undefined;
    const saving = this.#save(owed()).finally(() => {
      if (this.#saving === saving) this.#saving = undefined;
    });
    this.#saving = saving;
    return saving;
  }

  async #save(owed: readonly OwedJoin[]): Promise<boolean> {
    const text = JSON.stringify(owed.slice(0, MAX_KEPT));
    if (text === this.#saved) return true;
    const isSaved = await this.#ask('save', async () => {
      await this.#options.cursors.save(KEY, text);
      return true;
    });
    if (isSaved === true) this.#saved = text;
    return isSaved === true && owed.length <= MAX_KEPT;
  }

  async #ask<T>(operation: string, work: () => Promise<T>): Promise<T | undefined> {
    const { clock, logger } = this.#options;
    const silence = (): Error => new Error(`no answer after ${STORE_TIMEOUT_MS} ms`);
    try {
      return await withTimeout(clock, work(), STORE_TIMEOUT_MS, silence);
    } catch (error) {
      logger.warn('twilio.owed-joins-store-failed', { operation, reason: toConnectorError(error).message });
      return undefined;
    }
  }
}

function parse(text: string): OwedJoin[] {
  try {
    const json: unknown = JSON.parse(text);
    return Array.isArray(json) ? json.slice(0, MAX_KEPT).filter(isOwedJoin) : [];
  } catch {
    return [];
  }
}

function isOwedJoin(value: unknown): value is OwedJoin {
  return (
    Array.isArray(value) &&
    typeof value[0] === 'string' &&
    isConversationSid(value[0]) &&
    typeof value[1] === 'number'
  );
}
