import { type ConnectorCapabilities } from '@bitbrat/connectors-core';
import { type Clock, sleep } from '@bitbrat/foundation';
import { type ReceivedMessage } from '@bitbrat/message-bus';
import { LRUCache } from 'lru-cache';
import { replayedLetterOf } from '../dead-letters/replay.js';
import { LOST_ANSWER_MS } from './ack-policy.js';
import { type Claim, type ClaimEnd, type SendClaims, type Settled } from './send-claims.js';

/** Ids of events that are remembered: those sent, so that an event published twice is sent once, and those that nobody knows to stand or not. */
const REMEMBERED = 50_000;

/** Milliseconds between two looks at a claim that is another's, or at a store that does not answer. */
const CLAIM_RETRY_MS = 1_000;

/** Milliseconds without a question, after which a store that does not answer is taken to be away anew. */
const OUTAGE_GAP_MS = 10_000;

/**
 * Milliseconds that an event which another process has in hand waits here before it goes back to the bus. One with an
 * ordering key waits longer: later ones of its destination must not overtake it.
 */
const HELD_MS = 30_000;

/**
 * Milliseconds for a store that is known to be away to answer, and between two events that wait so long for it; the others
 * do not wait. A store that is merely slow is waited for: two processes that go on without it send twice.
 */
const PROBE_MS = 10_000;

export interface EarlierSendsOptions {
  /**
   * For so many milliseconds after its start a process takes any event for one that an earlier process may have sent: bots repeat an event when
   * they have not heard of its outcome, or when the envelope that it answers comes again.
   */
  readonly repeatWindowMs: number;
  /** How long an event that an earlier process may have sent waits for a store that is away, in milliseconds since it went away. */
  readonly giveUpAfterMs: number;
}

export type Protection = ConnectorCapabilities['duplicateProtection'];

/** An event on its way, as its duplicates are told by. */
export interface EventOnItsWay {
  readonly id: string;
  readonly message: ReceivedMessage;
  /** Deliveries before this one that came as far as a try. */
  readonly earlierDeliveries: number;
}

/** When the first and the last try of an event was made whose answer was lost, by the monotonic clock. */
interface Doubt {
  readonly firstAt: number;
  readonly lastAt: number;
}

/** What is known of sends before the present one, by this process or another: all that keeps an event from being sent twice. */
export class EarlierSends {
  readonly #sent = new LRUCache<string, true>({ max: REMEMBERED });
  readonly #doubts = new LRUCache<string, Doubt>({ max: REMEMBERED });
  /** Outcomes that are being published, or could not be, by claim key. */
  readonly #owed = new LRUCache<string, string>({ max: REMEMBERED });
  readonly #startedAt: number;
  readonly #startedMark: number;
  /** The store's outage, by the monotonic clock. */
  #outage: { readonly since: number; readonly lastAskedAt: number } | undefined;
  #lastProbeAt = -Infinity;

  constructor(
    private readonly claims: SendClaims,
    private readonly clock: Clock,
    private readonly options: EarlierSendsOptions,
  ) {
    this.#startedAt = clock.now();
    this.#startedMark = clock.monotonic();
  }

  /** Whether this process has sent the event. */
  hasSent(eventId: string): boolean {
    return this.#sent.has(eventId);
  }

  noteSent(eventId: string): void {
    this.#sent.set(eventId, true);
    this.#doubts.delete(eventId);
  }

  /** The answer to a try was lost. */
  noteDoubt(eventId: string): void {
    const lastAt = this.clock.monotonic();
    this.#doubts.set(eventId, { firstAt: this.#doubts.get(eventId)?.firstAt ?? lastAt, lastAt });
  }

