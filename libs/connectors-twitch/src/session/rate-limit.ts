import { ConnectorError } from '@bitbrat/connectors-core';
import { type Clock, sleep } from '@bitbrat/foundation';
import { ChannelHolds, type HoldReporter } from './channel-holds.js';
import { type JournalOptions, SendJournal } from './send-journal.js';

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
 * Twitch counts 20 messages in 30 seconds, 100 where the bot is broadcaster, moderator or VIP ("Twitch Chat Rate Limits"),
 * one count over all channels, and ignores for half an hour or more whoever crosses it. Two seconds and a tenth of the
 * messages are left for the way to Twitch, which changes the distance between messages, and for people who use the
 * account too.
 */
export const SEND_WINDOW_MS = 32_000;
export const SEND_LIMITS: Readonly<Record<ChatStanding, number>> = {
  ordinary: 18,
  vip: 90,
  privileged: 90,
};

/** Ordinary users are held to one message a second in each channel; 1.2 leaves leeway. */
const SPACING_MS = 1_200;

/** While the store is away, its word may come at any moment: no wait is longer without a look, in milliseconds. */
const LOOK_AGAIN_MS = 5_000;

/** What an ordinary user may send in all, and how many of these this process alone. */
interface Share {
  readonly all: number;
  readonly own: number;
}

export interface TurnOptions {
  readonly standing: () => ChatStanding;
  /** The longest wait in milliseconds; Infinity: as long as it takes. */
  readonly maxWaitMs: number;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

export interface LimiterOptions extends Omit<JournalOptions, 'onChanged' | 'windowMs'> {
  /** Default: no hold is reported. */
  readonly holdReporter?: HoldReporter;
}

/**
 * The account's own rate limit of sending, over all channels and over the processes that use the account.
 *
 * Each of several processes gets its part of the limit. A process that does not know what was sent before it waits until
 * that does not count any more. While the store is away it sends half as much.
 */
export class MessageRateLimiter {
  readonly journal: SendJournal;
  readonly holds: ChannelHolds;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #lastIn = new Map<string, number>();
  /** Aborted when a wait may be shorter than it was. */
  #changed = new AbortController();

  constructor(options: LimiterOptions) {
    this.#clock = options.clock;
    this.#startedAt = options.clock.monotonic();
    const wake = (): void => {
      this.#wake();
    };
    this.journal = new SendJournal({ ...options, windowMs: SEND_WINDOW_MS, onChanged: wake });
    this.holds = new ChannelHolds({
      clock: options.clock,
      reporter: options.holdReporter,
      onReleased: wake,
    });
  }

  /** Messages of the account within the last 32 seconds. */
  get recent(): number {
    return this.journal.all.length;
  }

  /** Twitch ignores what the account writes as an ordinary user, for so many milliseconds; 0: not any more. */
  mute(ms: number): void {
    this.journal.mute(ms);
    if (ms === 0) this.#wake();
  }

  /** Milliseconds until a message may be sent there; 0: now. */
  waitMs(channel: string, standing: ChatStanding): number {
    const now = this.#clock.monotonic();
    const { hasLoaded, mutedUntil } = this.journal;
    const share = this.#shareOf(standing);
    const until = Math.max(
      this.holds.until(channel, standing),
      hasLoaded ? -Infinity : this.#startedAt + SEND_WINDOW_MS,
      roomAt(this.journal.all, share.all),
      roomAt(this.journal.own, share.own),
      ...(standing === 'ordinary' ? [mutedUntil, this.#spacedUntil(channel)] : []),
    );
    return Math.max(0, until - now);
  }

  /**
   * Waits for a turn and takes it.
   * @param nonce names the message
   * @returns whether it was sent of late already, and not refused
   * @throws ConnectorError RATE_LIMITED with the time to wait where that is longer than allowed, TIMEOUT when aborted
   */
  async turn(channel: string, nonce: string, { maxWaitMs, signal, standing }: TurnOptions): Promise<boolean> {
    const isAborted = (): boolean => signal.aborted;
    const giveUpAt = this.#clock.monotonic() + maxWaitMs;
    for (;;) {
      await this.journal.refresh();
      if (isAborted()) throw gaveUp(channel);
      const waitMs = this.waitMs(channel, standing());
      if (waitMs === 0) break;
      const lookMs = this.journal.isReliable ? waitMs : Math.min(waitMs, LOOK_AGAIN_MS);
      if (this.#clock.monotonic() + waitMs > giveUpAt) throw this.#limited(channel, lookMs);
      await sleep(this.#clock, lookMs, AbortSignal.any([signal, this.#changed.signal]));
    }
    const wasTried = this.journal.wasTried(nonce);
    await this.journal.add(channel, nonce);
    if (isAborted()) {
      this.journal.refused(nonce);
      throw gaveUp(channel);
    }
    this.#lastIn.set(channel, this.#clock.monotonic());
    return wasTried;
  }

  #shareOf(standing: ChatStanding): Share {
    const all = SEND_LIMITS[standing];
    const processes = this.journal.isReliable ? this.journal.processes : Math.max(2, this.journal.processes);
    return { all, own: Math.max(1, Math.floor(all / processes)) };
  }

  #spacedUntil(channel: string): number {
    return Math.max(this.journal.lastIn(channel), this.#lastIn.get(channel) ?? -Infinity) + SPACING_MS;
  }

  #limited(channel: string, retryAfterMs: number): ConnectorError {
    const isMuted = this.journal.mutedUntil > this.#clock.monotonic();
    const reason = isMuted ? 'Twitch ignores what the bot writes' : "Twitch's rate limit is reached";
    return new ConnectorError('RATE_LIMITED', `send to #${channel}: ${reason}`, { retryAfterMs });
  }

  #wake(): void {
    this.#changed.abort();
    this.#changed = new AbortController();
  }
}

/** When fewer than `count` of these times count any more, oldest first. */
function roomAt(times: readonly number[], count: number): number {
  const blocking = times.at(-count);
  return blocking === undefined ? -Infinity : blocking + SEND_WINDOW_MS;
}

function gaveUp(channel: string): ConnectorError {
  return new ConnectorError('TIMEOUT', `send to #${channel}: the caller gave up`);
}
