import { backoffMs, messageOf, settledWithin, sleep } from '@bitbrat/foundation';
import { type Message, type Subscription } from '@google-cloud/pubsub';
import { type AttemptCounter } from './attempt-counter.js';
import { DEFAULT_MAX_IN_FLIGHT } from '../bus-rules.js';
import { Fifo } from '../fifo.js';
import {
  type BusSubscription,
  type MessageHandler,
  type ReceivedMessage,
  type SubscribeOptions,
} from '../message-bus.js';
import { ACK_DEADLINE_SECONDS } from './pubsub-admin.js';
import { type PubSubClient } from './pubsub-client.js';
import { GRPC, grpcCodeOf } from './pubsub-errors.js';
import { type PubSubSettings } from './pubsub-options.js';

/** The library keeps this much of its closing time for nacking what is left. */
const FINAL_NACK_MS = 1000;

/**
 * How long acks and lease extensions are tried, in milliseconds: the library's own 60 s would be its undoing. It extends leases the earlier the
 * longer the extending took, so after more than its 9 s it does so without a sleep, and keeps a million extensions before the bus is back.
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

/** Streams of a subscription that is read without trouble: the library's default. */
const STREAMS = 5;

/** Stream ends in a row, with nothing delivered in between, after which the library's own retries are given up. */
const ENDS_TO_DOUBT = 2 * STREAMS;

/** Milliseconds after which a stream that did not end counts as working, although nothing was delivered. */
const PROOF_MS = 5_000;

/** Milliseconds without a message after which a subscription without a topic counts as read to its end, and the most that it gets. */
const QUIET_MS = 2_000;
const QUIET_LIMIT_MS = 60_000;

/** What ends a refusal to read. */
const READ_CURE = 'grant the service account roles/pubsub.subscriber';

/** How the library's report of an ended stream begins; it reports other things by the same event. */
const STREAM_ENDED = /^Subscriber stream \d+ has ended/;

/** What a reader needs from its bus. */
export interface ReaderContext {
  readonly client: PubSubClient;
  readonly settings: PubSubSettings;
  readonly attempts: AttemptCounter;
  /** Resolves when the topic and the subscription exist again. */
  restore: () => Promise<void>;
  /** The reader has ended. */
  onClosed(reader: PubSubReader): void;
}

/**
 * Reads a Pub/Sub subscription and hands its messages to the handler, in the order in which they came and never more
 * than `maxInFlight` at once. Leases are extended by the library for up to an hour.
 *
 * The library reopens streams that end now and then. When they end without delivering, or its subscription object dies, the reader
 * takes over: it checks the subscription and opens one stream at a time, with a back-off that grows until a stream has delivered
 * a message or lived for a while. Until then `fault` says why. The other streams are opened after that.
 */