  /** Milliseconds since this process's first try whose answer was lost; 0 where there is none. */
  doubtMs(eventId: string): number {
    const now = this.clock.monotonic();
    return now - (this.#doubts.get(eventId)?.firstAt ?? now);
  }

  /**
   * Whether there is reason to believe that the event was tried before. Where claims are kept they tell; elsewhere an event from before this
   * process may have been in the hands of the one before.
   */
  wasTried({ earlierDeliveries, id, message }: EventOnItsWay, protection: Protection | undefined): boolean {
    // A dead letter may have been sent before it became one: its answer was lost.
    if (earlierDeliveries > 0 || replayedLetterOf(message) !== undefined || this.#doubts.has(id)) return true;
    return protection !== 'none' && message.publishedAt < this.#startedAt;
  }

  /** Whether an earlier process may have sent it: this one remembers only what it has sent itself. */
  mayBeRepeated({ message: { publishedAt } }: EventOnItsWay): boolean {
    const runningMs = this.clock.monotonic() - this.#startedMark;
    return publishedAt < this.#startedAt || runningMs < this.options.repeatWindowMs;
  }

  /**
   * What the process before this one was sending when it ended, and what this one has lost the answer to, the platform may still be at work on:
   * who looks for it sooner may not find it.
   * @param wasLeft another process gave it back, nobody here knows when
   */
  async letEarlierTryEnd(
    { id, message }: EventOnItsWay,
    wasLeft: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const startedMark = message.publishedAt < this.#startedAt ? this.#startedMark : -Infinity;
    const doubt = this.#doubts.get(id);
    const leftMark = wasLeft && doubt === undefined ? this.clock.monotonic() : -Infinity;
    const lastTryAt = Math.max(startedMark, leftMark, doubt?.lastAt ?? -Infinity);
    const leftMs = lastTryAt + LOST_ANSWER_MS - this.clock.monotonic();
    if (leftMs > 0) await sleep(this.clock, leftMs, signal);
  }

  /**
   * Claims the event before its first try.
   *
   * The store does not answer: an event that an earlier process may have sent waits for it, any other is sent all the same;
   * so is every event that the platform itself refuses to take twice. Another process has the event in hand: waits until
   * that one has ended it or is dead, for a while.
   */
  async claim(event: EventOnItsWay, protection: Protection, signal: AbortSignal): Promise<Claim> {
    const key = claimKey(event);
    const heldMs = event.message.orderingKey === undefined ? HELD_MS : this.options.giveUpAfterMs;
    const heldUntil = this.clock.monotonic() + heldMs;
    const mayDoWithout = !this.#waitsForStore(event, protection);
    for (;;) {
      const claim = await this.claims.begin(key, this.#claimLimitMs(mayDoWithout));
      if (claim.kind === 'unavailable') {
        const isOver = this.#outageMs() >= this.options.giveUpAfterMs;
        if (mayDoWithout || (isOver && protection !== 'none')) {
          this.claims.assume(key);
          return { kind: 'mine', earlier: mayDoWithout ? 'none' : 'left', deaths: 0 };
        }
        if (isOver || signal.aborted) return claim;
      } else {
        this.#outage = undefined;
        if (claim.kind !== 'held') return claim;
        if (signal.aborted || this.clock.monotonic() >= heldUntil) return claim;
      }
      await sleep(this.clock, CLAIM_RETRY_MS, signal);
      if (claim.kind === 'held') await this.claims.observe(claim.epoch);
    }
  }

  #waitsForStore(event: EventOnItsWay, protection: Protection): boolean {
    switch (protection) {
      case 'platform':
        return false;
      case 'lookup':
        // A look finds what was sent long ago; what another process may be sending now it does not find.
        return event.earlierDeliveries > 0 || event.message.publishedAt < this.#startedAt;
      case 'none':
        return event.earlierDeliveries > 0 || this.mayBeRepeated(event);
      default:
        return protection satisfies never;
    }
  }

  /** Whether the event is still in this process's hand; to be asked before each try. */
  async isMine(event: EventOnItsWay): Promise<boolean> {
    return this.claims.isMine(claimKey(event));
  }

  /** How long an event waits for one answer of the store, in milliseconds. */
  #claimLimitMs(mayDoWithout: boolean): number {
    const now = this.clock.monotonic();
    if (!mayDoWithout || this.#outage === undefined) return Infinity;
    if (now - this.#lastProbeAt < PROBE_MS) return 0;
    this.#lastProbeAt = now;
    return PROBE_MS;
  }

  /** For how long the store has not answered. Counted once for all events: those that queue behind each other would otherwise wait as long each. */
  #outageMs(): number {
    const now = this.clock.monotonic();
    const { lastAskedAt, since } = this.#outage ?? { lastAskedAt: now, since: now };
    this.#outage = { lastAskedAt: now, since: now - lastAskedAt > OUTAGE_GAP_MS ? now : since };
    return now - this.#outage.since;
  }

  /** The event's outcome is known, and about to be published. Never rejects. */
  async settling(event: EventOnItsWay, settlement: string, signal: AbortSignal): Promise<Settled> {
    return this.claims.settling(claimKey(event), settlement, signal);
  }

  /** The event's outcome is about to be published. */
  oweOutcome(event: EventOnItsWay, settlement: string): void {
    this.#owed.set(claimKey(event), settlement);
  }

  outcomePublished(event: EventOnItsWay): void {
    this.#owed.delete(claimKey(event));
  }

  /** The outcome that this process could not publish when the event was delivered before. */
  owedOutcome(event: EventOnItsWay): string | undefined {
    return this.#owed.get(claimKey(event));
  }

  /** The event's outcome is published, or it goes back to the bus. Never rejects. */
  async endClaim(event: EventOnItsWay, how: ClaimEnd): Promise<void> {
    await this.claims.end(claimKey(event), how);
  }

  stop(): void {
    this.claims.stop();
  }
}

/** Replaying a dead letter sends it again, once per letter, whatever became of the event before. */
export function claimKey({ id, message }: Pick<EventOnItsWay, 'id' | 'message'>): string {
  const letter = replayedLetterOf(message);
  return letter === undefined ? id : `${id}\n${letter}`;
}
