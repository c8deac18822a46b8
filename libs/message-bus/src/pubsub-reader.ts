import { type Message, type Subscription } from '@google-cloud/pubsub';
import { type AttemptCounter } from './attempt-counter.js';
import { backoffMs } from './backoff.js';
import { DEFAULT_MAX_IN_FLIGHT } from './bus-rules.js';
import { pause, settledWithin } from './clock.js';
import { Fifo } from './fifo.js';
import { errorText } from './logger.js';
import {
  type BusSubscription,
  type MessageHandler,
  type ReceivedMessage,
  type SubscribeOptions,
} from './message-bus.js';
import { ACK_DEADLINE_SECONDS } from './pubsub-admin.js';
import { type PubSubClient } from './pubsub-client.js';
import { type PubSubSettings } from './pubsub-options.js';

/** The library keeps this much of its closing time for nacking what is left. */
const FINAL_NACK_MS = 1000;

/**
 * How long acks and lease extensions are tried, in milliseconds: the library's own 60 s would be its undoing. It extends leases the earlier the
 * longer the extending took, so after more than its 9 s it does so without a pause, and keeps a million extensions before the bus is back.
 */
const LEASE_CALL_MS = 5_000;

const LEASE_BACKOFF = {
  initialRetryDelayMillis: 100,
  retryDelayMultiplier: 2,
  maxRetryDelayMillis: 1_000,
  initialRpcTimeoutMillis: LEASE_CALL_MS,
  rpcTimeoutMultiplier: 1,
  maxRpcTimeoutMillis: LEASE_CALL_MS,
  totalTimeoutMillis: LEASE_CALL_MS,
};

/** What a reader needs from its bus. */
export interface ReaderContext {
  readonly client: PubSubClient;
  readonly settings: PubSubSettings;
  readonly attempts: AttemptCounter;
  /** Resolves when the topic and the subscription exist again. */
  restore(): Promise<void>;
  /** The reader has ended. */
  onClosed(reader: PubSubReader): void;
}

/**
 * Reads a Pub/Sub subscription and hands its messages to the handler, in the order in which they came and never more
 * than `maxInFlight` at once. Leases are extended by the library for up to an hour. The library opens a stream that ended
 * again by itself, at the intervals of `retryBackoff`. When the library's subscription object
 * dies, which it does when the subscription vanishes, the subscription is made again and a new object takes over; so it does when the machine's
 * clock was set (`renew`).
 */
