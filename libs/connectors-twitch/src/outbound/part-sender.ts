import { assertInTime, ConnectorError, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock, sleep } from '@bitbrat/foundation';
import { type ChannelView } from '../session/channel-joiner.js';
import { channelOf, type ChatLine, formatMessage } from '../platform/chat-line.js';
import { toStanding } from '../session/chat-standing.js';
import { type ClientSession } from '../session/client-session.js';
import { Confirmations } from './confirmations.js';
import { type MessagePart } from './message-parts.js';
import { type ChatStanding, type LimiterOptions, MessageRateLimiter } from '../session/rate-limit.js';
import { RepeatGuard } from './repeat-guard.js';
import { Silence } from './silence.js';

/** Forms of one text that are tried: as it is, varied, after the wait, and once more. */
const MAX_FORMS = 4;

/** Milliseconds that a channel is left alone where Twitch still finds the bot too fast after a short wait. */
const STILL_TOO_FAST_MS = 30_000;

export interface PartSenderOptions extends LimiterOptions {
  readonly clock: Clock;
  /** Milliseconds for Twitch to confirm or refuse one part. */
  readonly confirmMs: number;
  /** The session to send with. @throws ConnectorError NOT_CONNECTED */
  readonly session: () => Pick<ClientSession, 'channels' | 'send'>;
  /** Twitch answers nothing, so nothing is sent until then, in milliseconds since 1970. */
  readonly onMuted: (error: ConnectorError, until: number) => void;
  /** Twitch answers again. */
  readonly onHeard: () => void;
}

/** Sends one part of a text: within the rate limit, past Twitch's check for repetitions, and with its answer. */
export class PartSender {
  readonly #options: PartSenderOptions;
  readonly #limiter: MessageRateLimiter;
  readonly #confirmations: Confirmations;
  readonly #repeats: RepeatGuard;
  readonly #silence = new Silence();
  /** Channels that Twitch has called too fast, until it takes a message there. */
  readonly #tooFast = new Set<string>();
  /** Resolves when the next message may go out while Twitch is suspected to answer nothing. */
  #gate: Promise<void> = Promise.resolve();
  /** Aborted when the present connection ends. */
  #connection = new AbortController();

  constructor(options: PartSenderOptions) {
    this.#options = options;
    this.#limiter = new MessageRateLimiter(options);
    this.#confirmations = new Confirmations(options.clock, options.confirmMs);
    this.#repeats = new RepeatGuard(options.clock);
  }

  /** Messages that count against Twitch's rate limit. */
  get recent(): number {
    return this.#limiter.recent;
  }

  /** As `MessageSender.begin`. */
  begin(): void {
    const { journal } = this.#limiter;
    journal.begin();
    void journal.refresh().then(() => {
      const leftMs = journal.mutedUntil - this.#options.clock.monotonic();
      if (leftMs <= 0) return;
      this.#silence.resume();
      this.#reportMute(leftMs);
    });
  }

  /** What waits for its turn is given back. */
  endWaits(): void {
    this.#connection.abort();
    this.#connection = new AbortController();
  }

  /** Nothing more is sent. Resolves after a second at the latest; never rejects. */
  end(): Promise<void> {
    this.#limiter.holds.releaseAll();
    return this.#limiter.journal.end();
  }

  /** As `MessageSender.onLine`. */
  onLine(line: ChatLine, via: object): void {
    const channel = line.command === 'USERSTATE' ? channelOf(line) : undefined;
    if (channel !== undefined) this.#limiter.holds.onStanding(channel, toStanding(line));
    this.#confirmations.onLine(line, via);
  }

  /** As `MessageSender.isAwaited`. */
  isAwaited(via: object): boolean {
    return this.#confirmations.isAwaited(via);
  }

