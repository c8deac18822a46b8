import {
  type BackoffPolicy,
  type Clock,
  keepAliveClock,
  type Logger,
  settledWithin,
  silentLogger,
} from '@bitbrat/foundation';
import { Fifo } from '../fifo.js';
import { MemorySubscription, type StoredMessage } from './memory-subscription.js';
import {
  BusError,
  type BusSubscription,
  type MessageBus,
  type MessageHandler,
  type OutgoingMessage,
  type PublishOptions,
  type SubscribeOptions,
} from '../message-bus.js';
import { assertResourceName, measureMessage } from '../message-limits.js';
import { abortedError, closedError, DEFAULT_MAX_IN_FLIGHT } from '../bus-rules.js';

/** Settings of the memory bus; each has a default. */
export interface MemoryBusOptions {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Jitter of the redelivery back-off, in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Messages that a subscription holds, handed out or not, before publishing to its topic waits. Default 10,000. */
  readonly maxBacklog?: number;
  /** The same in bytes. Default 256 MiB. */
  readonly maxBacklogBytes?: number;
  /** How long a nacked message waits. Default 100 ms doubling to 10 s. */
  readonly redelivery?: BackoffPolicy;
}

interface Topic {
  readonly subscriptions: Set<MemorySubscription>;
  /** Publishes that wait for room, in order. */
  readonly waiting: Fifo<WaitingPublish>;
}

interface WaitingPublish {
  readonly message: StoredMessage;
  readonly resolve: (id: string) => void;
  readonly reject: (error: BusError) => void;
}

/**
 * A bus within this process, with the promises of the port: at least once, redelivery with back-off, order per
 * ordering key, several subscriptions per topic, several subscribers per subscription, and push-back.
 *
 * A message to a topic without a subscription is taken and gone, as with Pub/Sub. A subscription outlives its
 * subscribers and collects messages for the next one. Everything is lost when the process ends.
 */
export function createMemoryBus(options: MemoryBusOptions = {}): MessageBus {
  return new MemoryBus(options);
}

class MemoryBus implements MessageBus {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly random: () => number;
  private readonly maxBacklog: number;
  private readonly maxBacklogBytes: number;
  private readonly redelivery: BackoffPolicy;
  private readonly topics = new Map<string, Topic>();
  private readonly subscriptions = new Map<string, MemorySubscription>();
  private readonly open = new Set<BusSubscription>();
  private sequence = 0;
  private waitingCount = 0;
  private onDrained: (() => void) | undefined;
  private closing: Promise<void> | undefined;

  constructor(options: MemoryBusOptions) {
    this.clock = options.clock ?? keepAliveClock;
    this.logger = options.logger ?? silentLogger;
    this.random = options.random ?? Math.random;
    this.maxBacklog = options.maxBacklog ?? 10_000;
    this.maxBacklogBytes = options.maxBacklogBytes ?? 256 * 1024 * 1024;
    this.redelivery = options.redelivery ?? { baseMs: 100, maxMs: 10_000 };
  }

  publish(topicName: string, message: OutgoingMessage, options: PublishOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.closing !== undefined) throw closedError();
      assertResourceName('topic', topicName);
      const bytes = measureMessage(message);
      const { signal } = options;
      if (signal?.aborted === true) throw abortedError();