export class PubSubReader implements BusSubscription {
  private readonly queue = new Fifo<Message>();
  private readonly maxInFlight: number;
  private readonly stopped = new AbortController();
  private sources: Subscription[] = [];
  private inHand = 0;
  private lastReceivedAt = 0;
  private reopening = false;
  /** Attempts since a stream last worked. */
  private failures = 0;
  /** Streams that ended since one last worked. */
  private ends = 0;
  private lastError: string | undefined;
  private draining: Promise<void> | undefined;
  private cancelProof: () => void = () => undefined;
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
    const isWell = this.failures === 0 && !this.reopening && this.draining === undefined;
    return isWell ? undefined : (this.lastError ?? 'the subscription is being opened again');
  }

  /** Starts to read; the subscription exists. */
  open(): void {
    this.addSource(STREAMS);
  }

  /** Goes on with a new subscription object of the library's. */
  renew(reason: string): void {
    if (this.sources.length === 0 || this.reopening || this.isStopped()) return;
    for (const message of this.queue.drain()) message.nack();
    void this.reopen(new Error(reason));
  }

  /** The subscription gets no messages any more: reads what is left in it, then makes it again. Returns at once. */
  replace(reason: string): void {
    if (this.reopening || this.isStopped()) return;
    this.draining ??= this.drain(reason).finally(() => {
      this.draining = undefined;
    });
  }

  private async drain(reason: string): Promise<void> {
    const { clock, logger } = this.context.settings;
    const { topic, subscription } = this.options;
    this.lastError = reason;
    logger.warn('bus.subscription.cut-off', { topic, subscription, reason });
    const begin = clock.monotonic();
    this.lastReceivedAt = begin;
    const isQuiet = (): boolean =>
      this.inHand === 0 && this.queue.length === 0 && clock.monotonic() - this.lastReceivedAt >= QUIET_MS;
    while (!isQuiet() && clock.monotonic() - begin < QUIET_LIMIT_MS) {
      await sleep(clock, QUIET_MS / 4, this.stopped.signal);
      if (this.isStopped() || this.reopening) return;
    }
    void this.reopen(new Error(reason));
  }

  private addSource(streams: number): void {
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
        maxStreams: streams,
        retryMinBackoff: client.duration(settings.retryBackoff.baseMs),
        retryMaxBackoff: client.duration(settings.retryBackoff.maxMs),
      },
    });
    this.sources.push(source);
    source.on('message', (message: Message) => {
      this.receive(message);
      if (this.ends > 0 || this.failures > 0) this.onProof();
    });
    source.on('debug', ({ message, error }) => {
      if (STREAM_ENDED.test(message) && this.sources.includes(source)) this.onStreamEnded(error);
    });
    // The library says `error` when it will not recover, and `close` only after it has waited for its acks.
    source.on('error', (error: Error) => {
      if (this.sources.includes(source)) void this.reopen(error);
    });
    source.on('close', () => {
      if (this.sources.includes(source)) void this.reopen(undefined);
    });
  }

  private onStreamEnded(error: Error | undefined): void {
    if (this.reopening || this.isStopped()) return;
    this.ends++;
    if (this.failures > 0 || this.ends >= ENDS_TO_DOUBT) void this.reopen(error);
    else this.awaitProof();
  }

  private awaitProof(): void {
    this.cancelProof();
    this.cancelProof = this.context.settings.clock.setTimeout(() => {
      this.onProof();
    }, PROOF_MS);
  }

  /** A stream has delivered, or none has ended for a while. */
  private onProof(): void {
    if (this.reopening || this.isStopped()) return;
    this.cancelProof();
    this.ends = 0;
    if (this.failures === 0) return;
    const { topic, subscription } = this.options;
    this.failures = 0;
    this.addSource(STREAMS - 1);
    this.context.settings.logger.info('bus.subscription.reopened', { topic, subscription });
  }

  close(timeoutMs: number): Promise<void> {
    return (this.closing ??= this.shutDown(timeoutMs));
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    this.stopped.abort();
    for (const message of this.queue.drain()) message.nack();
    this.cancelProof();
    const { client, settings } = this.context;
    const work = this.sources.map((source) =>
      closeSource(source, client.duration(timeoutMs + FINAL_NACK_MS), this.maxInFlight),
    );
    await settledWithin(settings.clock, Promise.allSettled(work), timeoutMs);
    this.context.onClosed(this);
  }

  private receive(message: Message): void {
    if (this.stopped.signal.aborted) {
      message.nack();
      return;
    }
    this.lastReceivedAt = this.context.settings.clock.monotonic();
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
        error: messageOf(error),
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
  private async reopen(error: Error | undefined): Promise<void> {
    if (this.reopening || this.isStopped()) return;
    this.reopening = true;
    this.cancelProof();
    const { client, restore, settings } = this.context;
    const { clock, logger, retryBackoff, random } = settings;
    const { topic, subscription } = this.options;
    this.noteFailure(error);
    if (this.failures === 1) {
      logger.warn('bus.subscription.lost', { topic, subscription, error: this.lastError });
    }
    // What they still hold could not be acknowledged any more: it comes again through the new one.
    this.queue.drain();
    for (const source of this.sources.splice(0)) {
      void closeSource(source, client.duration(FINAL_NACK_MS), this.maxInFlight);
    }
    for (;;) {
      await sleep(clock, backoffMs(retryBackoff, this.failures, random, 'half'), this.stopped.signal);
      if (this.isStopped()) return;
      try {
        await restore();
        break;
      } catch (failure) {
        this.noteFailure(failure);
        if (this.failures === 2) {
          logger.warn('bus.subscription.reopen.failed', { topic, subscription, error: this.lastError });
        }
      }
    }
    if (this.isStopped()) return;
    this.reopening = false;
    this.ends = 0;
    this.addSource(1);
    this.awaitProof();
  }

  private noteFailure(error: unknown): void {
    this.failures++;
    if (error === undefined) return;
    const isForbidden = grpcCodeOf(error) === GRPC.PERMISSION_DENIED;
    this.lastError = `${messageOf(error)}${isForbidden ? ` (${READ_CURE})` : ''}`;
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
