import { ConnectorError } from '@bitbrat/connectors-core';
import { type Clock } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';
import { channelOf, type ChatLine } from '../platform/chat-line.js';
import { toNoticeError } from '../platform/errors.js';

/** Late answers that are remembered. */
const REMEMBERED = 1_000;

/** Milliseconds for which the answer to a message whose time was up may still come. */
const LATE_MS = 30_000;

/** A message that was put on its way. */
export interface Transmission {
  readonly channel: string;
  readonly nonce: string;
  /** The connection that it goes by, and its answer comes by. */
  readonly via: object;
}

interface Waiting extends Transmission {
  readonly resolve: (messageId: string) => void;
  readonly reject: (error: ConnectorError) => void;
}

/**
 * Finds out what became of a message: Twitch answers with a USERSTATE that carries the message's id, or a NOTICE that says why not. Neither
 * names the message for certain, so one message per channel may wait at a time.
 */
export class Confirmations {
  readonly #waiting = new Map<string, Waiting>();
  /** Ids by nonce of messages that were confirmed when nobody waited any more. */
  readonly #late = new LRUCache<string, string>({ max: REMEMBERED });
  /** Until when the answer to an earlier message may come, by channel and the monotonic clock. */
  readonly #lateUntil = new Map<string, number>();
  /** Whether Twitch hands the nonce back. Then a late answer to an earlier message cannot be taken for this one's. */
  #echoesNonces = false;

  /** @param timeoutMs after which nobody knows what became of a message */
  constructor(
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {}

  /**
   * Resolves with the message's id, or `nonce:…` where Twitch gives none.
   * @param send puts the message on its way; what it throws is thrown
   * @throws ConnectorError as the NOTICE says, TIMEOUT without an answer
   */
  async awaitFor(message: Transmission, send: () => void): Promise<string> {
    const { channel } = message;
    let cancel = (): void => undefined;
    const answered = new Promise<string>((resolve, reject) => {
      this.#waiting.set(channel, { ...message, resolve, reject });
      cancel = this.clock.setTimeout(() => {
        this.#lateUntil.set(channel, this.clock.monotonic() + LATE_MS);
        const text = `send to #${channel}: neither confirmed nor refused in ${this.timeoutMs} ms`;
        reject(new ConnectorError('TIMEOUT', text));
      }, this.timeoutMs);
    });
    try {
      send();
      return await answered;
    } finally {
      cancel();
      this.#waiting.delete(channel);
    }
  }

  /** Whether a message waits for an answer by this connection. */
  isAwaited(via: object): boolean {
    return [...this.#waiting.values()].some((waiting) => waiting.via === via);
  }

  /** The id of a message that Twitch has confirmed after the time was up. */
  lateAnswerTo(nonce: string): string | undefined {
    return this.#late.get(nonce);
  }

  /** To be called with each line. @param via the connection that it came by */
  onLine(line: ChatLine, via: object): void {
    const channel = channelOf(line);
    if (channel === undefined) return;
    const { command, params, tags } = line;
    const waiting = this.#waiting.get(channel);
    const mine = waiting?.via === via ? waiting : undefined;
    if (command === 'USERSTATE') {
      this.#onUserState(tags, channel, mine);
    } else if (command === 'NOTICE') {
      const error = toNoticeError(tags['msg-id'] ?? '', params[1] ?? '', `send to #${channel}`);
      if (error !== undefined) mine?.reject(error);
    }
  }

  #onUserState(tags: ChatLine['tags'], channel: string, waiting: Waiting | undefined): void {
    const nonce = tags['client-nonce'];
    const id = tags['id'];
    // One without both follows a JOIN and is about no message.
    if (nonce === undefined && id === undefined) return;
    this.#echoesNonces ||= nonce !== undefined;
    if (waiting !== undefined && (nonce === waiting.nonce || this.#isAnswerByOrder(nonce, channel))) {
      waiting.resolve(id ?? `nonce:${waiting.nonce}`);
    } else if (nonce !== undefined) {
      this.#late.set(nonce, id ?? `nonce:${nonce}`);
    }
  }

  /** Without nonces an answer belongs to the message that waits, unless it may be the late answer to an earlier one. */
  #isAnswerByOrder(nonce: string | undefined, channel: string): boolean {
    if (nonce !== undefined || this.#echoesNonces) return false;
    return this.clock.monotonic() >= (this.#lateUntil.get(channel) ?? -Infinity);
  }

  /**
   * A connection has ended: nobody knows what became of the messages that wait for an answer by it.
   * @param via default: all connections have
   */
  onLost(reason: string, via?: object): void {
    for (const waiting of this.#waiting.values()) {
      if (via !== undefined && waiting.via !== via) continue;
      const message = `send to #${waiting.channel}: the connection ended before Twitch confirmed it (${reason})`;
      waiting.reject(new ConnectorError('UPSTREAM_UNAVAILABLE', message));
    }
  }
}
