import { boundRetryAfter, type ConnectorError } from '@bitbrat/connectors-core';
import { type Clock, isoTime, Timers } from '@bitbrat/foundation';
import { type ChatStanding } from './rate-limit.js';

/** Milliseconds that a channel may be held without a report. */
const UNREPORTED_MS = 60_000;

const RANKS: Readonly<Record<ChatStanding, number>> = { ordinary: 0, vip: 1, privileged: 2 };

/** Takes the holds that last longer than a minute. */
export interface HoldReporter {
  /** @param nextAttemptAt RFC 3339, UTC */
  held(channel: string, error: ConnectorError, nextAttemptAt: string): void;
  released(channel: string): void;
}

export interface HoldsOptions {
  readonly clock: Clock;
  readonly reporter?: HoldReporter | undefined;
  /** A hold has ended before its time. */
  readonly onReleased: () => void;
}

interface Hold {
  /** By the monotonic clock. */
  readonly until: number;
  /** What the bot was when it was refused. */
  readonly standing: ChatStanding;
}

/**
 * Channels that Twitch does not let the bot write to for a while (time-out, slow mode). A moderator may end that at any
 * time and Twitch does not report it, so a hold ends after `MAX_RETRY_AFTER_MS` at the latest, and earlier when the bot
 * rises in rank or a message is taken.
 */
export class ChannelHolds {
  readonly #options: HoldsOptions;
  readonly #holds = new Map<string, Hold>();
  readonly #reported = new Set<string>();
  /** Ends of reported holds, by channel. */
  readonly #timers: Timers;

  constructor(options: HoldsOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
  }

  /** A refusal that asks to wait. Of two holds the longer one counts. */
  hold(channel: string, error: ConnectorError, standing: ChatStanding): void {
    const { clock, reporter } = this.#options;
    const ms = boundRetryAfter(error.retryAfterMs) ?? 0;
    const until = clock.monotonic() + ms;
    if (until <= this.until(channel, standing)) return;
    this.#holds.set(channel, { until, standing });
    if (ms <= UNREPORTED_MS || reporter === undefined) return;
    this.#reported.add(channel);
    reporter.held(channel, error, isoTime(clock.now() + ms));
    this.#timers.set(channel, ms, () => {
      this.release(channel);
    });
  }

  /** Until when the channel is held, by the monotonic clock; -Infinity: it is not. */
  until(channel: string, standing: ChatStanding): number {
    const hold = this.#holds.get(channel);
    return hold === undefined || RANKS[standing] > RANKS[hold.standing] ? -Infinity : hold.until;
  }

  /** Twitch has said what the bot is in the channel. */
  onStanding(channel: string, standing: ChatStanding): void {
    if (this.#holds.has(channel) && this.until(channel, standing) === -Infinity) this.release(channel);
  }

  /** The bot may write again. */
  release(channel: string): void {
    if (!this.#holds.delete(channel)) return;
    this.#timers.cancel(channel);
    if (this.#reported.delete(channel)) this.#options.reporter?.released(channel);
    this.#options.onReleased();
  }

  releaseAll(): void {
    for (const channel of [...this.#holds.keys()]) this.release(channel);
  }
}
