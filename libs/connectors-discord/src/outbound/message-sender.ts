import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import {
  assertInTime,
  ConnectorError,
  type MediaFetcher,
  type MediaFile,
  planText,
  type SendOptions,
  type SendReceipt,
} from '@bitbrat/connectors-core';
import { backoffMs, type BackoffPolicy, type Clock, linkAbort, sleep } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { DISCORD_CAPABILITIES } from '../capabilities.js';
import { type ClientSession } from '../session/client-session.js';
import { type AllowedMentions } from '../config.js';
import { toDiscordError } from '../platform/errors.js';
import { isSnowflake, snowflakeTime } from '../platform/snowflake.js';

/** Sent messages that are remembered, so that a repeated call in this process asks nobody. */
const REMEMBERED = 5_000;

/** Tries of one part while Discord answers with its own faults; each carries the same nonce. */
const MAX_TRIES = 3;

const BACKOFF: BackoffPolicy = { baseMs: 1_000, maxMs: 4_000 };

/** Milliseconds by which the clocks of the platform and of this machine may differ. */
const CLOCK_TOLERANCE_MS = 5_000;

const createdSchema = z.object({ id: z.string().regex(/^\d{1,20}$/) });

/** The request body of "Create Message", as far as we use it. */
export interface CreateMessage {
  readonly content?: string;
  readonly nonce: string;
  readonly enforce_nonce: true;
  readonly allowed_mentions: { readonly parse: readonly 'users'[]; readonly replied_user: boolean };
  readonly message_reference?: { readonly message_id: string; readonly fail_if_not_exists: false };
}

export interface SenderOptions {
  readonly fetcher: Pick<MediaFetcher, 'fetchAll'>;
  readonly allowedMentions: AllowedMentions;
  readonly clock: Clock;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
  /** The session to send with. @throws ConnectorError NOT_CONNECTED */
  readonly session: () => Pick<ClientSession, 'request'>;
}

/**
 * The nonce of one part of an event: 25 characters, Discord's limit ("Create Message").
 *
 * Discord answers a repeated one with the message that it made, for some minutes.
 */
export function nonceOf(idempotencyKey: string, channelId: string, part: number): string {
  return createHash('sha256')
    .update(`${channelId}\n${part}\n${idempotencyKey}`)
    .digest('base64url')
    .slice(0, 25);
}

