import {
  type Clock,
  type IngressGap,
  isoTime,
  type Logger,
  sleep,
  toConnectorError,
} from '@bitbrat/connectors-core';
import { type IngressEnvelope } from '@bitbrat/envelope';
import { type ChatLine } from './chat-line.js';
import { type NativeMessage, toNativeMessage } from './native-message.js';
import { type TwitchEnvelopeBuilder } from './twitch-envelope-builder.js';

export interface IntakeOptions {
  /** The bot's login, lower case. */
  readonly login: string;
  /** The bot's user id, once it is known. */
  readonly botId: () => string | undefined;
  /** The most messages that may wait for the bus. */
  readonly limit: number;
  readonly builder: TwitchEnvelopeBuilder;
  readonly publish: (envelope: IngressEnvelope) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onReceived: () => void;
  readonly onIgnored: () => void;
  /** The bus takes messages again after some were lost. */
  readonly onLoss: (gap: IngressGap) => void;
}

/**
 * Takes what people write: leaves out the bot's own messages and publishes the rest in order.
 *
 * Twitch cannot be told to wait, so what comes while the bus is away waits here, up to a limit; what comes beyond it is lost, counted and
 * reported.
 */
export class MessageIntake {
  readonly #options: IntakeOptions;
  /** When each message that waits for the bus was sent, oldest first. */
  readonly #pending = new Map<Promise<void>, number>();
  #loss: { from: number; to: number; count: number } | undefined;
  #lost = 0;
  #unpublishable = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Messages that wait for the bus. */
  get pending(): number {
    return this.#pending.size;
  }

  /** When the oldest of them was sent, in milliseconds since 1970; undefined: none waits. */
  get oldestPendingAt(): number | undefined {
    const [oldest] = this.#pending.values();
    return oldest;
  }

  /** Messages that had no place to wait, since the process started. */
  get lost(): number {
    return this.#lost;
  }

  /** Messages that the bus has refused for good, since the process started. */
  get unpublishable(): number {
    return this.#unpublishable;
  }

  /** Never throws. */
  take(line: ChatLine): void {
    const message = toNativeMessage(line);
    if (message === undefined) return;
    const { builder, clock, limit, onIgnored } = this.#options;
    if (this.#isOwn(message)) {
      onIgnored();
      return;
    }
    const now = clock.now();
    const sentAt = Math.min(now, message.sentAt ?? now);
    if (this.#pending.size >= limit) {
      this.#lose(sentAt, now);
      return;
    }
    const publishing = this.#publish(builder.build(message, isoTime(now))).finally(() => {
      this.#pending.delete(publishing);
      if (this.#loss !== undefined && this.#pending.size <= limit / 2) this.#reportLoss(this.#loss);
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

  #isOwn({ login, userId }: NativeMessage): boolean {
    return login === this.#options.login || userId === this.#options.botId();
  }

  /** Thousands of messages may wait for the bus: an async function would keep the envelope, which the bus has in its own form. */
  #publish(envelope: IngressEnvelope): Promise<void> {
    const { onReceived, publish } = this.#options;
    const { id } = envelope;
    return publish(envelope).then(onReceived, (reason: unknown) => {
      this.#onUnpublishable(id, reason);
    });
  }

  #onUnpublishable(id: string, reason: unknown): void {
    const { code, message } = toConnectorError(reason);
    this.#unpublishable += 1;
    this.#options.logger.error('twitch.message-unpublishable', { id, code, reason: message });
  }

  #lose(sentAt: number, now: number): void {
    this.#lost += 1;
    this.#loss = { from: this.#loss?.from ?? sentAt, to: now, count: (this.#loss?.count ?? 0) + 1 };
  }

  #reportLoss({ count, from, to }: { from: number; to: number; count: number }): void {
    this.#loss = undefined;
    this.#options.logger.error('twitch.messages-lost', { count });
    this.#options.onLoss({
      from: isoTime(from),
      to: isoTime(to),
      reason: `the bus was away and ${this.#options.limit} messages were waiting already`,
      lost: count,
    });
  }
}
