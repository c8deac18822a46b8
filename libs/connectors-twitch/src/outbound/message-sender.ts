import { type SendOptions, type SendReceipt, toConnectorError } from '@bitbrat/connectors-core';
import { sleep } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';
import { type ChatLine } from '../platform/chat-line.js';
import { type MessagePart, planParts, toChannel } from './message-parts.js';
import { gaveUp, PartSender, type PartSenderOptions } from './part-sender.js';
import { untilAborted } from '../platform/until-aborted.js';

/** Messages that are remembered, so that a repeated call in this process is not sent again. */
const REMEMBERED = 5_000;

/** The longest that a later part of a text waits for its turn, in milliseconds: the window of the limit, twice. */
const MAX_PART_WAIT_MS = 64_000;

export interface SenderOptions extends PartSenderOptions {
  /** Names of the channels that may be written to. */
  readonly channels: readonly string[];
  /** The longest that a message may wait for its turn before its first part is sent, in milliseconds. */
  readonly maxWaitMs: number;
}

/** Sends texts, each once as far as Twitch lets us know, those for one channel in the order of the calls. */
export class MessageSender {
  readonly #options: SenderOptions;
  readonly #parts: PartSender;
  readonly #tails = new Map<string, Promise<unknown>>();
  /** Ids of the parts that Twitch has confirmed, by call. */
  readonly #confirmed = new LRUCache<string, readonly string[]>({ max: REMEMBERED });

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#parts = new PartSender(options);
  }

  /** Messages that count against Twitch's rate limit. */
  get recent(): number {
    return this.#parts.recent;
  }

  /** To be called when the connector starts: it may have been stopped before. */
  begin(): void {
    this.#parts.begin();
  }

  /** To be called with each line. @param via the session that it came by */
  onLine(line: ChatLine, via: object): void {
    this.#parts.onLine(line, via);
  }

  /** Whether a message waits for an answer by this session. */
  isAwaited(via: object): boolean {
    return this.#parts.isAwaited(via);
  }

  /** A session has ended, and there is no other. */
  onLost(reason: string): void {
    this.#parts.endWaits();
    this.#parts.onLost(reason);
  }

  /** A session has ended, and another one is open: what waits for its turn goes by that one. */
  onReplaced(reason: string, via: object): void {
    this.#parts.onLost(reason, via);
  }

  /** What waits for its turn is given back; resolves when what is on its way is decided, or after `limitMs`; never rejects. */
  async stop(limitMs: number): Promise<void> {
    this.#parts.endWaits();
    const done = new AbortController();
    const waited = sleep(this.#options.clock, limitMs, done.signal);
    await Promise.race([this.#idle(), waited]);
    done.abort();
    this.#parts.onLost('the connector stops');
    await this.#idle();
    await this.#parts.end();
  }

  /** As `IConnector.sendText`. */
  async send(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
    const channel = toChannel(destination, this.#options.channels);
    const parts = planParts(text, channel, options);
    const signal = options.signal ?? new AbortController().signal;
    if (signal.aborted) throw gaveUp(channel);
    this.#options.session();
    // The next call waits until this one has ended, even where its caller gives up earlier: order is kept per channel.
    const before = this.#tails.get(channel) ?? Promise.resolve();
    const work = before.then(() => this.#send(parts, `${channel} ${options.idempotencyKey}`, signal));
    const tail = work
      .catch(() => undefined)
      .finally(() => {
        if (this.#tails.get(channel) === tail) this.#tails.delete(channel);
      });
    this.#tails.set(channel, tail);
    return untilAborted(work, signal, () => gaveUp(channel));
  }

  async #send(parts: readonly MessagePart[], key: string, signal: AbortSignal): Promise<SendReceipt> {
    const ids = [...(this.#confirmed.get(key) ?? [])];
    let duplicates = ids.length;
    for (const [i, part] of parts.entries()) {
      if (i < ids.length) continue;
      try {
        // A text that has begun is carried through: half of it is worth less than a wait.
        const maxWaitMs = i === 0 ? this.#options.maxWaitMs : MAX_PART_WAIT_MS;
        const { duplicate, id } = await this.#parts.send(part, maxWaitMs, signal);
        if (duplicate) duplicates += 1;
        ids.push(id);
        this.#confirmed.set(key, [...ids]);
      } catch (error) {
        throw toConnectorError(error).withSent(ids);
      }
    }
    return { platformMessageIds: ids, duplicate: duplicates === parts.length };
  }

  async #idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }
}