      const stored = this.store(topicName, message, bytes);
      const topic = this.topic(topicName);
      const waiting: WaitingPublish = {
        message: stored,
        resolve: (id) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(id);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      const onAbort = (): void => {
        topic.waiting.retain((other) => other !== waiting);
        this.countWaiting(-1);
        waiting.reject(abortedError());
        this.admit(topic);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      topic.waiting.push(waiting);
      this.countWaiting(1);
      this.admit(topic);
    });
  }

  subscribe(options: SubscribeOptions, handler: MessageHandler): Promise<BusSubscription> {
    return new Promise((resolve) => {
      if (this.closing !== undefined) throw closedError();
      const detach = this.subscription(options).attach(handler, options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT);
      const subscription: BusSubscription = {
        close: (timeoutMs) => {
          this.open.delete(subscription);
          return detach(timeoutMs);
        },
      };
      this.open.add(subscription);
      resolve(subscription);
    });
  }

  checkHealth(_timeoutMs: number): Promise<void> {
    if (this.closing !== undefined) return Promise.reject(closedError());
    for (const topic of this.topics.values()) {
      const waiting = topic.waiting.peek();
      if (waiting === undefined) continue;
      for (const subscription of topic.subscriptions) {
        if (this.hasRoom(subscription, waiting.message.bytes) || subscription.hasReaders) continue;
        return Promise.reject(
          new BusError(
            'UNAVAILABLE',
            `subscription "${subscription.name}" is full (${subscription.backlog} messages) and nobody reads it: publishing to "${subscription.topic}" waits`,
          ),
        );
      }
    }
    return Promise.resolve();
  }

  close(timeoutMs: number): Promise<void> {
    return (this.closing ??= this.shutDown(timeoutMs));
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    const deadline = this.clock.now() + timeoutMs;
    if (this.waitingCount > 0) {
      const drained = new Promise<void>((resolve) => (this.onDrained = resolve));
      await settledWithin(this.clock, drained, timeoutMs);
    }
    for (const topic of this.topics.values()) {
      for (const waiting of topic.waiting.drain()) waiting.reject(closedError());
    }
    const remaining = Math.max(0, deadline - this.clock.now());
    await Promise.all([...this.open].map((subscription) => subscription.close(remaining)));
    for (const subscription of this.subscriptions.values()) subscription.destroy();
  }

  private store(topic: string, message: OutgoingMessage, bytes: number): StoredMessage {
    const sequence = ++this.sequence;
    return {
      id: String(sequence),
      sequence,
      topic,
      data: Buffer.from(message.data),
      attributes: { ...message.attributes },
      orderingKey: message.orderingKey === '' ? undefined : message.orderingKey,
      publishedAt: this.clock.now(),
      bytes,
    };
  }

  private topic(name: string): Topic {
    const topic = this.topics.get(name) ?? { subscriptions: new Set(), waiting: new Fifo() };
    this.topics.set(name, topic);
    return topic;
  }

  private subscription(options: SubscribeOptions): MemorySubscription {
    assertResourceName('topic', options.topic);
    assertResourceName('subscription', options.subscription);
    const topic = this.topic(options.topic);
    const existing = this.subscriptions.get(options.subscription);
    if (existing !== undefined && !this.removeIfExpired(existing)) {
      if (existing.topic === options.topic) return existing;
      throw new BusError(
        'INVALID_NAME',
        `subscription "${existing.name}" belongs to topic "${existing.topic}", not to "${options.topic}"`,
      );
    }
    const { clock, logger, random, redelivery } = this;
    const onRoom = (): void => {
      this.admit(topic);
    };
    const context = { clock, logger, random, redelivery, onRoom };
    const created = new MemorySubscription(
      options.subscription,
      options.topic,
      options.expireAfterMs,
      context,
    );
    this.subscriptions.set(created.name, created);
    topic.subscriptions.add(created);
    return created;
  }

  /** Passes on what waits, in order, as far as every subscription of the topic has room. */
  private admit(topic: Topic): void {
    for (let first = topic.waiting.peek(); first !== undefined; first = topic.waiting.peek()) {
      for (const subscription of topic.subscriptions) {
        if (!this.removeIfExpired(subscription) && !this.hasRoom(subscription, first.message.bytes)) return;
      }
      topic.waiting.shift();
      for (const subscription of topic.subscriptions) subscription.add(first.message);
      first.resolve(first.message.id);
      this.countWaiting(-1);
    }
  }

  private countWaiting(change: 1 | -1): void {
    this.waitingCount += change;
    if (this.waitingCount === 0) this.onDrained?.();
  }

  private hasRoom(subscription: MemorySubscription, bytes: number): boolean {
    return subscription.hasRoom(bytes, this.maxBacklog, this.maxBacklogBytes);
  }

  private removeIfExpired(subscription: MemorySubscription): boolean {
    if (!subscription.isExpired) return false;
    this.logger.info('bus.subscription.expired', { subscription: subscription.name });
    subscription.destroy();
    this.subscriptions.delete(subscription.name);
    this.topics.get(subscription.topic)?.subscriptions.delete(subscription);
    return true;
  }
}
