import { messageOf, settledWithin } from '@bitbrat/foundation';
import { type PublishVerdict } from './batch-delivery.js';
import { abortedError, closedError } from '../../bus-rules.js';
import { BusError, type OutgoingMessage } from '../../message-bus.js';
import { assertResourceName, measureMessage } from '../../message-limits.js';
import { missingTopicText } from '../pubsub-admin.js';
import { type PubSubConnection } from '../pubsub-connection.js';
import { classifyFault, proofsOfFault } from '../pubsub-errors.js';
import { type PubSubSettings } from '../pubsub-options.js';
import { PublishCall, type PublishCallOwner } from './publish-call.js';
import { PublishGate } from './publish-gate.js';
import { type LaneContext, PublishLane } from './publish-lane.js';
import { type TopicBarrier } from './topic-barrier.js';

/** Requests under way at once for messages without an ordering key. */
const UNORDERED_REQUESTS = 16;

/** What ends a refusal to publish. */
const REFUSED_CURE = 'look at the schema, the key and the storage policy of the topic';
const PUBLISH_CURE = 'grant the service account roles/pubsub.publisher';

/** What publishing needs from the bus. */
export interface PublisherLink {
  connect(): Promise<PubSubConnection>;
  barrier(topic: string): TopicBarrier;
  /** Resolves when the topic may be published to, or the bus stops. */
  admitted(topic: string): Promise<void>;
  /** Whether publishing must wait because nobody would get the message. */
  isHeld(topic: string): boolean;
  /** Resolves when the topic and the bus's own subscriptions to it exist again. */
  restore(topic: string): Promise<void>;
}

/** The publishing half of the Pub/Sub bus: from the wait for room to the acknowledgement. */
export class PubSubPublisher implements PublishCallOwner {
  private readonly gate: PublishGate;
  private readonly lanes = new Map<string, PublishLane>();
  private readonly underWay = new Set<PublishCall>();
  private readonly failing = new Map<string, string>();
  /** Messages that each topic has taken. */
  private readonly accepted = new Map<string, number>();
  private stopped = false;
  private onDrained: (() => void) | undefined;

  constructor(
    private readonly settings: PubSubSettings,
    private readonly link: PublisherLink,
  ) {
    this.gate = new PublishGate(settings.maxInFlight, settings.maxInFlightBytes);
  }

  /** Topics that cannot be published to at present, and why. */
  get faults(): ReadonlyMap<string, string> {
    return this.failing;
  }

  publish(topic: string, message: OutgoingMessage, signal: AbortSignal | undefined): Promise<string> {
    return new Promise((resolve, reject) => {
      assertResourceName('topic', topic);
      const bytes = measureMessage(message);
      if (signal?.aborted === true) throw abortedError();
      const call = new PublishCall(message, bytes, this, resolve, reject, signal);
      this.underWay.add(call);
      const withdraw = this.gate.enter(bytes, () => {
        call.admitted = true;
        if (!this.stopped) this.lane(topic, message.orderingKey ?? '').add(call);
      });
      call.begin(withdraw);
    });
  }

  onOver(call: PublishCall): void {
    this.underWay.delete(call);
    if (call.admitted) this.gate.leave(call.bytes);
    if (this.underWay.size === 0) this.onDrained?.();
  }

  /** Resolves when all calls are over; those that are not after `timeoutMs` are failed. */
  async close(timeoutMs: number): Promise<void> {
    if (this.underWay.size > 0) {
      const drained = new Promise<void>((resolve) => (this.onDrained = resolve));
      await settledWithin(this.settings.clock, drained, timeoutMs);
    }
    this.stopped = true;
    for (const lane of this.lanes.values()) lane.stop();
    for (const call of this.underWay) call.fail(closedError());
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
      clock: this.settings.clock,
      random: this.settings.random,
      backoff: this.settings.retryBackoff,
      batching: this.settings.batching,
      send: (messages) => this.send(topic, messages),
      judge: (error, failures) => this.judge(topic, error, failures),
      accepted: () => this.accepted.get(topic) ?? 0,
      onStuck: ({ message }) => {
        this.reportFailing(topic, `${message} (${REFUSED_CURE})`, 1);
      },
      onRecovery: () => {
        this.reportRecovered(topic);
      },
      onIdle: () => this.lanes.delete(id),
    };
  }

  private async send(topic: string, messages: readonly OutgoingMessage[]): Promise<readonly string[]> {
    const { client, admin } = await this.link.connect();
    const request = {
      topic: admin.topicPath(topic),
      messages: messages.map(({ data, attributes, orderingKey }) => ({
        data,
        attributes,
        ...(orderingKey === undefined ? {} : { orderingKey }),
      })),
    };
    const call = { ...this.settings.callOptions, isBundling: false };
    // Held again where the topic was made anew while this waited for its turn.
    for (;;) {
      await this.link.admitted(topic);
      if (this.stopped) throw closedError();
      const ids = await this.link.barrier(topic).pass(async () => {
        if (this.link.isHeld(topic)) return undefined;
        const [response] = await client.publisher.publish(request, call);
        return response.messageIds ?? [];
      });
      if (ids === undefined) continue;
      this.accepted.set(topic, (this.accepted.get(topic) ?? 0) + messages.length);
      return ids;
    }
  }

  /** Only what is about the message itself is refused: anything else may be mended, and until then nothing is lost. */
  private async judge(topic: string, error: unknown, failures: number): Promise<PublishVerdict> {
    const doing = `publishing to "${topic}"`;
    const proofs = proofsOfFault(error);
    if (proofs !== undefined) {
      return {
        action: 'suspect',
        error: new BusError('INVALID_MESSAGE', `${doing}: ${messageOf(error)}`, { cause: error }),
        proofs,
      };
    }
    switch (classifyFault(error, doing).kind) {
      case 'forbidden':
        this.reportFailing(topic, `${messageOf(error)} (${PUBLISH_CURE})`, failures);
        break;
      case 'missing':
        this.reportFailing(topic, missingTopicText(topic, this.settings.projectId), failures);
        if (this.settings.createMissing) await this.restoreIfPossible(topic);
        break;
      default:
        this.reportFailing(topic, messageOf(error), failures);
    }
    return { action: 'retry' };
  }

  private reportFailing(topic: string, reason: string, failures: number): void {
    if (failures > 1 && this.failing.get(topic) === reason) return;
    const isNew = !this.failing.has(topic);
    this.failing.set(topic, reason);
    if (isNew) this.settings.logger.warn('bus.publish.failing', { topic, error: reason });
  }

  private reportRecovered(topic: string): void {
    if (this.failing.delete(topic)) this.settings.logger.info('bus.publish.recovered', { topic });
  }

  private async restoreIfPossible(topic: string): Promise<void> {
    try {
      await this.link.restore(topic);
    } catch (error) {
      this.settings.logger.warn('bus.topic.create.failed', { topic, error: messageOf(error) });
    }
  }
}
