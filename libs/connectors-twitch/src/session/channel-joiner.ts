import { ConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger, Timers } from '@bitbrat/foundation';
import { toNoticeError } from '../platform/errors.js';
import { type ChatStanding, type SlidingWindow } from './rate-limit.js';

/** Twitch takes 20 JOINs in 10 seconds ("Chat rate limits"); two and a second are left for the way there. Over it they are ignored. */
export const JOIN_LIMIT = { count: 18, windowMs: 11_000 } as const;

/** Milliseconds for Twitch to answer a JOIN; to one for a name that nobody has it never does. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Milliseconds before a channel that could not be joined is tried again. */
const RETRY_MS = 60_000;

/** The same where Twitch did not answer, which may be for any reason: it doubles with each time, up to `RETRY_MS`. */
const FIRST_RETRY_MS = 2_000;

/** NOTICE ids that refuse a JOIN. */
const REFUSALS: ReadonlySet<string> = new Set([
  'msg_banned',
  'msg_channel_blocked',
  'msg_channel_suspended',
  'msg_room_not_found',
  'tos_ban',
]);

/** How the bot is in a channel. */
export type ChannelView =
  | { readonly status: 'joining' }
  | { readonly status: 'joined'; readonly standing: ChatStanding }
  | { readonly status: 'refused'; readonly error: ConnectorError };

export interface JoinerOptions {
  readonly channels: readonly string[];
  /** JOINs of the account; it outlives the connection. */
  readonly joins: SlidingWindow;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly send: (line: string) => void;
  /**
   * The bot is in a channel.
   * @param outSince as given to `onParted`; undefined: it was not in since the connection began
   */
  readonly onJoined: (channel: string, outSince: number | undefined) => void;
  /** The bot cannot be in a channel. @param retryAt when it is tried again, in milliseconds since 1970 */
  readonly onRefused: (channel: string, error: ConnectorError, retryAt: number) => void;
  /** Since when messages of channels are missed already, by channel, in milliseconds since 1970. Default: of none. */
  readonly absences?: ReadonlyMap<string, number | undefined>;
}

/** Joins the channels of one connection, no faster than Twitch allows, and tries again those that could not be joined. */
export class ChannelJoiner {
  readonly #options: JoinerOptions;
  readonly #views = new Map<string, ChannelView>();
  readonly #standings = new Map<string, ChatStanding>();
  readonly #outSince = new Map<string, number>();
  /** JOINs without an answer in a row, by channel. */
  readonly #unanswered = new Map<string, number>();
  /** By channel. */
  readonly #timers: Timers;
  #queue: string[];
  #cancelPump: () => void = () => undefined;
  #stopped = false;
  #onSettled: () => void = () => undefined;

  constructor(options: JoinerOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
    this.#queue = [...options.channels];
    for (const channel of options.channels) this.#views.set(channel, { status: 'joining' });
    for (const [channel, outSince] of options.absences ?? []) {
      if (outSince !== undefined) this.#outSince.set(channel, outSince);
    }
  }

  /** By channel, in the order of the configuration. */
  get views(): ReadonlyMap<string, ChannelView> {
    return this.#views;
  }

  /** The channels that the bot is not in, each with since when, as `onJoined` would tell. */
  get absences(): ReadonlyMap<string, number | undefined> {
    const absent = [...this.#views].filter(([, { status }]) => status !== 'joined');
    return new Map(absent.map(([channel]) => [channel, this.#outSince.get(channel)]));
  }

  /** Resolves when each channel was joined or refused, or at the end of a stop. */
  start(): Promise<void> {
    const settled = new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
    this.#pump();
    return settled;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPump();
    this.#timers.cancelAll();
    this.#onSettled();
  }

  /** ROOMSTATE: the bot is in. */
  onJoined(channel: string): void {
    const view = this.#views.get(channel);
    if (view === undefined || view.status === 'joined') return;
    this.#unanswered.delete(channel);
    this.#settle(channel, { status: 'joined', standing: this.#standings.get(channel) ?? 'ordinary' });
    this.#options.onJoined(channel, this.#outSince.get(channel));
  }

  /**
   * Messages of a channel that is not joined yet are missed from now on.
   * @param outSince as given to `onParted`
   */
  noteAbsence(channel: string, outSince: number): void {
    if (this.#views.get(channel)?.status !== 'joined') this.#outSince.set(channel, outSince);
  }

  /** USERSTATE, which comes before ROOMSTATE at a JOIN and after each message. */
  onStanding(channel: string, standing: ChatStanding): void {
    this.#standings.set(channel, standing);
    if (this.#views.get(channel)?.status === 'joined')
      this.#views.set(channel, { status: 'joined', standing });
  }

  onNotice(channel: string, msgId: string, text: string): void {
    if (!REFUSALS.has(msgId) || this.#views.get(channel)?.status !== 'joining') return;
    const error = toNoticeError(msgId, text, `join #${channel}`);
    if (error === undefined) return;
    this.#unanswered.delete(channel);
    this.#refuse(channel, error, RETRY_MS);
  }

  /**
   * PART of the bot itself: Twitch has put it out.
   * @param outSince since when it may have missed messages, in milliseconds since 1970
   */
  onParted(channel: string, outSince: number): void {
    if (this.#views.get(channel)?.status !== 'joined') return;
    this.#options.logger.warn('twitch.channel-left', { channel });
    this.#outSince.set(channel, outSince);
    this.#enqueue(channel);
  }

  #enqueue(channel: string): void {
    this.#views.set(channel, { status: 'joining' });
    this.#queue.push(channel);
    this.#pump();
  }

  #pump(): void {
    const { clock, joins, send } = this.#options;
    this.#cancelPump();
    for (;;) {
      const [channel] = this.#queue;
      if (channel === undefined || this.#stopped) return;
      const waitMs = joins.waitMs(JOIN_LIMIT.count);
      if (waitMs > 0) {
        this.#cancelPump = clock.setTimeout(() => {
          this.#pump();
        }, waitMs);
        return;
      }
      this.#queue = this.#queue.slice(1);
      joins.add();
      this.#timers.set(channel, ANSWER_TIMEOUT_MS, () => {
        this.#onNoAnswer(channel);
      });
      send(`JOIN #${channel}`);
    }
  }

  #onNoAnswer(channel: string): void {
    const count = this.#unanswered.get(channel) ?? 0;
    this.#unanswered.set(channel, count + 1);
    this.#refuse(channel, noAnswer(channel), Math.min(RETRY_MS, FIRST_RETRY_MS * 2 ** count));
  }

  #refuse(channel: string, error: ConnectorError, retryMs: number): void {
    const { clock, logger, onRefused } = this.#options;
    const { code, hint, message } = error;
    logger.warn('twitch.channel-refused', { channel, code, reason: message, hint });
    this.#settle(channel, { status: 'refused', error });
    this.#timers.set(channel, retryMs, () => {
      this.#enqueue(channel);
    });
    onRefused(channel, error, clock.now() + retryMs);
  }

  #settle(channel: string, view: ChannelView): void {
    this.#timers.cancel(channel);
    this.#views.set(channel, view);
    if ([...this.#views.values()].every(({ status }) => status !== 'joining')) this.#onSettled();
  }
}

/** The channel may not exist, or Twitch may be unwell. */
function noAnswer(channel: string): ConnectorError {
  return new ConnectorError('NOT_CONNECTED', `join #${channel}: no answer in ${ANSWER_TIMEOUT_MS} ms`, {
    hint: 'check TWITCH_CHANNELS: Twitch does not answer for a channel that does not exist',
  });
}
