import { decodeDeadLetter, type DeadLetter } from '@bitbrat/envelope';
import { type Clock, type Logger, sleep, withTimeout } from '@bitbrat/foundation';
import {
  type BusSubscription,
  type Disposition,
  type MessageBus,
  type ReceivedMessage,
} from '@bitbrat/message-bus';

/** The most letters that are held at once; more than the memory bus keeps. */
const MAX_LETTERS = 20_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** How long the bus may take to open the subscription. */
const OPEN_MS = 20_000;
/** Nothing came for so long: all that waits is here. A streaming pull brings its first messages within a second. */
const QUIET_MS = 1_500;
/** Letters that keep coming are not waited for longer than this. */
const BUSY_MS = 10_000;
/** Longer than a nacked message waits on either bus: Pub/Sub's subscriptions are made with 60 s at the most. */
const RETURN_MS = 70_000;
const STEP_MS = 100;

export interface CollectionServices {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface CollectionOptions {
  readonly topic: string;
  readonly subscription: string;
  /** A letter that was dealt with before and comes again is taken off the bus at once. */
  readonly isDone: (id: string) => boolean;
}

interface Entry {
  readonly letter: DeadLetter;
  readonly bytes: number;
  /** One for each delivery: a letter that was published twice, or whose lease has ended, comes more than once. */
  readonly answers: ((disposition: Disposition) => void)[];
}

/** Letters that wait on the bus, held without an answer until they are done with or released. */
export class LetterCollection {
  readonly #entries = new Map<string, Entry>();
  readonly #released: Promise<Disposition>;
  #release: (disposition: Disposition) => void = () => undefined;
  #ended = false;
  #bytes = 0;
  #unreadable = 0;
  #lastArrival = 0;
  #complete = false;
  #subscription: BusSubscription | undefined;

  constructor(
    private readonly services: CollectionServices,
    private readonly options: CollectionOptions,
  ) {
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }

  /**
   * Resolves when no more letters come.
   * @param expected ids of letters that are known to wait and may come late
   * @param signal ends the gathering early
   * @throws Error that names the reason where the bus does not let us read
   */
  async open(expected: Iterable<string>, signal: AbortSignal): Promise<void> {
    const { clock } = this.services;
    await this.#subscribe();
    const missing = new Set(expected);
    const startedAt = clock.now();
    this.#lastArrival = startedAt;
    while (!signal.aborted && !this.#isFull) {
      for (const id of missing) if (this.#entries.has(id) || this.options.isDone(id)) missing.delete(id);
      const now = clock.now();
      const quiet = now - this.#lastArrival >= QUIET_MS;
      const late = now - startedAt >= (missing.size > 0 ? RETURN_MS : BUSY_MS);
      if (late || (quiet && missing.size === 0)) {
        this.#complete = quiet;
        return;
      }
      await sleep(clock, STEP_MS, signal);
    }
  }

  /** Oldest first. */
  get letters(): readonly DeadLetter[] {
    const letters = [...this.#entries.values()].map(({ letter }) => letter);
    return letters.sort((a, b) => Date.parse(a.occurredAt) - Date.parse(b.occurredAt));
  }

  /** False where more may wait. */
  get complete(): boolean {
    return this.#complete && !this.#isFull;
  }

  /** Messages that are no dead letters. */
  get unreadable(): number {
    return this.#unreadable;
  }

  get(id: string): DeadLetter | undefined {
    return this.#entries.get(id)?.letter;
  }

  /** Takes a letter off the bus. */
  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#bytes -= entry.bytes;
    for (const answer of entry.answers) answer('ack');
  }

  /** Gives all that is left back to the bus; resolves with the ids, within about `timeoutMs`. */
  async release(timeoutMs: number): Promise<string[]> {
    this.#ended = true;
    // Closed first, so that what is given back is not delivered here again.
    const closed = this.#subscription?.close(timeoutMs);
    const ids = [...this.#entries.keys()];
    for (const { answers } of this.#entries.values()) for (const answer of answers) answer('nack');
    this.#entries.clear();
    this.#release('nack');
    await closed;
    return ids;
  }

  get #isFull(): boolean {
    return this.#entries.size >= MAX_LETTERS || this.#bytes >= MAX_BYTES;
  }

  async #subscribe(): Promise<void> {
    const { bus, clock } = this.services;
    const { subscription, topic } = this.options;
    const subscribing = bus.subscribe({ topic, subscription, maxInFlight: MAX_LETTERS }, (message) =>
      this.#take(message),
    );
    try {
      this.#subscription = await withTimeout(
        clock,
        subscribing,
        OPEN_MS,
        () => new Error(`the bus has not opened "${subscription}" within ${OPEN_MS} ms`),
      );
    } catch (error) {
      this.#ended = true;
      subscribing.then(
        (late) => late.close(0),
        () => undefined,
      );
      throw error;
    }
  }

  #take(message: ReceivedMessage): Promise<Disposition> {
    if (this.#ended) return Promise.resolve('nack');
    this.#lastArrival = this.services.clock.now();
    const decoded = decodeDeadLetter(message.data);
    if (!decoded.ok) {
      const { code, detail } = decoded.fault;
      this.#unreadable += 1;
      this.services.logger.warn('dead-letters.unreadable', { messageId: message.id, code, reason: detail });
      return this.#released;
    }
    const letter = decoded.value;
    if (this.options.isDone(letter.id)) return Promise.resolve('ack');
    const known = this.#entries.get(letter.id);
    if (known === undefined && this.#isFull) return Promise.resolve('nack');
    return new Promise((answer) => {
      if (known !== undefined) {
        known.answers.push(answer);
        return;
      }
      const bytes = message.data.byteLength;
      this.#bytes += bytes;
      this.#entries.set(letter.id, { letter, bytes, answers: [answer] });
    });
  }
}
