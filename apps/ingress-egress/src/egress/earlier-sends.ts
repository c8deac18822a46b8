import { type Clock, type ConnectorCapabilities, sleep } from '@bitbrat/connectors-core';
import { type ReceivedMessage } from '@bitbrat/message-bus';
import { LRUCache } from 'lru-cache';
import { replayedLetterOf } from '../dead-letters/replay.js';
import { LOST_ANSWER_MS } from './ack-policy.js';
import { type EarlierSend, type SendClaims } from './send-claims.js';

/** Ids of events that are remembered: those sent, so that an event published twice is sent once, and those that nobody knows to stand or not. */
const REMEMBERED = 50_000;

/** Milliseconds between two questions whether an event was sent, to a store that does not answer. */
const CLAIM_RETRY_MS = 1_000;

/** Milliseconds without a question, after which a store that does not answer is taken to be away anew. */
const OUTAGE_GAP_MS = 10_000;

export interface EarlierSendsOptions {
  /**
   * For so many milliseconds after its start a process takes any event for one that an earlier process may have sent: bots repeat an event when
   * they have not heard of its outcome, or when the envelope that it answers comes again.
   */
  readonly repeatWindowMs: number;
  /** How long an event that an earlier process may have sent waits for a store that is away, in milliseconds since it went away. */
  readonly giveUpAfterMs: number;
}

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
  readonly #startedAt: number;
  readonly #startedMark: number;
  /** The store's outage, by the monotonic clock. */
  #outage: { readonly since: number; readonly lastAskedAt: number } | undefined;

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
  wasTried(
    { earlierDeliveries, id, message }: EventOnItsWay,
    protection: ConnectorCapabilities['duplicateProtection'] | undefined,
  ): boolean {
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
   */
  async letEarlierTryEnd({ id, message }: EventOnItsWay, signal: AbortSignal): Promise<void> {
    const startedMark = message.publishedAt < this.#startedAt ? this.#startedMark : -Infinity;
    const lastTryAt = Math.max(startedMark, this.#doubts.get(id)?.lastAt ?? -Infinity);
    const leftMs = lastTryAt + LOST_ANSWER_MS - this.clock.monotonic();
    if (leftMs > 0) await sleep(this.clock, leftMs, signal);
  }

  /**
   * Claims the event before its first try. One that an earlier process may have sent waits for a store that does not answer; any other is sent
   * all the same.
   */
  async claim(event: EventOnItsWay, signal: AbortSignal): Promise<EarlierSend> {
    const key = claimKey(event);
    const isNew = event.earlierDeliveries === 0 && !this.mayBeRepeated(event);
    for (;;) {
      const left = await this.claims.begin(key);
      if (left !== 'unavailable') {
        this.#outage = undefined;
        return left;
      }
      if (isNew) {
        await this.claims.claim(key);
        return 'none';
      }
      if (this.#outageMs() >= this.options.giveUpAfterMs || signal.aborted) return left;
      await sleep(this.clock, CLAIM_RETRY_MS, signal);
    }
  }

  /** For how long the store has not answered. Counted once for all events: those that queue behind each other would otherwise wait as long each. */
  #outageMs(): number {
    const now = this.clock.monotonic();
    const { lastAskedAt, since } = this.#outage ?? { lastAskedAt: now, since: now };
    this.#outage = { lastAskedAt: now, since: now - lastAskedAt > OUTAGE_GAP_MS ? now : since };
    return now - this.#outage.since;
  }

  /** The outcome is known, or the event goes back to the bus. @param mayStand false: nothing of it is on the platform, so that it may come again */
  async settleClaim(event: EventOnItsWay, mayStand: boolean): Promise<void> {
    if (mayStand) await this.claims.end(claimKey(event));
    else await this.claims.release(claimKey(event));
  }

  stop(): void {
    this.claims.stop();
  }
}

/** Who replays a dead letter has decided that it shall be sent, whatever became of the event before: once for each letter. */
function claimKey({ id, message }: EventOnItsWay): string {
  const letter = replayedLetterOf(message);
  return letter === undefined ? id : `${id}\n${letter}`;
}
