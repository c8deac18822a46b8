import { type Clock, type Logger, messageOf, sleep } from '@bitbrat/foundation';
import { type StateStore } from '@bitbrat/state-store';
import { type Mark, placeOf, type Slot } from './claim-slot.js';
import { ClaimSlots } from './claim-slots.js';
import { ProcessPresence } from './process-presence.js';

/** Milliseconds between two tries to write what the store has not taken. */
const RETRY_MS = 1_000;

/** Milliseconds for the store to confirm a claim before a try; without an answer the claim counts as ours. */
const CONFIRM_MS = 2_000;

/**
 * Milliseconds for which outcomes wait for a store that does not answer, counted from its last answer. Longer than any
 * restart of a store; short enough that a long outage does not hold back the answers of a whole service.
 */
export const SETTLE_MS = 30_000;

/**
 * Whose an event is.
 *
 * - `mine`: claimed now. `earlier`: what was there before: nothing, an event that its process gave back although something
 *   of it may exist on the platform (`left`), or the claim of a process that died (`died`). `deaths`: processes that died
 *   with the event in hand.
 * - `done`: it was sent, or its outcome is final.
 * - `settled`: its outcome was known when its process died, and may not have been published. It is ours now.
 * - `held`: another process has it in hand, or may have.
 * - `unavailable`: the store, which knows, does not answer.
 */
export type Claim =
  | { readonly kind: 'mine'; readonly earlier: 'none' | 'left' | 'died'; readonly deaths: number }
  | { readonly kind: 'settled'; readonly settlement: string }
  | { readonly kind: 'held'; readonly epoch: string }
  | { readonly kind: 'done' | 'unavailable' };

/** How a claim ends. `left` and `released` only concern a claim of this process; `done` is final for all. */
export type ClaimEnd = 'done' | 'left' | 'released';

/** What the store says when an outcome is noted: `kept`, or `done` where an outcome of the event is out already. */
export type Settled = 'kept' | 'done';

interface Unsaved {
  readonly how: 'hand' | 'settled' | ClaimEnd;
  readonly deaths: number;
  /** With `settled`. */
  readonly settlement?: string;
  readonly onSaved?: (known: Settled) => void;
}

export interface SendClaimsOptions {
  readonly instanceId: string;
  /** Different for each start of a process. */
  readonly epoch: string;
  /** Whether other living processes may use the store. Where not, each claim of another process is of a dead one. */
  readonly isShared: boolean;
}

/**
 * Remembers durably which events are being sent and which are done, over all processes that share the store.
 *
 * A claim is a test-and-set: it fails where another process has one, unless that process is dead. What the store has not
 * taken is written as soon as it answers again; only a process that dies before that leaves no trace.
 */