/** Sends texts, each once, those for one channel in the order of the calls. */
export class MessageSender {
  readonly #options: SenderOptions;
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #receipts = new LRUCache<string, SendReceipt>({ max: REMEMBERED });
  #stop = makeStop();

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** As `IConnector.sendText`. */
  async send(text: string, channelId: string, options: SendOptions): Promise<SendReceipt> {
    const { attachments = [], inReplyTo, signal } = options;
    const { attachments: limits, text: textLimits } = DISCORD_CAPABILITIES;
    if (attachments.length > limits.maxOutbound) {
      const hint = 'send them with several messages';
      throw new ConnectorError(
        'UNSUPPORTED',
        `a message takes ${limits.maxOutbound} attachments, not ${attachments.length}`,
        { hint },
      );
    }
    const parts = text.trim() === '' && attachments.length > 0 ? [''] : planText(text, textLimits);
    if (!isSnowflake(channelId)) {
      throw new ConnectorError('TARGET_NOT_FOUND', `${channelId} is no channel id`, {
        hint: "use the envelope's replyTo.destination: 17 to 20 digits",
      });
    }
    if (inReplyTo !== undefined && !isSnowflake(inReplyTo)) {
      throw new ConnectorError('PAYLOAD_INVALID', 'inReplyTo is no message id', {
        hint: "use the envelope's replyTo.inReplyTo, or leave it out",
      });
    }
    if (isAborted(signal)) throw gaveUp(channelId);
    this.#options.session();
    const ends = linkAbort(signal, this.#stop.signal);
    // The next call waits until this one has left, even where its caller gives up earlier: order is kept per channel.
    const before = this.#tails.get(channelId) ?? Promise.resolve();
    const work = before.then(() => this.#send(parts, channelId, options, ends.signal));
    const tail = work
      .catch(() => undefined)
      .finally(() => {
        ends.release();
        if (this.#tails.get(channelId) === tail) this.#tails.delete(channelId);
      });
    this.#tails.set(channelId, tail);
    return this.#untilAborted(work, channelId, ends.signal);
  }

  /** What is being sent rejects; nothing of it reaches the platform any more, unless it has already. */
  abortAll(): void {
    this.#stop.abort();
    this.#stop = makeStop();
  }

  async #send(
    parts: readonly string[],
    channelId: string,
    options: SendOptions,
    signal: AbortSignal,
  ): Promise<SendReceipt> {
    if (isAborted(signal)) throw gaveUp(channelId);
    const { attachments = [], idempotencyKey, inReplyTo, mayHaveBeenSent } = options;
    const key = `${channelId} ${idempotencyKey}`;
    const remembered = this.#receipts.get(key);
    if (remembered !== undefined) return { ...remembered, duplicate: true };
    const files = await this.#options.fetcher.fetchAll(attachments, signal);
    const startedAt = this.#options.clock.now();
    const ids: string[] = [];
    for (const [i, content] of parts.entries()) {
      const body: CreateMessage = {
        ...(content === '' ? {} : { content }),
        nonce: nonceOf(idempotencyKey, channelId, i),
        enforce_nonce: true,
        allowed_mentions: toAllowedMentions(this.#options.allowedMentions),
        ...(i === 0 && inReplyTo !== undefined
          ? { message_reference: { message_id: inReplyTo, fail_if_not_exists: false } }
          : {}),
      };
      try {
        if (isAborted(signal)) throw gaveUp(channelId);
        ids.push(
          await this.#post(
            channelId,
            body,
            i === parts.length - 1 ? files : [],
            signal,
            i === 0 ? options.expiresAt : undefined,
          ),
        );
      } catch (error) {
        throw toDiscordError(error, `send to ${channelId}`).withSent(ids);
      }
    }
    // A nonce that is known gives the message that it made, which is older than this call.
    const duplicate =
      mayHaveBeenSent && ids.every((id) => snowflakeTime(id) < startedAt - CLOCK_TOLERANCE_MS);
    const receipt: SendReceipt = { platformMessageIds: ids, duplicate };
    this.#receipts.set(key, receipt);
    return receipt;
  }

  /** @returns the message's id */
  async #post(
    channelId: string,
    body: CreateMessage,
    files: readonly MediaFile[],
    signal: AbortSignal,
    expiresAt: number | undefined,
  ): Promise<string> {
    const { clock, random, session } = this.#options;
    const doing = `send to ${channelId}`;
    const upload = files.length === 0 ? {} : { files: files.map((file) => ({ ...file })) };
    const timeLimit = expiresAt === undefined ? {} : { expiresAt };
    let last: ConnectorError | undefined;
    for (let attempt = 1; ; attempt += 1) {
      // The SDK never takes its listener off the signal, so each request gets one of its own. AbortSignal.any would not do: Node keeps what it
      // makes for as long as it has a listener.
      const abort = linkAbort(signal);
      try {
        assertInTime(clock, expiresAt);
        const path = `/channels/${channelId}/messages` as const;
        const answer = await session().request(
          { method: 'POST', path, body, signal: abort.signal, ...timeLimit, ...upload },
          doing,
        );
        return createdSchema.parse(answer).id;
      } catch (reason) {
        const error = isAborted(signal) ? gaveUp(channelId) : toDiscordError(reason, doing);
        // The try before may have made the message: that this one did not leave does not say so.
        if (last !== undefined && saysNotSent(error)) throw stillInDoubt(last, error.retryAfterMs);
        if (error.code !== 'UPSTREAM_UNAVAILABLE' || attempt >= MAX_TRIES) throw error;
        last = error;
        await sleep(clock, backoffMs(BACKOFF, attempt, random), signal);
      } finally {
        abort.release();
      }
    }
  }

  async #untilAborted<T>(work: Promise<T>, channelId: string, signal: AbortSignal): Promise<T> {
    const done = new AbortController();
    const aborted = sleep(this.#options.clock, 2 ** 31 - 1, AbortSignal.any([signal, done.signal]));
    try {
      return await Promise.race([work, aborted.then(() => Promise.reject(gaveUp(channelId)))]);
    } finally {
      done.abort();
    }
  }
}

/** Every call under way listens on it. */
function makeStop(): AbortController {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  return stop;
}

/** Nobody is pinged by what a bot writes, `@everyone` least of all, unless the configuration allows people. */
export function toAllowedMentions(allowed: AllowedMentions): CreateMessage['allowed_mentions'] {
  return allowed === 'users' ? { parse: ['users'], replied_user: true } : { parse: [], replied_user: false };
}

/** Whether the try did not leave, or was refused for now. */
function saysNotSent({ ambiguous, code, retryable }: ConnectorError): boolean {
  return !ambiguous && (retryable || code === 'EXPIRED');
}

/** The error of the last try that may have made the message. */
function stillInDoubt(last: ConnectorError, retryAfterMs: number | undefined): ConnectorError {
  if (retryAfterMs === undefined) return last;
  const { code, hint, message, nativeCode, unlisted } = last;
  return new ConnectorError(code, message, { cause: last, hint, nativeCode, retryAfterMs, unlisted });
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function gaveUp(channelId: string): ConnectorError {
  return new ConnectorError('TIMEOUT', `send to ${channelId}: the caller gave up`);
}
