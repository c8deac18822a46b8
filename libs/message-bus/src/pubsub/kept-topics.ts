import { messageOf, sleep } from '@bitbrat/foundation';
import { BusError, type KeepTopicOptions, type TopicSubscriptions } from '../message-bus.js';
import { GRPC, grpcCodeOf } from './pubsub-errors.js';
import { type PubSubSettings } from './pubsub-options.js';

/** Milliseconds between two looks at a topic, and while publishing to it is held. */
const LOOK_EVERY_MS = 10_000;
const LOOK_WHILE_HELD_MS = 500;

/** Milliseconds after which the warning about a topic without a subscription is repeated. */
const WARN_EVERY_MS = 300_000;

interface KeptTopic {
  readonly hold: boolean;
  /** undefined: it was never looked at. */
  subscriptions: TopicSubscriptions | undefined;
  fault: string | undefined;
  warnedAt: number | undefined;
  /** Publishes that wait for a subscription. */
  readonly waiting: Set<() => void>;
}

/** What the topics' keeper needs from its bus. */
export interface KeptTopicsLink {
  /** Names of subscriptions. Rejects with the service's error. */
  list(topic: string): Promise<readonly string[]>;
  /** Rejects with NOT_FOUND where it does not exist. */
  assertExists(topic: string): Promise<void>;
  /** Makes the topic and the bus's own subscriptions to it. */
  restore(topic: string): Promise<void>;
  missing(topic: string): BusError;
}

/** Sees that topics exist, knows whether anybody is subscribed to them, and holds publishes that nobody would get. */
export class KeptTopics {
  private readonly topics = new Map<string, KeptTopic>();
  private readonly stopped = new AbortController();

  constructor(
    private readonly settings: PubSubSettings,
    private readonly link: KeptTopicsLink,
  ) {}

  /** Topics that are missing and may not be made, or whose making fails; and why. */
  get faults(): ReadonlyMap<string, string> {
    return new Map(
      [...this.topics].flatMap(([topic, { fault }]) => (fault === undefined ? [] : [[topic, fault]])),
    );
  }

  keep(topic: string, { holdWithoutSubscription = false }: KeepTopicOptions): void {
    if (this.topics.has(topic)) return;
    const kept: KeptTopic = {
      hold: holdWithoutSubscription,
      subscriptions: undefined,
      fault: undefined,
      warnedAt: undefined,
      waiting: new Set(),
    };
    this.topics.set(topic, kept);
    void this.watch(topic, kept);
  }

  subscriptionsOf(topic: string): TopicSubscriptions {
    return this.topics.get(topic)?.subscriptions ?? 'unknown';
  }

  /** The topic was made a moment ago, so nobody else is subscribed to it yet. */
  onCreated(topic: string): void {
    const kept = this.topics.get(topic);
    if (kept?.hold === true) this.note(topic, kept, 'none');
  }

  isHeld(topic: string): boolean {
    const kept = this.topics.get(topic);
    return kept?.hold === true && (kept.subscriptions === undefined || kept.subscriptions === 'none');
  }

  /** Resolves when the topic may be published to, or the bus stops. */
  async admitted(topic: string): Promise<void> {
    while (this.isHeld(topic) && !this.stopped.signal.aborted) {
      await new Promise<void>((resolve) => this.topics.get(topic)?.waiting.add(resolve));
    }
  }

  /** Looks once. Rejects where the topic is missing and cannot be made, or the service does not answer. */
  async look(topic: string): Promise<TopicSubscriptions> {
    try {
      if ((await this.link.list(topic)).length > 0) return 'some';
      // Google's emulator lists none for a topic that does not exist.
      await this.link.assertExists(topic);
      return 'none';
    } catch (error) {
      const code = grpcCodeOf(error);
      if (code === GRPC.PERMISSION_DENIED || code === GRPC.UNIMPLEMENTED) return 'unknown';
      if (code !== GRPC.NOT_FOUND) throw error;
      if (!this.settings.createMissing) throw this.link.missing(topic);
      await this.link.restore(topic);
      return (await this.link.list(topic)).length > 0 ? 'some' : 'none';
    }
  }

  stop(): void {
    this.stopped.abort();
    for (const kept of this.topics.values()) release(kept);
  }

  private async watch(topic: string, kept: KeptTopic): Promise<void> {
    const { clock } = this.settings;
    const { signal } = this.stopped;
    while (!signal.aborted) {
      try {
        this.note(topic, kept, await this.look(topic));
        kept.fault = undefined;
      } catch (error) {
        // A service that refuses to list may take messages all the same.
        if (kept.subscriptions === undefined && !isMissing(error)) this.note(topic, kept, 'unknown');
        const isFinal = isMissing(error) || grpcCodeOf(error) === GRPC.PERMISSION_DENIED;
        if (isFinal && kept.fault === undefined) {
          this.settings.logger.warn('bus.topic.missing', { topic, error: messageOf(error) });
        }
        kept.fault = isFinal ? messageOf(error) : undefined;
      }
      const isWaited = this.isHeld(topic) || kept.subscriptions === undefined;
      await sleep(clock, isWaited ? LOOK_WHILE_HELD_MS : LOOK_EVERY_MS, signal);
    }
  }

  private note(topic: string, kept: KeptTopic, subscriptions: TopicSubscriptions): void {
    const { clock, logger } = this.settings;
    const before = kept.subscriptions;
    kept.subscriptions = subscriptions;
    if (subscriptions !== 'none') {
      release(kept);
      if (before === 'none') logger.info('bus.topic.subscribed', { topic });
      kept.warnedAt = undefined;
      return;
    }
    const now = clock.monotonic();
    if (!kept.hold || (kept.warnedAt !== undefined && now - kept.warnedAt < WARN_EVERY_MS)) return;
    kept.warnedAt = now;
    logger.warn('bus.topic.unread', { topic, requestsHeld: kept.waiting.size });
  }
}

const isMissing = (error: unknown): boolean => error instanceof BusError && error.code === 'NOT_FOUND';

function release(kept: KeptTopic): void {
  for (const resolve of kept.waiting) resolve();
  kept.waiting.clear();
}
