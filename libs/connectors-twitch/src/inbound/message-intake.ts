import { type IngressGap, toConnectorError } from '@bitbrat/connectors-core';
import { type IngressEnvelope } from '@bitbrat/envelope';
import { type Clock, isoTime, type Logger, sleep } from '@bitbrat/foundation';
import { type ChatLine } from '../platform/chat-line.js';
import { type NativeMessage, toNativeMessage } from '../platform/native-message.js';
import { type TwitchEnvelopeBuilder } from './twitch-envelope-builder.js';

export interface IntakeOptions {
  /** The bot's login, lower case. */
  readonly login: string;
  /** The bot's user id, once it is known. */
  readonly botId: () => string | undefined;
  /** Whether the message has come by another connection already. @param via the connection that it came by now */
  readonly isRepeat: (messageId: string, via: object) => boolean;
  /** The most messages that may wait for the bus. */
  readonly limit: number;
  readonly builder: TwitchEnvelopeBuilder;
  readonly publish: (envelope: IngressEnvelope) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onReceived: () => void;
  readonly onIgnored: () => void;
  /** Messages were lost, and the bus takes messages again, or the chat is not heard any more. */
  readonly onLoss: (gap: IngressGap) => void;
}

/** Lost messages that are not reported yet; times in milliseconds since 1970. */
interface Loss {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly reasons: ReadonlySet<string>;
}

/**
 * Takes what people write: leaves out the bot's own messages and publishes the rest in order.
 *
 * Twitch cannot be told to wait, so what comes while the bus is away waits here, up to a limit; what comes beyond it is lost, counted and
 * reported. So is what the bus refuses for good.
 */
export class MessageIntake {
  readonly #options: IntakeOptions;
  /** When each message that waits for the bus was sent, in the order in which they came. */
  readonly #pending = new Map<Promise<void>, number>();
  #loss: Loss | undefined;
  #lost = 0;
  #unpublishable = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Messages that wait for the bus. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * When the oldest of them was sent, or of those that are lost and not reported yet, in milliseconds since 1970; undefined: there is none.
   * Up to then nothing dies with the process.
   */
  get oldestPendingAt(): number | undefined {
    let oldest = this.#loss?.from;
    // Channels are delayed differently, so the first is not always the oldest; there may be too many for one call of `Math.min`.
    for (const sentAt of this.#pending.values()) oldest = Math.min(oldest ?? sentAt, sentAt);
    return oldest;
  }

  /** Messages that had no place to wait, or that the bus has refused for good, since the process started. */
  get lost(): number {
    return this.#lost;
  }

  /** Messages that the bus has refused for good, since the process started. */
  get unpublishable(): number {
    return this.#unpublishable;
  }

  /** Never throws. @param via the connection that it came by */
  take(line: ChatLine, via: object): void {
    const message = toNativeMessage(line);
    const { builder, clock, isRepeat, limit, onIgnored } = this.#options;
    if (message === undefined || isRepeat(message.id, via)) return;
    if (this.#isOwn(message)) {
      onIgnored();
      return;
    }
    const now = clock.now();
    const sentAt = Math.min(now, message.sentAt ?? now);
    if (this.#pending.size >= limit) {
      this.#lose(sentAt, now, `the bus was away and ${limit} messages were waiting already`);
      return;
    }
    const publishing = this.#publish(builder.build(message, isoTime(now)), sentAt, now).then((isTaken) => {
      this.#pending.delete(publishing);
      // Not at a refusal: a bus that refuses everything would refuse each report, too, and they would pile up.
      if (isTaken && this.#pending.size <= limit / 2) this.reportLoss();
    });
    this.#pending.set(publishing, sentAt);
  }

  /** Resolves when nothing waits any more, or after `limitMs`; never rejects. */
  async idle(limitMs: number): Promise<void> {
    const done = new AbortController();
    const waited = sleep(this.#options.clock, limitMs, done.signal);
    await Promise.race([Promise.all(this.#pending.keys()), waited]);
    done.abort();
    if (this.pending > 0) this.#options.logger.warn('twitch.messages-waiting', { count: this.pending });
  }

  /** What is lost and not reported yet is reported now: nothing may come any more after which it would be. */
  reportLoss(): void {
    if (this.#loss === undefined) return;
    const { count, from, reasons, to } = this.#loss;
    this.#loss = undefined;
    this.#options.logger.error('twitch.messages-lost', { count });
    this.#options.onLoss({
      from: isoTime(from),
      to: isoTime(to),
      reason: [...reasons].join('; '),
      lost: count,
    });
  }

  #isOwn({ login, userId }: NativeMessage): boolean {
    return login === this.#options.login || userId === this.#options.botId();
  }

  /**
   * Resolves to whether the bus has taken it.
   *
   * Thousands of messages may wait for the bus: an async function would keep the envelope, which the bus has in its own form.
   */
  #publish(envelope: IngressEnvelope, sentAt: number, receivedAt: number): Promise<boolean> {
    const { onReceived, publish } = this.#options;
    const { id } = envelope;
    return publish(envelope).then(
      () => {
        onReceived();
        return true;
      },
      (reason: unknown) => {
        this.#onUnpublishable(id, reason);
        this.#lose(sentAt, receivedAt, 'the bus refused them');
        return false;
      },
    );
  }

  #onUnpublishable(id: string, reason: unknown): void {
    const { code, message } = toConnectorError(reason);
    this.#unpublishable += 1;
    this.#options.logger.error('twitch.message-unpublishable', { id, code, reason: message });
  }

  /** Refusals come in another order than messages, and the clock may be set: the span is that of all of them. */
  #lose(sentAt: number, receivedAt: number, reason: string): void {
    this.#lost += 1;
    const { count, from, reasons, to } = this.#loss ?? {
      count: 0,
      from: sentAt,
      to: receivedAt,
      reasons: [],
    };
    this.#loss = {
      from: Math.min(from, sentAt),
      to: Math.max(to, receivedAt),
      count: count + 1,
      reasons: new Set([...reasons, reason]),
    };
  }
}
