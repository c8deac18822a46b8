import { AttemptCounter } from './attempt-counter.js';
import { backoffMs } from './backoff.js';
import { abortedError, closedError, DEFAULT_MAX_IN_FLIGHT } from './bus-rules.js';
import { pause, settledWithin, systemBusClock } from './clock.js';
import { errorText, silentBusLogger } from './logger.js';
import {
  BusError,
  type BusSubscription,
  type MessageBus,
  type MessageHandler,
  type OutgoingMessage,
  type PublishOptions,
  type SubscribeOptions,
} from './message-bus.js';
import { assertResourceName, measureMessage } from './message-limits.js';
import { PubSubAdmin } from './pubsub-admin.js';
import { openPubSubClient, type PubSubClient } from './pubsub-client.js';
import { classifyFault, GRPC, grpcCodeOf } from './pubsub-errors.js';
import { type PubSubBusOptions } from './pubsub-options.js';
import { PubSubReader } from './pubsub-reader.js';
import { PublishGate } from './publish-gate.js';
import { type LaneContext, type PendingPublish, PublishLane, type PublishVerdict } from './publish-lane.js';
import { TopicBarrier } from './topic-barrier.js';

/**
 * A bus on Google Cloud Pub/Sub or its emulator.
 *
 * Publishes travel together in requests; one request at a time per topic and ordering key, repeated until the bus has
 * taken it. The library is loaded and the connection made when first used.
 */
export function createPubSubBus(options: PubSubBusOptions): MessageBus {
  return new PubSubBus(options);
}

/** Requests under way at once for messages without an ordering key. */
const UNORDERED_REQUESTS = 16;

interface Connection {
  readonly client: PubSubClient;
  readonly admin: PubSubAdmin;
}

class PubSubBus implements MessageBus {
  private readonly clock;
  private readonly logger;
  private readonly random;
  private readonly backoff;
  private readonly callOptions: { timeout: number; retry: null };
  private readonly gate: PublishGate;
  private readonly lanes = new Map<string, PublishLane>();
  private readonly underWay = new Set<PendingPublish>();
  private readonly readers = new Set<PubSubReader>();
  /** Why publishing to a topic fails at present. */
  private readonly failing = new Map<string, string>();
  private readonly barriers = new Map<string, TopicBarrier>();
  private readonly attempts = new AttemptCounter();
  private readonly stopped = new AbortController();
  private connection: Promise<Connection> | undefined;
  private closing: Promise<void> | undefined;
  private onDrained: (() => void) | undefined;

  constructor(private readonly options: PubSubBusOptions) {
    this.clock = options.clock ?? systemBusClock;
    this.logger = options.logger ?? silentBusLogger;
    this.random = options.random ?? Math.random;
    this.backoff = options.retryBackoff ?? { minMs: 100, maxMs: 2000 };
    // Repeating is done here, where order is kept, not by the library.
    this.callOptions = { timeout: options.requestTimeoutMs ?? 10_000, retry: null };
    const maxBytes = options.maxInFlightBytes ?? 64 * 1024 * 1024;
    this.gate = new PublishGate(options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT, maxBytes);
  }

  publish(topic: string, message: OutgoingMessage, options: PublishOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.closing !== undefined) throw closedError();
      assertResourceName('topic', topic);
      const bytes = measureMessage(message);
      const { signal } = options;
      if (signal?.aborted === true) throw abortedError();