  /** Sessions have ended: what waits for an answer will get none. @param via default: all */
  onLost(reason: string, via?: object): void {
    this.#confirmations.onLost(reason, via);
    if (this.#silence.explained()) this.#unmute();
  }

  /**
   * Resolves when Twitch has the part.
   * @param maxWaitMs the longest that it may wait for its turn
   * @throws ConnectorError
   */
  async send(
    part: MessagePart,
    maxWaitMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly id: string; readonly duplicate: boolean }> {
    const late = this.#confirmations.lateAnswerTo(part.nonce);
    if (late !== undefined) return { id: late, duplicate: true };
    const { channel } = part;
    const { clock } = this.#options;
    // Nobody waits for a turn that comes after the message has expired.
    const leftMs = Math.max(0, (part.expiresAt ?? Infinity) - clock.now());
    const giveUpAt = clock.monotonic() + Math.min(maxWaitMs, leftMs);
    const history = { wasTried: false };
    for (let tries = 1; ; tries++) {
      const isOrdinary = this.#standingIn(channel) === 'ordinary';
      const form = this.#repeats.formOf(part, isOrdinary);
      if (form.waitMs > 0) await this.#waitOut(channel, form.waitMs, giveUpAt, signal);
      const work = async (): Promise<string> => {
        const wasTried = await this.#turn(part, giveUpAt, signal);
        history.wasTried ||= wasTried;
        return this.#transmit(part, form.text);
      };
      try {
        const id = await (isOrdinary && this.#silence.isSuspected ? this.#alone(work) : work());
        return { id, duplicate: false };
      } catch (error) {
        if (!(error instanceof ConnectorError) || error.nativeCode !== 'msg_duplicate') throw error;
        // Only a part that was tried can be the one that Twitch has. Any other is another message with the same text.
        if (history.wasTried) return { id: `nonce:${part.nonce}`, duplicate: true };
        if (part.mayHaveBeenSent && !this.#limiter.journal.hasLoaded) throw isUnknown(channel, error);
        if (tries === MAX_FORMS) throw error;
        this.#repeats.refused(part, form);
      }
    }
  }

  /** One message after the other. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#gate;
    const result = before.then(work);
    this.#gate = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  async #transmit(part: MessagePart, text: string): Promise<string> {
    const { channel, nonce } = part;
    const { clock } = this.#options;
    const sentAt = clock.monotonic();
    let standing: ChatStanding | undefined;
    const before = this.#repeats.sending(part, text);
    try {
      assertInTime(clock, part.expiresAt);
      standing = this.#standingIn(channel);
      const id = await this.#put(part, text);
      this.#tooFast.delete(channel);
      this.#limiter.holds.release(channel);
      this.#onAnswer();
      return id;
    } catch (reason) {
      const error = toConnectorError(reason);
      if (!error.ambiguous) {
        this.#limiter.journal.refused(nonce);
        this.#repeats.restore(channel, before);
      }
      if (standing === undefined) throw error;
      if (error.nativeCode === undefined) {
        if (error.code === 'TIMEOUT' && standing === 'ordinary') this.#onSilence(sentAt, error);
        throw error;
      }
      const refusal = error.nativeCode === 'msg_ratelimit' ? this.#tooSoon(channel, error) : error;
      this.#onRefusal(channel, refusal, standing);
      throw refusal;
    }
  }

  /** Resolves with the message's id. @throws ConnectorError, not ambiguous where Twitch does not have it for certain */
  async #put({ channel, inReplyTo, nonce }: MessagePart, text: string): Promise<string> {
    const session = this.#options.session();
    const line = formatMessage(channel, text, {
      'client-nonce': nonce,
      ...(inReplyTo === undefined ? {} : { 'reply-parent-msg-id': inReplyTo }),
    });
    return this.#confirmations.awaitFor({ channel, nonce, via: session }, () => {
      session.send(line);
    });
  }