export class SendClaims {
  readonly #slots: ClaimSlots;
  readonly #presence: ProcessPresence;
  /** Deaths by the key of each event that this process has in hand. */
  readonly #own = new Map<string, number>();
  /** What the store has not taken yet. */
  readonly #unsaved = new Map<string, Unsaved>();
  /** Since when the store owes us an answer, by the monotonic clock. */
  #owingSince: number | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(
    store: Pick<StateStore, 'get' | 'set' | 'delete' | 'compareAndSet'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly options: SendClaimsOptions,
  ) {
    this.#slots = new ClaimSlots(store);
    this.#presence = new ProcessPresence(store, options.epoch, () => this.#own.size > 0, clock, logger);
  }

  /**
   * Claims the event if nobody alive has. Never rejects.
   * @param limitMs for the store to answer; after it the event counts as `unavailable`
   */
  async begin(key: string, limitMs: number): Promise<Claim> {
    if (this.#unsaved.get(key)?.how === 'done') return { kind: 'done' };
    const { hash, slot } = placeOf(key);
    try {
      const change = this.#slots.change(slot, (draft) => this.#take(draft, hash));
      const claim = (await this.#within(change, limitMs)) ?? ({ kind: 'unavailable' } as const);
      if (claim.kind === 'mine') this.#hold(key, claim.deaths);
      if (claim.kind === 'settled') this.#hold(key, 0);
      return claim;
    } catch (error) {
      this.#onRefused(error);
      return { kind: 'unavailable' };
    }
  }

  /** Claims the event although the store does not answer: it learns of it when it does. */
  assume(key: string): void {
    this.#hold(key, 0);
    if (this.#unsaved.has(key)) return;
    this.#unsaved.set(key, { how: 'hand', deaths: 0 });
    this.#retryLater();
  }

  /** Looks whether the process that holds an event lives. To be called every second or two. Never rejects. */
  async observe(epoch: string): Promise<void> {
    await this.#presence.observe(epoch);
  }

  /**
   * Whether the event is still ours: a process that stood still for a while may have been taken for dead. Asks the store
   * only after such a while, and trusts a claim that the store does not deny.
   */
  async isMine(key: string): Promise<boolean> {
    if (!this.options.isShared || this.#presence.isCertain || this.#unsaved.has(key)) return true;
    const at = this.clock.monotonic();
    const { hash, slot } = placeOf(key);
    const look = this.#slots.change(slot, (draft) => {
      const mark = draft.open.get(hash);
      if (draft.done.has(hash) || (mark !== undefined && mark.epoch !== this.options.epoch)) return false;
      if (mark?.phase !== 'hand') this.#put(draft, hash, 'hand', this.#own.get(key) ?? 0);
      return true;
    });
    const isMine = await this.#within(look, CONFIRM_MS).catch(() => undefined);
    if (isMine === true) this.#presence.confirmed(at);
    if (isMine === false) this.#own.delete(key);
    return isMine !== false;
  }

  /**
   * Notes the outcome of an event that is in hand, before it is published: a process that dies meanwhile must not leave the
   * next one to guess another. Resolves when that is durable, when the store has not answered for `SETTLE_MS`, or soon after
   * `signal` is aborted. Never rejects.
   * @returns `done` where the event was claimed without the store, which knows that it has an outcome
   */
  async settling(key: string, settlement: string, signal: AbortSignal): Promise<Settled> {
    const deaths = this.#own.get(key);
    if (deaths === undefined) return 'kept';
    const saved = new Promise<Settled>((onSaved) => {
      this.#unsaved.set(key, { how: 'settled', deaths, settlement, onSaved });
    });
    void this.#save(key);
    const owedMs = this.clock.monotonic() - (this.#owingSince ?? this.clock.monotonic());
    return (await this.#within(saved, Math.max(0, SETTLE_MS - owedMs), signal)) ?? 'kept';
  }

  /** Ends the claim of an event that is in hand. Resolves when that is durable, or when the store has refused it for now. Never rejects. */
  async end(key: string, how: ClaimEnd): Promise<void> {
    const deaths = this.#own.get(key);
    if (deaths === undefined) return;
    this.#own.delete(key);
    this.#unsaved.set(key, { how, deaths });
    await this.#save(key);
  }

  /** Ends the tries to write; what the store has not taken is given up. */
  stop(): void {
    this.#cancelRetry?.();
    this.#unsaved.clear();
    void this.#presence.stop();
  }

  #take(draft: Slot, hash: string): Claim {
    if (draft.done.has(hash)) return { kind: 'done' };
    const mark = draft.open.get(hash);
    if (mark !== undefined && mark.phase !== 'left' && mark.epoch !== this.options.epoch) {
      if (this.options.isShared && !this.#presence.isDead(mark.epoch))
        return { kind: 'held', epoch: mark.epoch };
    }
    if (mark?.settlement !== undefined) {
      const { epoch, instanceId: instance } = this.options;
      draft.open.set(hash, { ...mark, epoch, instance });
      return { kind: 'settled', settlement: mark.settlement };
    }
    if (mark?.phase === 'hand' && mark.epoch !== this.options.epoch) {
      const deaths = mark.deaths + 1;
      this.#put(draft, hash, 'hand', deaths);
      return { kind: 'mine', earlier: 'died', deaths };
    }
    const deaths = mark?.deaths ?? 0;
    if (mark?.phase !== 'hand') this.#put(draft, hash, 'hand', deaths);
    return { kind: 'mine', earlier: mark?.phase === 'left' ? 'left' : 'none', deaths };
  }

  #put(draft: Slot, hash: string, phase: Mark['phase'], deaths: number, settlement?: string): void {
    const { epoch, instanceId: instance } = this.options;
    const startedAt = draft.open.get(hash)?.startedAt ?? this.clock.now();
    const mark: Mark = { phase, instance, epoch, startedAt, deaths };
    draft.open.delete(hash);
    draft.open.set(hash, settlement === undefined ? mark : { ...mark, settlement });
  }

  /** Writes what is unsaved of an event. Never rejects. */
  async #save(key: string): Promise<void> {
    const wanted = this.#unsaved.get(key);
    if (wanted === undefined) return;
    const { hash, slot } = placeOf(key);
    this.#owingSince ??= this.clock.monotonic();
    try {
      const known = await this.#slots.change(slot, (draft) => {
        const isDone = draft.done.has(hash);
        this.#write(draft, hash, wanted);
        return isDone ? 'done' : 'kept';
      });
      // Another end may have come meanwhile: that one is not saved by this.
      if (this.#unsaved.get(key) === wanted) this.#unsaved.delete(key);
      this.#owingSince = undefined;
      wanted.onSaved?.(known);
    } catch (error) {
      this.#onRefused(error);
      this.#retryLater();
    }
  }

  #write(draft: Slot, hash: string, { deaths, how, settlement }: Unsaved): void {
    if (how === 'done') {
      draft.open.delete(hash);
      draft.done.delete(hash);
      draft.done.add(hash);
      return;
    }
    const mark = draft.open.get(hash);
    const isOthers = mark !== undefined && mark.epoch !== this.options.epoch;
    if (isOthers || draft.done.has(hash)) return;
    if (how === 'released' && deaths === 0) draft.open.delete(hash);
    // An event that others died of is not forgotten by giving it back.
    else if (how === 'released') this.#put(draft, hash, 'left', deaths);
    else this.#put(draft, hash, how, deaths, settlement);
  }

  /** Settles as `work`, or resolves to undefined when `limitMs` have passed first, or `CONFIRM_MS` after `signal` is aborted. */
  async #within<T>(work: Promise<T>, limitMs: number, signal?: AbortSignal): Promise<T | undefined> {
    if (limitMs === Infinity) return work;
    const over = new AbortController();
    const late = sleep(this.clock, limitMs, over.signal).then(() => undefined);
    const hurry = (): void => {
      void sleep(this.clock, CONFIRM_MS, over.signal).then(() => {
        over.abort();
      });
    };
    if (signal?.aborted === true) hurry();
    else signal?.addEventListener('abort', hurry, { once: true });
    try {
      return await Promise.race([work, late]);
    } finally {
      over.abort();
      signal?.removeEventListener('abort', hurry);
      work.catch(() => undefined);
    }
  }

  #hold(key: string, deaths: number): void {
    this.#own.set(key, deaths);
    if (this.options.isShared) this.#presence.begin();
  }

  #onRefused(error: unknown): void {
    this.logger.warn('egress.claim-not-kept', { reason: messageOf(error) });
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.clock.setTimeout(() => {
      this.#cancelRetry = undefined;
      for (const key of this.#unsaved.keys()) void this.#save(key);
    }, RETRY_MS);
  }
}
