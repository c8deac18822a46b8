import { type Clock, ConnectorError } from '@bitbrat/connectors-core';
import { LRUCache } from 'lru-cache';
import { channelOf, type ChatLine } from './chat-line.js';
import { toNoticeError } from './errors.js';

/** Late answers that are remembered. */
const REMEMBERED = 1_000;

interface Waiting {
  readonly nonce: string;
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
  async awaitFor(channel: string, nonce: string, send: () => void): Promise<string> {
    let cancel = (): void => undefined;
    const answered = new Promise<string>((resolve, reject) => {
      this.#waiting.set(channel, { nonce, resolve, reject });
      cancel = this.clock.setTimeout(() => {
        const message = `send to #${channel}: neither confirmed nor refused in ${this.timeoutMs} ms`;
        reject(new ConnectorError('TIMEOUT', message));
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

  /** The id of a message that Twitch has confirmed after the time was up. */
  lateAnswerTo(nonce: string): string | undefined {
    return this.#late.get(nonce);
  }

  /** To be told each line. */
  onLine(line: ChatLine): void {
    const channel = channelOf(line);
    if (channel === undefined) return;
    const { command, params, tags } = line;
    const waiting = this.#waiting.get(channel);
    if (command === 'USERSTATE') {
      this.#onUserState(tags, waiting);
    } else if (command === 'NOTICE') {
      const error = toNoticeError(tags['msg-id'] ?? '', params[1] ?? '', `send to #${channel}`);
      if (error !== undefined) waiting?.reject(error);
    }
  }

  #onUserState(tags: ChatLine['tags'], waiting: Waiting | undefined): void {
    const nonce = tags['client-nonce'];
    this.#echoesNonces ||= nonce !== undefined;
    if (waiting !== undefined && (nonce === waiting.nonce || !this.#echoesNonces)) {
      waiting.resolve(tags['id'] ?? `nonce:${waiting.nonce}`);
    } else if (nonce !== undefined) {
      this.#late.set(nonce, tags['id'] ?? `nonce:${nonce}`);
    }
  }

  /** The connection has ended: nobody knows what became of the messages that wait. */
  onLost(reason: string): void {
    for (const [channel, { reject }] of this.#waiting) {
      const message = `send to #${channel}: the connection ended before Twitch confirmed it (${reason})`;
      reject(new ConnectorError('UPSTREAM_UNAVAILABLE', message));
    }
  }
}
