import { createHash } from 'node:crypto';
import {
  type Clock,
  ConnectorError,
  type SendOptions,
  type SendReceipt,
  sleep,
  toConnectorError,
} from '@bitbrat/connectors-core';
import { LRUCache } from 'lru-cache';
import { type ChannelView } from './channel-joiner.js';
import { type ChatLine, formatMessage } from './chat-line.js';
import { planChatTexts, vary } from './chat-text.js';
import { type ClientSession } from './client-session.js';
import { Confirmations } from './confirmations.js';
import { type ChatStanding, MessageRateLimiter } from './rate-limit.js';

/** Messages that are remembered, so that a repeated call in this process is not sent again. */
const REMEMBERED = 5_000;

/** Twitch refuses a text that equals the one before it for 30 seconds (NOTICE id `msg_duplicate`); one is left for the way there. */
const DUPLICATE_WINDOW_MS = 31_000;

export interface SenderOptions {
  /** Names of the channels that may be written to. */
  readonly channels: readonly string[];
  readonly clock: Clock;
  /** Milliseconds for Twitch to confirm or refuse one part. */
  readonly confirmMs: number;
  /** The longest that a message may wait for its turn before its first part is sent, in milliseconds. */
  readonly maxWaitMs: number;
  /** The session to send with. @throws ConnectorError NOT_CONNECTED */
  readonly session: () => Pick<ClientSession, 'channels' | 'send'>;
}

/** One part of a text on its way. */
interface Part {
  readonly channel: string;
  readonly text: string;
  /** The same for each try of the same part. */
  readonly nonce: string;
  readonly inReplyTo: string | undefined;
  /** An earlier try may have reached Twitch. */
  readonly mayHaveBeenSent: boolean;
}

/** What was last put on its way to a channel. */
interface Sent {
  readonly text: string;
  readonly nonce: string;
  readonly at: number;
}

