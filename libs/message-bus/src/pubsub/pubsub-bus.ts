import { backoffMs, type Clock, messageOf, settledWithin, sleep } from '@bitbrat/foundation';
import { AttemptCounter } from './attempt-counter.js';
import { closedError } from '../bus-rules.js';
import { ClockWatch } from './clock-watch.js';
import { KeptTopics } from './kept-topics.js';
import {
  BusError,
  type BusSubscription,
  type KeepTopicOptions,
  type MessageBus,
  type MessageHandler,
  type OutgoingMessage,
  type PublishOptions,
  type SubscribeOptions,
  type TopicKeeper,
  type TopicSubscriptions,
} from '../message-bus.js';
import { assertResourceName } from '../message-limits.js';
import { missingTopicText, type SubscriptionDefect } from './pubsub-admin.js';
import { LazyConnection } from './pubsub-connection.js';
import { classifyFault, GRPC, grpcCodeOf } from './pubsub-errors.js';
import { type PubSubBusOptions, type PubSubSettings, toPubSubSettings } from './pubsub-options.js';
import { PubSubPublisher } from './publish/pubsub-publisher.js';
import { PubSubReader } from './pubsub-reader.js';
import { TopicBarrier } from './publish/topic-barrier.js';

/** Milliseconds that closing the connection gets at least. */
const MIN_CLOSE_MS = 200;

/** Settles as `work` does, or rejects when `ms` have passed. */
async function within(clock: Clock, work: Promise<void>, ms: number): Promise<void> {
  if (!(await settledWithin(clock, work, ms))) throw new Error(`no answer within ${ms} ms`);
  await work;
}

/**
 * A bus on Google Cloud Pub/Sub or its emulator.
 *
 * Publishes travel together in requests; one request at a time per topic and ordering key, repeated until the bus has
 * taken it. The library is loaded and the connection made when first used.
 */
export function createPubSubBus(options: PubSubBusOptions): MessageBus & TopicKeeper {
  return new PubSubBus(toPubSubSettings(options));
}

/** Milliseconds between two looks whether a subscription still gets messages. */
const LOOK_EVERY_MS = 10_000;

/** Milliseconds between two renewals of the mark of temporary topics. */
const TOUCH_EVERY_MS = 600_000;

const DEFECTS: Readonly<Record<SubscriptionDefect, string>> = {
  missing: 'the subscription was deleted',
  orphaned: 'the topic of the subscription was deleted',
  detached: 'the subscription was detached from its topic',
  foreign: 'the subscription belongs to another topic',
};

class PubSubBus implements MessageBus, TopicKeeper {
  private readonly connection: LazyConnection;
  private readonly publisher: PubSubPublisher;
  private readonly readers = new Set<PubSubReader>();
  private readonly attempts = new AttemptCounter();
  private readonly barriers = new Map<string, TopicBarrier>();
  private readonly stopped = new AbortController();
  private readonly kept: KeptTopics;
  private watching: Promise<void> | undefined;
  private clockWatch: ClockWatch | undefined;
  private closing: Promise<void> | undefined;

  constructor(private readonly settings: PubSubSettings) {
    this.connection = new LazyConnection(settings);
    const restore = (topic: string): Promise<void> => this.restore(topic);
    this.kept = new KeptTopics(settings, {
      list: async (topic) => (await this.connection.get()).admin.subscriptionsOf(topic),
      assertExists: async (topic) => (await this.connection.get()).admin.assertTopic(topic),
      restore,
      missing: (topic) => new BusError('NOT_FOUND', missingTopicText(topic, settings.projectId)),
    });
    this.publisher = new PubSubPublisher(settings, {
      connect: () => this.connection.get(),
      barrier: (topic) => this.barrier(topic),
      admitted: (topic) => this.kept.admitted(topic),
      isHeld: (topic) => this.kept.isHeld(topic),
      restore,
    });
  }

  keepTopic(topic: string, options: KeepTopicOptions = {}): void {
    this.assertOpen();
    assertResourceName('topic', topic);
    this.kept.keep(topic, options);
  }

  subscriptionsOf(topic: string): TopicSubscriptions {
    return this.kept.subscriptionsOf(topic);
  }

  inspectTopic(topic: string): Promise<TopicSubscriptions> {
    return this.kept.look(topic);
  }

  async makeSubscription(names: Pick<SubscribeOptions, 'topic' | 'subscription'>): Promise<void> {
    this.assertOpen();
    assertResourceName('topic', names.topic);
    assertResourceName('subscription', names.subscription);
    await this.untilClosed(this.ensureSubscription(names));
  }

  async discardTemporary(names: Pick<SubscribeOptions, 'topic' | 'subscription'>): Promise<boolean> {
    if (this.attempts.remembers(names.subscription)) return false;
    return (await this.connection.get()).temporary.discard(names);
  }