  #onRefusal(channel: string, error: ConnectorError, standing: ChatStanding): void {
    this.#onAnswer();
    const { code, nativeCode } = error;
    if (code === 'RATE_LIMITED' && nativeCode !== 'msg_duplicate')
      this.#limiter.holds.hold(channel, error, standing);
  }

  /** @returns the refusal with a longer wait where the last message to the channel was too soon, too */
  #tooSoon(channel: string, error: ConnectorError): ConnectorError {
    if (!this.#tooFast.has(channel)) {
      this.#tooFast.add(channel);
      return error;
    }
    const { code, message, nativeCode } = error;
    const retryAfterMs = Math.max(STILL_TOO_FAST_MS, error.retryAfterMs ?? 0);
    return new ConnectorError(code, message, { cause: error, nativeCode, retryAfterMs });
  }

  #onAnswer(): void {
    if (this.#silence.answered()) this.#unmute();
  }

  #onSilence(sentAt: number, error: ConnectorError): void {
    const holdMs = this.#silence.unanswered(sentAt, this.#options.clock.monotonic());
    if (holdMs === 0) return;
    this.#limiter.mute(holdMs);
    this.#reportMute(holdMs, error);
  }

  #reportMute(forMs: number, cause?: ConnectorError): void {
    const error = new ConnectorError('RATE_LIMITED', 'Twitch answers nothing that the bot writes', {
      cause,
      retryAfterMs: forMs,
      hint: 'wait: Twitch ignores an account that has written too fast. Make the bot a moderator, and let nobody else write with its account',
    });
    this.#options.onMuted(error, this.#options.clock.now() + forMs);
  }

  #unmute(): void {
    this.#limiter.mute(0);
    this.#options.onHeard();
  }

  /** Waits until Twitch takes the same text again. @throws ConnectorError RATE_LIMITED where that is too long */
  async #waitOut(channel: string, waitMs: number, giveUpAt: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (clock.monotonic() + waitMs > giveUpAt) {
      throw new ConnectorError(
        'RATE_LIMITED',
        `send to #${channel}: the text is that of the message before`,
        {
          nativeCode: 'msg_duplicate',
          retryAfterMs: waitMs,
        },
      );
    }
    const connection = this.#connection.signal;
    await sleep(clock, waitMs, AbortSignal.any([signal, connection]));
    if (connection.aborted) throw connectionEnded(channel);
    if (signal.aborted) throw gaveUp(channel);
  }

  /** @returns whether the part was tried before */
  async #turn({ channel, nonce }: MessagePart, giveUpAt: number, signal: AbortSignal): Promise<boolean> {
    const connection = this.#connection.signal;
    try {
      return await this.#limiter.turn(channel, nonce, {
        maxWaitMs: giveUpAt - this.#options.clock.monotonic(),
        signal: AbortSignal.any([signal, connection]),
        standing: () => this.#standingIn(channel),
      });
    } catch (error) {
      if (!connection.aborted) throw error;
      throw connectionEnded(channel);
    }
  }

  /** @throws ConnectorError NOT_CONNECTED, or why the bot is not in the channel */
  #standingIn(channel: string): ChatStanding {
    const view: ChannelView | undefined = this.#options.session().channels.get(channel);
    switch (view?.status) {
      case 'joined':
        return view.standing;
      case 'refused':
        throw view.error;
      case 'joining':
      case undefined:
        throw new ConnectorError('NOT_CONNECTED', `the bot is not in #${channel} yet`);
      default:
        return view satisfies never;
    }
  }
}

/** Twitch has a message with this text, and nobody knows whose it is. */
function isUnknown(channel: string, cause: ConnectorError): ConnectorError {
  const reason = 'Twitch has the same text already, and the state store does not tell who sent it';
  return new ConnectorError('UPSTREAM_UNAVAILABLE', `send to #${channel}: ${reason}`, { cause });
}

/** The caller does not wait for the message any more. */
export function gaveUp(channel: string): ConnectorError {
  return new ConnectorError('TIMEOUT', `send to #${channel}: the caller gave up`);
}

function connectionEnded(channel: string): ConnectorError {
  return new ConnectorError('NOT_CONNECTED', `send to #${channel}: the connection ended`);
}