      let admitted = false;
      const finish = (): boolean => {
        signal?.removeEventListener('abort', onAbort);
        if (!this.underWay.delete(pending)) return false;
        if (admitted) this.gate.leave(bytes);
        if (this.underWay.size === 0) this.onDrained?.();
        return true;
      };
      const pending: PendingPublish = {
        message,
        bytes,
        succeed: (id) => {
          if (finish()) resolve(id);
        },
        fail: (error) => {
          if (finish()) reject(error);
        },
      };
      const onAbort = (): void => {
        // Once it is in its lane it is published all the same, and takes its room until then.
        if (withdraw()) finish();
        reject(abortedError());
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.underWay.add(pending);
      const withdraw = this.gate.enter(bytes, () => {
        admitted = true;
        if (this.stopped.signal.aborted) return;
        this.lane(topic, message.orderingKey ?? '').add(pending);
      });
    });
  }

  async subscribe(options: SubscribeOptions, handler: MessageHandler): Promise<BusSubscription> {
    this.assertOpen();
    assertResourceName('topic', options.topic);
    assertResourceName('subscription', options.subscription);
    await this.ensureUntilStopped(options);
    const { client } = await this.connect();
    this.assertOpen();
    const reader = new PubSubReader(options, handler, {
      client,
      clock: this.clock,
      logger: this.logger,
      random: this.random,
      attempts: this.attempts,
      backoff: this.backoff,
      restore: () => this.restore(options.topic),
      onClosed: (closed) => this.readers.delete(closed),
    });
    this.readers.add(reader);
    reader.open();
    return reader;
  }

  async checkHealth(timeoutMs: number): Promise<void> {
    this.assertOpen();
    for (const [topic, reason] of this.failing) {
      throw new BusError('UNAVAILABLE', `publishing to "${topic}" fails: ${reason}`);
    }
    for (const { options, fault } of this.readers) {
      if (fault === undefined) continue;
      throw new BusError('UNAVAILABLE', `subscription "${options.subscription}" cannot be read: ${fault}`);
    }
    const { client } = await this.connect();
    const project = `projects/${this.options.projectId}`;
    const call = { ...this.callOptions, timeout: timeoutMs, autoPaginate: false };
    try {
      await client.publisher.listTopics({ project, pageSize: 1 }, call);
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
    const deadline = this.clock.now() + timeoutMs;
    if (this.underWay.size > 0) {
      const drained = new Promise<void>((resolve) => (this.onDrained = resolve));
      await settledWithin(this.clock, drained, timeoutMs);
    }
    this.stopped.abort();
    for (const lane of this.lanes.values()) lane.stop();
    for (const pending of this.underWay) pending.fail(closedError());
    const remaining = Math.max(0, deadline - this.clock.now());
    await Promise.all([...this.readers].map((reader) => reader.close(remaining)));
    const connection = await this.connection?.catch(() => undefined);
    await connection?.client.close();
  }

  private assertOpen(): void {
    if (this.closing !== undefined) throw closedError();
  }

  private connect(): Promise<Connection> {
    this.connection ??= this.open().catch((error: unknown) => {
      // The next one tries again.
      this.connection = undefined;
      throw error;
    });
    return this.connection;
  }

  private async open(): Promise<Connection> {
    const client = await openPubSubClient(this.options);
    return { client, admin: new PubSubAdmin(client, this.options, this.logger, this.callOptions) };
  }

  private lane(topic: string, key: string): PublishLane {
    const id = `${topic}\n${key}`;
    const existing = this.lanes.get(id);
    if (existing !== undefined) return existing;
    const lane = new PublishLane(key === '' ? UNORDERED_REQUESTS : 1, this.laneContext(topic, id));
    this.lanes.set(id, lane);
    return lane;
  }

  private laneContext(topic: string, id: string): LaneContext {
    return {
      clock: this.clock,
      random: this.random,
      backoff: this.backoff,
      batching: this.options.batching ?? { maxMessages: 100, maxMilliseconds: 1 },
      send: (messages) => this.send(topic, messages),
      judge: (error, failures) => this.judge(topic, error, failures),
      onRecovery: () => {
        if (this.failing.delete(topic)) this.logger.info('bus.publish.recovered', { topic });
      },
      onIdle: () => this.lanes.delete(id),
    };
  }

  private async send(topic: string, messages: readonly OutgoingMessage[]): Promise<readonly string[]> {
    const { client, admin } = await this.connect();
    const request = {
      topic: admin.topicPath(topic),
      messages: messages.map(({ data, attributes, orderingKey }) => ({
        data,
        attributes,
        ...(orderingKey === undefined ? {} : { orderingKey }),
      })),
    };
    const call = { ...this.callOptions, isBundling: false };
    const [response] = await this.barrier(topic).pass(() => client.publisher.publish(request, call));
    return response.messageIds ?? [];
  }

  private async judge(topic: string, error: unknown, failures: number): Promise<PublishVerdict> {
    const fault = classifyFault(error, `publishing to "${topic}"`);
    switch (fault.kind) {
      case 'invalid':
        return { action: 'isolate', error: fault.error };
      case 'forbidden':
        return { action: 'reject', error: fault.error };
      case 'missing':
        this.reportFailing(topic, (await this.connect()).admin.missingTopic(topic).message, failures);
        if (this.options.createMissing) await this.restoreIfPossible(topic);
        return { action: 'retry' };
      case 'transient':
        this.reportFailing(topic, errorText(error), failures);
        return { action: 'retry' };
    }
  }

  private reportFailing(topic: string, reason: string, failures: number): void {
    if (failures > 1 && this.failing.get(topic) === reason) return;
    const isNew = !this.failing.has(topic);
    this.failing.set(topic, reason);
    if (isNew) this.logger.warn('bus.publish.failing', { topic, error: reason });
  }

  private async restoreIfPossible(topic: string): Promise<void> {
    try {
      await this.restore(topic);
    } catch (error) {
      this.logger.warn('bus.topic.create.failed', { topic, error: errorText(error) });
    }
  }

  /** Makes the topic again, and our own subscriptions to it before anything is published to it. */
  private restore(topic: string): Promise<void> {
    return this.barrier(topic).restore(async () => {
      const { admin } = await this.connect();
      if (this.options.createMissing) await admin.createTopic(topic);
      for (const reader of this.readers) {
        if (reader.options.topic === topic) await admin.ensureSubscription(reader.options);
      }
    });
  }

  private barrier(topic: string): TopicBarrier {
    const barrier = this.barriers.get(topic) ?? new TopicBarrier();
    this.barriers.set(topic, barrier);
    return barrier;
  }

  private async ensureUntilStopped(options: SubscribeOptions): Promise<void> {
    const { topic, subscription } = options;
    for (let failures = 1; ; failures++) {
      try {
        const { admin } = await this.connect();
        await admin.ensureSubscription(options);
        return;
      } catch (error) {
        this.assertOpen();
        if (error instanceof BusError) throw error;
        const fault = classifyFault(error, `subscribing to "${topic}" as "${subscription}"`);
        if (fault.kind === 'forbidden' || fault.kind === 'invalid') throw fault.error;
        this.logger.warn('bus.subscribe.failing', { topic, subscription, error: errorText(error) });
      }
      await pause(this.clock, backoffMs(this.backoff, failures, this.random), this.stopped.signal);
      this.assertOpen();
    }
  }
}