export class PubSubReader implements BusSubscription {
  private readonly queue = new Fifo<Message>();
  private readonly maxInFlight: number;
  private readonly stopped = new AbortController();
  private source: Subscription | undefined;
  private inHand = 0;
  private reopening = false;
  private lastError: string | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    readonly options: SubscribeOptions,
    private readonly handler: MessageHandler,
    private readonly context: ReaderContext,
  ) {
    this.maxInFlight = options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT;
  }

  /** Why nothing can be read at present; undefined when all is well. */
  get fault(): string | undefined {
    return this.reopening ? (this.lastError ?? 'the subscription is being opened again') : undefined;
  }

  /** Starts to read; the subscription exists. */
  open(): void {
    const { client, settings } = this.context;
    const lease = client.duration(ACK_DEADLINE_SECONDS * 1000);
    const source = client.pubsub.subscription(this.options.subscription, {
      flowControl: { maxMessages: this.maxInFlight },
      // The library takes leases as long as messages have taken, up to ten minutes, and what a killed process held would wait so long.
      minAckDeadline: lease,
      maxAckDeadline: lease,
      batching: { callOptions: { retry: { backoffSettings: LEASE_BACKOFF } } },
      // The library's own back-off doubles up to a minute, and a bus that is back would not be read for so long.
      streamingOptions: {
        retryMinBackoff: client.duration(settings.retryBackoff.minMs),
        retryMaxBackoff: client.duration(settings.retryBackoff.maxMs),
      },
    });
    this.source = source;
    source.on('message', (message: Message) => {
      this.receive(message);
    });
    // The library says `error` when it will not recover, and `close` only after it has waited for its acks.
    source.on('error', (error: Error) => {
      void this.reopen(source, error);
    });
    source.on('close', () => {
      void this.reopen(source, undefined);
    });
  }

  /** Goes on with a new subscription object of the library's. */
  renew(reason: string): void {
    if (this.source === undefined || this.reopening || this.isStopped()) return;
    for (const message of this.queue.drain()) message.nack();
    void this.reopen(this.source, new Error(reason));
  }

  close(timeoutMs: number): Promise<void> {
    return (this.closing ??= this.shutDown(timeoutMs));
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    this.stopped.abort();
    for (const message of this.queue.drain()) message.nack();
    if (this.source !== undefined) {
      const { client, settings } = this.context;
      const work = closeSource(this.source, client.duration(timeoutMs + FINAL_NACK_MS), this.maxInFlight);
      await settledWithin(settings.clock, work, timeoutMs);
    }
    this.context.onClosed(this);
  }

  private receive(message: Message): void {
    if (this.stopped.signal.aborted) {
      message.nack();
      return;
    }
    this.queue.push(message);
    this.handOut();
  }

  private handOut(): void {
    while (this.inHand < this.maxInFlight) {
      const message = this.queue.shift();
      if (message === undefined) return;
      void this.handle(message);
    }
  }

  private async handle(message: Message): Promise<void> {
    this.inHand++;
    const { attempts } = this.context;
    const { subscription } = this.options;
    const attempt = attempts.next(subscription, message.id, message.deliveryAttempt);
    let acknowledged = false;
    try {
      acknowledged = (await this.handler(this.toReceived(message, attempt))) === 'ack';
    } catch (error) {
      this.context.settings.logger.warn('bus.handler.failed', {
        subscription,
        messageId: message.id,
        attempt,
        error: errorText(error),
      });
    }
    if (acknowledged) {
      attempts.forget(subscription, message.id);
      message.ack();
    } else {
      message.nack();
    }
    this.inHand--;
    this.handOut();
  }

  private toReceived(message: Message, attempt: number): ReceivedMessage {
    const { orderingKey } = message;
    return {
      id: message.id,
      topic: this.options.topic,
      data: message.data,
      attributes: message.attributes,
      attempt,
      publishedAt: message.publishTime.getTime(),
      ...(orderingKey === undefined || orderingKey === '' ? {} : { orderingKey }),
    };
  }

  /** Until it succeeds or the reader is closed. */
  private async reopen(source: Subscription, error: Error | undefined): Promise<void> {
    if (this.source !== source || this.reopening || this.stopped.signal.aborted) return;
    this.reopening = true;
    const { clock, logger, retryBackoff, random } = this.context.settings;
    const { topic, subscription } = this.options;
    this.lastError = error?.message;
    logger.warn('bus.subscription.lost', { topic, subscription, error: error?.message });
    // What it still holds could not be acknowledged any more: it comes again through the new one.
    this.queue.drain();
    void closeSource(source, this.context.client.duration(FINAL_NACK_MS), this.maxInFlight);
    for (let failures = 1; ; failures++) {
      await pause(clock, backoffMs(retryBackoff, failures, random), this.stopped.signal);
      if (this.isStopped()) return;
      try {
        await this.context.restore();
        break;
      } catch (failure) {
        this.lastError = errorText(failure);
        logger.warn('bus.subscription.reopen.failed', { topic, subscription, error: this.lastError });
      }
    }
    if (this.isStopped()) return;
    this.reopening = false;
    this.open();
    logger.info('bus.subscription.reopened', { topic, subscription });
  }

  private isStopped(): boolean {
    return this.stopped.signal.aborted;
  }
}

/** Ends the library's subscription object: waits for what is in hand, then nacks the rest. */
async function closeSource(
  source: Subscription,
  timeout: ReturnType<PubSubClient['duration']>,
  maxMessages: number,
): Promise<void> {
  source.setOptions({ flowControl: { maxMessages }, closeOptions: { behavior: 'WAIT', timeout } });
  await source.close();
}
