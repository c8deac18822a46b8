import { AttemptCounter } from './attempt-counter.js';
import { backoffMs } from './backoff.js';
import { closedError } from './bus-rules.js';
import { ClockWatch } from './clock-watch.js';
import { pause } from './clock.js';
import { errorText } from './logger.js';
import {
  BusError,
  type BusSubscription,
  type MessageBus,
  type MessageHandler,
  type OutgoingMessage,
  type PublishOptions,
  type SubscribeOptions,
} from './message-bus.js';
import { assertResourceName } from './message-limits.js';
import { LazyConnection } from './pubsub-connection.js';
import { classifyFault, GRPC, grpcCodeOf } from './pubsub-errors.js';
import { type PubSubBusOptions, type PubSubSettings, toPubSubSettings } from './pubsub-options.js';
import { PubSubPublisher } from './pubsub-publisher.js';
import { PubSubReader } from './pubsub-reader.js';
import { TopicBarrier } from './topic-barrier.js';

/**
 * A bus on Google Cloud Pub/Sub or its emulator.
 *
 * Publishes travel together in requests; one request at a time per topic and ordering key, repeated until the bus has
 * taken it. The library is loaded and the connection made when first used.
 */
export function createPubSubBus(options: PubSubBusOptions): MessageBus {
  return new PubSubBus(toPubSubSettings(options));
}

class PubSubBus implements MessageBus {
  private readonly connection: LazyConnection;
  private readonly publisher: PubSubPublisher;
  private readonly readers = new Set<PubSubReader>();
  private readonly attempts = new AttemptCounter();
  private readonly barriers = new Map<string, TopicBarrier>();
  private readonly stopped = new AbortController();
  private clockWatch: ClockWatch | undefined;
  private closing: Promise<void> | undefined;

  constructor(private readonly settings: PubSubSettings) {
    this.connection = new LazyConnection(settings);
    this.publisher = new PubSubPublisher(settings, {
      connect: () => this.connection.get(),
      barrier: (topic) => this.barrier(topic),
      restore: (topic) => this.restore(topic),
    });
  }

  publish(topic: string, message: OutgoingMessage, options: PublishOptions = {}): Promise<string> {
    if (this.closing !== undefined) return Promise.reject(closedError());
    return this.publisher.publish(topic, message, options.signal);
  }

  async subscribe(options: SubscribeOptions, handler: MessageHandler): Promise<BusSubscription> {
    this.assertOpen();
    assertResourceName('topic', options.topic);
    assertResourceName('subscription', options.subscription);
    await this.ensureSubscription(options);
    const { client } = await this.connection.get();
    this.assertOpen();
    const reader = new PubSubReader(options, handler, {
      client,
      settings: this.settings,
      attempts: this.attempts,
      restore: () => this.restore(options.topic),
      onClosed: (closed) => this.readers.delete(closed),
    });
    this.readers.add(reader);
    reader.open();
    this.clockWatch ??= new ClockWatch(this.settings.clock, (byMs) => {
      this.onClockSet(byMs);
    });
    return reader;
  }

  async checkHealth(timeoutMs: number): Promise<void> {
    this.assertOpen();
    for (const [topic, reason] of this.publisher.faults) {
      throw new BusError('UNAVAILABLE', `publishing to "${topic}" fails: ${reason}`);
    }
    for (const { options, fault } of this.readers) {
      if (fault === undefined) continue;
      throw new BusError('UNAVAILABLE', `subscription "${options.subscription}" cannot be read: ${fault}`);
    }
    const { client } = await this.connection.get();
    const request = { project: `projects/${this.settings.projectId}`, pageSize: 1 };
    const call = { ...this.settings.callOptions, timeout: timeoutMs, autoPaginate: false };
    try {
      await client.publisher.listTopics(request, call);
    } catch (error) {
      // Publishing needs no right to list: a refusal is an answer, too.
      if (grpcCodeOf(error) === GRPC.PERMISSION_DENIED) return;
      throw new BusError('UNAVAILABLE', `Pub/Sub does not answer: ${errorText(error)}`, { cause: error });
    }
  }

  close(timeoutMs: number): Promise<void> {
    return (this.closing ??= this.shutDown(timeoutMs));
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    const deadline = this.settings.clock.now() + timeoutMs;
    await this.publisher.close(timeoutMs);
    this.stopped.abort();
    this.clockWatch?.stop();
    const remaining = Math.max(0, deadline - this.settings.clock.now());
    await Promise.all([...this.readers].map((reader) => reader.close(remaining)));
    await this.connection.close();
  }

  /**
   * The library waits for moments of that clock before it opens a stream again, and would wait for as long as the clock was set back; and it
   * measures with it how early leases must be extended, which a step forward would make it do without a pause.
   */
  private onClockSet(byMs: number): void {
    for (const reader of this.readers) reader.renew(`the machine's clock was set by ${byMs} ms`);
  }

  private assertOpen(): void {
    if (this.closing !== undefined) throw closedError();
  }

  private barrier(topic: string): TopicBarrier {
    const barrier = this.barriers.get(topic) ?? new TopicBarrier();
    this.barriers.set(topic, barrier);
    return barrier;
  }

  /** Makes the topic again, and our own subscriptions to it before anything is published to it. */
  private restore(topic: string): Promise<void> {
    return this.barrier(topic).restore(async () => {
      const { admin } = await this.connection.get();
      if (this.settings.createMissing) await admin.createTopic(topic);
      for (const reader of this.readers) {
        if (reader.options.topic === topic) await admin.ensureSubscription(reader.options);
      }
    });
  }

  /** Until it succeeds, cannot succeed, or the bus is closed. */
  private async ensureSubscription(options: SubscribeOptions): Promise<void> {
    const { topic, subscription } = options;
    const { clock, logger, random, retryBackoff } = this.settings;
    for (let failures = 1; ; failures++) {
      try {
        const { admin } = await this.connection.get();
        await admin.ensureSubscription(options);
        return;
      } catch (error) {
        this.assertOpen();
        if (error instanceof BusError) throw error;
        const fault = classifyFault(error, `subscribing to "${topic}" as "${subscription}"`);
        if (fault.kind !== 'missing' && fault.kind !== 'transient') throw fault.error;
        logger.warn('bus.subscribe.failing', { topic, subscription, error: errorText(error) });
      }
      await pause(clock, backoffMs(retryBackoff, failures, random), this.stopped.signal);
      this.assertOpen();
    }
  }
}
