import { createHash } from 'node:crypto';
import { type Clock, type Logger } from '@bitbrat/connectors-core';
import { type StateStore } from '@bitbrat/state-store';
import { z } from 'zod';

/**
 * Values in the store, and events that each of them remembers; then its oldest one is forgotten: after a thousand later events, one in
 * 270,000. That is more than a platform takes while the bus redelivers.
 */
const SLOTS = 256;
const EVENTS_PER_SLOT = 16;

/** Milliseconds between two tries to write what the store has not taken. */
const RETRY_MS = 1_000;

/**
 * What an earlier process has left of an event: nothing, a send whose end nobody knows, or a send that is done. `unavailable`: the store, which
 * knows, does not answer.
 */
export type EarlierSend = 'none' | 'unknown' | 'done' | 'unavailable';

/** What is known of an event's sending; undefined: it was given back. */
type Mark = 'started' | 'done' | undefined;

/**
 * Remembers durably which events are being sent, for platforms that give no means to find out afterwards.
 *
 * A claim is made before the first try and marked when the outcome is known. A claim of another process without such a mark means that
 * the message may stand on the platform. What the store has not taken is written as soon as it answers again; only a process that dies before
 * that leaves no trace.
 */
export class SendClaims {
  readonly #own = new Set<string>();
  /** What the store has not taken yet, by slot and event. */
  readonly #unsaved = new Map<string, Map<string, Mark>>();
  /** What each slot holds, as far as this process knows: nearly always nobody else writes it, and a read before each write would be for nothing. */
  readonly #known = new Map<string, string | undefined>();
  /** The last write of each slot that is under way. */
  readonly #writing = new Map<string, Promise<void>>();
  #cancelRetry: (() => void) | undefined;

  constructor(
    private readonly store: Pick<StateStore, 'get' | 'compareAndSet'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Claims the event if nobody has. Never rejects. */
  async begin(eventId: string): Promise<EarlierSend> {
    if (this.#own.has(eventId)) return 'none';
    const mark = await this.#load(eventId);
    if (mark === 'done' || mark === 'unavailable') return mark;
    if (mark === 'started') return 'unknown';
    await this.claim(eventId);
    return 'none';
  }

  /** Claims the event whoever has. Never rejects. */
  async claim(eventId: string): Promise<void> {
    this.#own.add(eventId);
    await this.#save(eventId, 'started');
  }

  /** The outcome is known. Never rejects. */
  async end(eventId: string): Promise<void> {
    if (this.#own.delete(eventId)) await this.#save(eventId, 'done');
  }

  /** It was not sent, and this process gives it back. Never rejects. */
  async release(eventId: string): Promise<void> {
    if (this.#own.delete(eventId)) await this.#save(eventId, undefined);
  }

  /** Ends the tries to write; what the store has not taken is given up. */
  stop(): void {
    this.#cancelRetry?.();
    this.#unsaved.clear();
  }

  async #load(eventId: string): Promise<Mark | 'unavailable'> {
    const slot = slotOf(eventId);
    const unsaved = this.#unsaved.get(slot);
    if (unsaved?.has(eventId) === true) return unsaved.get(eventId);
    try {
      return readSlot(await this.#read(slot)).get(eventId);
    } catch (error) {
      this.#onRefused(error);
      return 'unavailable';
    }
  }

  /** Resolves when it is durable, or when the store has refused it for now. */
  async #save(eventId: string, mark: Mark): Promise<void> {
    const slot = slotOf(eventId);
    const changes = this.#unsaved.get(slot) ?? new Map<string, Mark>();
    this.#unsaved.set(slot, changes.set(eventId, mark));
    await this.#write(slot);
  }

  /** One write of a slot after the other. */
  async #write(slot: string): Promise<void> {
    const before = this.#writing.get(slot) ?? Promise.resolve();
    const written = before.then(() => this.#writeNow(slot));
    this.#writing.set(slot, written);
    await written;
    if (this.#writing.get(slot) === written) this.#writing.delete(slot);
  }

  async #writeNow(slot: string): Promise<void> {
    const changes = this.#unsaved.get(slot);
    if (changes === undefined) return;
    const written = [...changes];
    try {
      await this.#apply(slot, written);
    } catch (error) {
      this.#onRefused(error);
      this.#retryLater();
      return;
    }
    // A later mark may have come meanwhile: that one is not saved by this.
    for (const [eventId, mark] of written) if (changes.get(eventId) === mark) changes.delete(eventId);
    if (changes.size === 0) this.#unsaved.delete(slot);
  }

  /** Another process, which is about to take over, may write the same slot. */
  async #apply(slot: string, changes: readonly (readonly [string, Mark])[]): Promise<void> {
    let present = this.#known.has(slot) ? this.#known.get(slot) : await this.#read(slot);
    for (;;) {
      const claims = readSlot(present);
      for (const [eventId, mark] of changes) {
        claims.delete(eventId);
        if (mark !== undefined) claims.set(eventId, mark);
      }
      const next = JSON.stringify([...claims].slice(-EVENTS_PER_SLOT));
      if (next === present) return;
      if (await this.store.compareAndSet(slot, present, next)) {
        this.#known.set(slot, next);
        return;
      }
      present = await this.#read(slot);
    }
  }

  async #read(slot: string): Promise<string | undefined> {
    const value = await this.store.get(slot);
    this.#known.set(slot, value);
    return value;
  }

  #onRefused(error: unknown): void {
    this.logger.warn('egress.claim-not-kept', { reason: String(error) });
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.clock.setTimeout(() => {
      this.#cancelRetry = undefined;
      for (const slot of this.#unsaved.keys()) void this.#write(slot);
    }, RETRY_MS);
  }
}

const slotSchema = z.array(z.tuple([z.string(), z.enum(['started', 'done'])]));

/** Marks by event, oldest first; none where the value is not one of ours. */
function readSlot(value: string | undefined): Map<string, Mark> {
  if (value === undefined) return new Map();
  try {
    return new Map(slotSchema.parse(JSON.parse(value)));
  } catch {
    return new Map();
  }
}

function slotOf(eventId: string): string {
  const hash = createHash('sha1').update(eventId).digest().readUInt32BE(0);
  return `egress-claim/${hash % SLOTS}`;
}
