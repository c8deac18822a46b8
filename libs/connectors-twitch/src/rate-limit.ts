import { type Clock, ConnectorError, sleep } from '@bitbrat/connectors-core';

/** So many events within a sliding span of time. */
export interface RateLimit {
  readonly count: number;
  /** Milliseconds. */
  readonly windowMs: number;
}

/** Times of events within a sliding window. */
export class SlidingWindow {
  #times: number[] = [];

  constructor(
    private readonly windowMs: number,
    private readonly clock: Clock,
  ) {}

  /** Events that still count. */
  get size(): number {
    this.#forget();
    return this.#times.length;
  }

  add(): void {
    this.#forget();
    this.#times.push(this.clock.monotonic());
  }

  /** Milliseconds until fewer than `count` events count; 0: now. */
  waitMs(count: number): number {
    this.#forget();
    const blocking = this.#times.at(-count);
    return blocking === undefined ? 0 : blocking + this.windowMs - this.clock.monotonic();
  }

  #forget(): void {
    const oldest = this.clock.monotonic() - this.windowMs;
    const first = this.#times.findIndex((time) => time > oldest);
    this.#times = first === -1 ? [] : this.#times.slice(first);
  }
}

/** What the bot is in a channel; `privileged`: moderator or broadcaster. */
export type ChatStanding = 'ordinary' | 'vip' | 'privileged';

/**
 * Twitch counts 20 messages in 30 seconds, 100 where the bot is moderator or broadcaster ("Chat rate limits"), one count over all channels,
 * and ignores for half an hour whoever crosses it. Two seconds and a tenth of the messages are left for the way to Twitch, which changes
 * the distance between messages, and for people who use the account too.
 */
const WINDOW_MS = 32_000;
const LIMITS: Readonly<Record<ChatStanding, number>> = { ordinary: 18, vip: 18, privileged: 90 };

/** Ordinary users are held to one message a second in each channel; 1.2 leaves leeway. */
const SPACING_MS = 1_200;

export interface TurnOptions {
  readonly standing: () => ChatStanding;
  /** The longest wait in milliseconds; Infinity: as long as it takes. */
  readonly maxWaitMs: number;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** The account's own rate limit of sending, over all channels. */
export class MessageRateLimiter {
  readonly #sent: SlidingWindow;
  readonly #lastIn = new Map<string, number>();
  #pausedUntil = -Infinity;

  constructor(private readonly clock: Clock) {
    this.#sent = new SlidingWindow(WINDOW_MS, clock);
  }

  /** Messages within the last 32 seconds. */
  get recent(): number {
    return this.#sent.size;
  }

  /** Twitch says that it was too fast: nothing is sent for so long. */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.clock.monotonic() + ms);
  }

  /** Milliseconds until a message may be sent there; 0: now. */
  waitMs(channel: string, standing: ChatStanding): number {
    const now = this.clock.monotonic();
    const spaced = standing === 'ordinary' ? (this.#lastIn.get(channel) ?? -Infinity) + SPACING_MS - now : 0;
    return Math.max(0, spaced, this.#pausedUntil - now, this.#sent.waitMs(LIMITS[standing]));
  }

  /**
   * Waits for a turn and takes it.
   * @throws ConnectorError RATE_LIMITED with the time to wait where that is longer than allowed, TIMEOUT when aborted
   */
  async turn(channel: string, { maxWaitMs, signal, standing }: TurnOptions): Promise<void> {
    const giveUpAt = this.clock.monotonic() + maxWaitMs;
    for (;;) {
      if (signal.aborted) throw new ConnectorError('TIMEOUT', `send to #${channel}: the caller gave up`);
      const waitMs = this.waitMs(channel, standing());
      if (waitMs === 0) break;
      if (this.clock.monotonic() + waitMs > giveUpAt) {
        throw new ConnectorError('RATE_LIMITED', `send to #${channel}: Twitch's rate limit is reached`, {
          retryAfterMs: waitMs,
        });
      }
      await sleep(this.clock, waitMs, signal);
    }
    this.#sent.add();
    this.#lastIn.set(channel, this.clock.monotonic());
  }
}