/** Sends texts, each once as far as Twitch lets us know, those for one channel in the order of the calls. */
export class MessageSender {
  readonly #options: SenderOptions;
  readonly #limiter: MessageRateLimiter;
  readonly #confirmations: Confirmations;
  readonly #tails = new Map<string, Promise<unknown>>();
  /** Ids of the parts that Twitch has confirmed, by call. */
  readonly #confirmed = new LRUCache<string, readonly string[]>({ max: REMEMBERED });
  readonly #last = new Map<string, Sent>();
  /** Aborted when the present connection ends. */
  #connection = new AbortController();

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#limiter = new MessageRateLimiter(options.clock);
    this.#confirmations = new Confirmations(options.clock, options.confirmMs);
  }

  /** Messages that count against Twitch's rate limit. */
  get recent(): number {
    return this.#limiter.recent;
  }

  /** To be told each line. */
  onLine(line: ChatLine): void {
    this.#confirmations.onLine(line);
  }

  /** To be told that the connection has ended. */
  onLost(reason: string): void {
    this.#endWaits();
    this.#confirmations.onLost(reason);
  }

  /** What waits for its turn is given back; resolves when what is on its way is decided, or after `limitMs`; never rejects. */
  async stop(limitMs: number): Promise<void> {
    this.#endWaits();
    const done = new AbortController();
    const waited = sleep(this.#options.clock, limitMs, done.signal);
    await Promise.race([this.#idle(), waited]);
    done.abort();
    this.#confirmations.onLost('the connector stops');
    await this.#idle();
  }

  /** As `IConnector.sendText`. */
  async send(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
    if ((options.attachments?.length ?? 0) > 0) {
      throw new ConnectorError('UNSUPPORTED', 'attachments cannot be sent to Twitch chat', {
        hint: 'put the link into the text',
      });
    }
    const parts = planChatTexts(text);
    const channel = this.#toChannel(destination);
    if (options.inReplyTo !== undefined && !/^[\w-]{1,128}$/.test(options.inReplyTo)) {
      throw new ConnectorError('PAYLOAD_INVALID', 'inReplyTo is no id of a Twitch message');
    }
    const signal = options.signal ?? new AbortController().signal;
    if (signal.aborted) throw gaveUp(channel);
    this.#options.session();
    // The next call waits until this one has ended, even where its caller gives up earlier: order is kept per channel.
    const before = this.#tails.get(channel) ?? Promise.resolve();
    const work = before.then(() => this.#send(parts, channel, options, signal));
    const tail = work
      .catch(() => undefined)
      .finally(() => {
        if (this.#tails.get(channel) === tail) this.#tails.delete(channel);
      });
    this.#tails.set(channel, tail);
    return untilAborted(work, channel, signal);
  }

  async #send(
    texts: readonly string[],
    channel: string,
    options: SendOptions,
    signal: AbortSignal,
  ): Promise<SendReceipt> {
    const { idempotencyKey, inReplyTo } = options;
    const key = `${channel} ${idempotencyKey}`;
    const ids = [...(this.#confirmed.get(key) ?? [])];
    const remembered = ids.length;
    let duplicates = remembered;
    for (const [i, text] of texts.entries()) {
      if (i < remembered) continue;
      const part: Part = {
        channel,
        text,
        nonce: nonceOf(key, i),
        inReplyTo: i === 0 ? inReplyTo : undefined,
        // Twitch compares with the message before, which for a later part is the part before it.
        mayHaveBeenSent: i === 0 && options.mayHaveBeenSent,
      };
      try {
        // A text that is under way is carried through: half of it is worth less than a wait.
        await this.#turn(channel, i === 0 ? this.#options.maxWaitMs : Infinity, signal);
        const { duplicate, id } = await this.#sendPart(part, signal);
        if (duplicate) duplicates += 1;
        ids.push(id);
        this.#confirmed.set(key, [...ids]);
      } catch (error) {
        throw toConnectorError(error).withSent(ids);
      }
    }
    return { platformMessageIds: ids, duplicate: duplicates === texts.length };
  }

  async #sendPart(part: Part, signal: AbortSignal): Promise<{ id: string; duplicate: boolean }> {
    const { channel, mayHaveBeenSent, nonce } = part;
    const late = this.#confirmations.lateAnswerTo(nonce);
    if (late !== undefined) return { id: late, duplicate: true };
    const last = this.#last.get(channel);
    const isRetry = last?.nonce === nonce;
    const isRecent = last !== undefined && this.#options.clock.monotonic() - last.at < DUPLICATE_WINDOW_MS;
    // A retry goes out to the letter, so that Twitch can tell it. Another message with the same text must not be told; moderators may repeat
    // themselves anyway.
    const repeats =
      isRecent && !isRetry && last.text === part.text && this.#standingIn(channel) !== 'privileged';
    const text = isRetry ? last.text : repeats ? vary(part.text) : part.text;
    try {
      return { id: await this.#transmit(part, text), duplicate: false };
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error;
      if (error.code === 'RATE_LIMITED' && error.nativeCode === 'msg_ratelimit') {
        this.#limiter.pause(error.retryAfterMs ?? 0);
      }
      if (error.nativeCode !== 'msg_duplicate') throw error;
      if (isRetry || (mayHaveBeenSent && !repeats)) return { id: `nonce:${nonce}`, duplicate: true };
      // Somebody else used the account, or this process before its start: the text is new all the same.
      await this.#turn(channel, Infinity, signal);
      return { id: await this.#transmit(part, vary(text)), duplicate: false };
    }
  }

  async #transmit({ channel, inReplyTo, nonce }: Part, text: string): Promise<string> {
    const session = this.#options.session();
    const line = formatMessage(channel, text, {
      'client-nonce': nonce,
      ...(inReplyTo === undefined ? {} : { 'reply-parent-msg-id': inReplyTo }),
    });
    const before = this.#last.get(channel);
    try {
      return await this.#confirmations.awaitFor(channel, nonce, () => {
        session.send(line);
        this.#last.set(channel, { text, nonce, at: this.#options.clock.monotonic() });
      });
    } catch (error) {
      // What was refused does not count for Twitch's comparison either.
      if (error instanceof ConnectorError && !error.ambiguous) this.#restore(channel, before);
      throw error;
    }
  }

  #restore(channel: string, before: Sent | undefined): void {
    if (before === undefined) this.#last.delete(channel);
    else this.#last.set(channel, before);
  }

  async #turn(channel: string, maxWaitMs: number, signal: AbortSignal): Promise<void> {
    const connection = this.#connection.signal;
    try {
      await this.#limiter.turn(channel, {
        maxWaitMs,
        signal: AbortSignal.any([signal, connection]),
        standing: () => this.#standingIn(channel),
      });
    } catch (error) {
      if (!connection.aborted) throw error;
      throw new ConnectorError('NOT_CONNECTED', `send to #${channel}: the connection ended`);
    }
  }

  #endWaits(): void {
    this.#connection.abort();
    this.#connection = new AbortController();
  }

  async #idle(): Promise<void> {
    await Promise.all(this.#tails.values());
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

  #toChannel(destination: string): string {
    if (destination.startsWith('@')) {
      throw new ConnectorError('UNSUPPORTED', `${destination}: whispers cannot be sent by chat`, {
        hint: 'answer in a channel: Twitch takes whispers by its API only',
      });
    }
    const channel = destination.replace(/^#/, '').toLowerCase();
    if (this.#options.channels.includes(channel)) return channel;
    throw new ConnectorError(
      'TARGET_NOT_FOUND',
      `${destination} is none of the channels that the bot is in`,
      {
        hint: "use the envelope's replyTo.destination, or add the channel to TWITCH_CHANNELS",
      },
    );
  }
}

/** Settles as `work` does, or rejects when aborted; `work` goes on. */
async function untilAborted<T>(work: Promise<T>, channel: string, signal: AbortSignal): Promise<T> {
  const done = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = (): void => {
      reject(gaveUp(channel));
    };
    signal.addEventListener('abort', giveUp, { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    done.abort();
  }
}

/** The same for each try of one part, so that a trace of it can be followed. */
function nonceOf(key: string, part: number): string {
  return createHash('sha256').update(`${key} ${part}`).digest('hex').slice(0, 32);
}

function gaveUp(channel: string): ConnectorError {
  return new ConnectorError('TIMEOUT', `send to #${channel}: the caller gave up`);
}