  async sweepTemporary(topicPrefix: string, unusedForMs: number): Promise<readonly string[]> {
    return (await this.connection.get()).temporary.sweep(topicPrefix, unusedForMs);
  }

  publish(topic: string, message: OutgoingMessage, options: PublishOptions = {}): Promise<string> {
    if (this.closing !== undefined) return Promise.reject(closedError());
    return this.publisher.publish(topic, message, options.signal);
  }

  async subscribe(options: SubscribeOptions, handler: MessageHandler): Promise<BusSubscription> {
    this.assertOpen();
    assertResourceName('topic', options.topic);
    assertResourceName('subscription', options.subscription);
    await this.untilClosed(this.ensureSubscription(options));
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
    this.watching ??= this.watch();
    this.clockWatch ??= new ClockWatch(this.settings.clock, (byMs) => {
      this.onClockSet(byMs);
    });
    return reader;
  }

  async checkHealth(timeoutMs: number): Promise<void> {
    this.assertOpen();
    for (const [, reason] of this.kept.faults) throw new BusError('UNAVAILABLE', reason);
    for (const [topic, reason] of this.publisher.faults) {
      throw new BusError('UNAVAILABLE', `publishing to "${topic}" fails: ${reason}`);
    }
    for (const { options, fault } of this.readers) {
      if (fault === undefined) continue;
      throw new BusError('UNAVAILABLE', `subscription "${options.subscription}" cannot be read: ${fault}`);
    }
    const request = { project: `projects/${this.settings.projectId}`, pageSize: 1 };
    const call = { ...this.settings.callOptions, timeout: timeoutMs, autoPaginate: false };
    const ask = async (): Promise<void> => {
      const { client } = await this.connection.get();
      await client.publisher.listTopics(request, call);
    };
    try {
      // Finding credentials has no time limit of its own.
      await this.untilClosed(within(this.settings.clock, ask(), timeoutMs));
    } catch (error) {
      // Publishing needs no right to list: a refusal is an answer, too.
      if (grpcCodeOf(error) === GRPC.PERMISSION_DENIED) return;
      throw new BusError('UNAVAILABLE', `Pub/Sub does not answer: ${messageOf(error)}`, { cause: error });
    }
  }

  close(timeoutMs: number): Promise<void> {
    return (this.closing ??= this.shutDown(timeoutMs));
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    const deadline = this.settings.clock.now() + timeoutMs;
    await this.publisher.close(timeoutMs);
    this.stopped.abort();
    this.kept.stop();
    this.clockWatch?.stop();
    const remaining = Math.max(0, deadline - this.settings.clock.now());
    await Promise.all([...this.readers].map((reader) => reader.close(remaining)));
    // A connection that is still being made may hang for as long as it likes.
    await settledWithin(this.settings.clock, this.connection.close(), Math.max(remaining, MIN_CLOSE_MS));
  }

  /** Settles as `work` does, or rejects with CLOSED as soon as the bus is closed. */
  private untilClosed<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.stopped;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(closedError());
      };
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      work.then(resolve, reject).finally(() => {
        signal.removeEventListener('abort', onAbort);
      });
    });
  }

  /** Streams of a subscription that gets no messages any more live on: only a look finds it out. */
  private async watch(): Promise<void> {
    const { clock } = this.settings;
    const { signal } = this.stopped;
    let touchedAt = clock.monotonic();
    for (;;) {
      await sleep(clock, LOOK_EVERY_MS, signal);
      if (signal.aborted) return;
      const isTouchDue = clock.monotonic() - touchedAt >= TOUCH_EVERY_MS;
      if (isTouchDue) touchedAt = clock.monotonic();
      for (const reader of this.readers) await this.lookAt(reader, isTouchDue);
    }
  }

  private async lookAt(reader: PubSubReader, isTouchDue: boolean): Promise<void> {
    const { options } = reader;
    try {
      const { admin, temporary } = await this.connection.get();
      const defect = await admin.defectOf(options);
      // What is missing ends the stream, and the reader knows.
      if (defect !== undefined && defect !== 'missing') reader.replace(DEFECTS[defect]);
      if (isTouchDue && options.temporary === true) await temporary.touch(options);
    } catch (error) {
      this.settings.logger.debug('bus.subscription.look-failed', {
        subscription: options.subscription,
        error: messageOf(error),
      });
    }
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
      const readers = [...this.readers].filter(({ options }) => options.topic === topic);
      const temporary = readers.some(({ options }) => options.temporary === true);
      const isNew = this.settings.createMissing && (await admin.createTopic(topic, temporary));
      for (const { options } of readers) await admin.ensureSubscription(options);
      if (isNew && readers.length === 0) this.kept.onCreated(topic);
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
        logger.warn('bus.subscribe.failing', { topic, subscription, error: messageOf(error) });
      }
      await sleep(clock, backoffMs(retryBackoff, failures, random, 'half'), this.stopped.signal);
      this.assertOpen();
    }
  }
}
