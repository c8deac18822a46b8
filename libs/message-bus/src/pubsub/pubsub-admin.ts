import { BusError, type SubscribeOptions } from '../message-bus.js';
import { type PubSubClient } from './pubsub-client.js';
import { GRPC, grpcCodeOf } from './pubsub-errors.js';
import { type PubSubSettings } from './pubsub-options.js';
import { temporaryLabels } from './temporary-topics.js';

const DAY_SECONDS = 86_400;
/** Longest retention of a subscription and what Pub/Sub itself uses ("Subscription properties"). */
const MAX_RETENTION_SECONDS = 7 * DAY_SECONDS;
/** Seconds until an unacknowledged message of a reader that died without a word is delivered again. */
export const ACK_DEADLINE_SECONDS = 20;
/** What a subscription's topic is called once it was deleted. */
const DELETED_TOPIC = '_deleted-topic_';

/** `orphaned`: its topic was deleted. `detached`: an operator detached it. `foreign`: it belongs to another topic. */
export type SubscriptionDefect = 'missing' | 'orphaned' | 'detached' | 'foreign';

/** Makes and checks topics and subscriptions. Rejects with what the service answered, or a BusError. */
export class PubSubAdmin {
  constructor(
    private readonly client: PubSubClient,
    private readonly settings: PubSubSettings,
  ) {}

  topicPath(topic: string): string {
    return `projects/${this.settings.projectId}/topics/${topic}`;
  }

  subscriptionPath(subscription: string): string {
    return `projects/${this.settings.projectId}/subscriptions/${subscription}`;
  }

  /** Resolves when the topic exists; with true where this call made it. */
  async createTopic(topic: string, temporary = false): Promise<boolean> {
    const name = this.topicPath(topic);
    try {
      await this.client.publisher.createTopic(
        { name, labels: this.labels(temporary) },
        this.settings.callOptions,
      );
      this.settings.logger.info('bus.topic.created', { topic });
      return true;
    } catch (error) {
      if (grpcCodeOf(error) !== GRPC.ALREADY_EXISTS) throw error;
      return false;
    }
  }

  /** Rejects with NOT_FOUND where the topic does not exist. Passes where the right to see it is missing. */
  async assertTopic(topic: string): Promise<void> {
    try {
      await this.client.publisher.getTopic({ topic: this.topicPath(topic) }, this.settings.callOptions);
    } catch (error) {
      if (grpcCodeOf(error) !== GRPC.PERMISSION_DENIED) throw error;
    }
  }

  /** Names of some of the topic's subscriptions, without their path. Rejects with NOT_FOUND where it does not exist. */
  async subscriptionsOf(topic: string): Promise<string[]> {
    const [names] = await this.client.publisher.listTopicSubscriptions(
      { topic: this.topicPath(topic), pageSize: 10 },
      { ...this.settings.callOptions, autoPaginate: false },
    );
    return names.map((name) => name.slice(name.lastIndexOf('/') + 1));
  }

  /** What keeps the subscription from getting messages of its topic; undefined: nothing. */
  async defectOf({ topic, subscription }: SubscribeOptions): Promise<SubscriptionDefect | undefined> {
    const name = this.subscriptionPath(subscription);
    try {
      const [found] = await this.client.subscriber.getSubscription(
        { subscription: name },
        this.settings.callOptions,
      );
      if (found.detached === true) return 'detached';
      if (found.topic === DELETED_TOPIC) return 'orphaned';
      return found.topic === this.topicPath(topic) ? undefined : 'foreign';
    } catch (error) {
      if (grpcCodeOf(error) === GRPC.NOT_FOUND) return 'missing';
      throw error;
    }
  }

  /**
   * Resolves when the subscription exists and belongs to the topic.
   * @throws BusError `NOT_FOUND` that names the command which makes it, where we may not
   */
  async ensureSubscription(options: SubscribeOptions): Promise<void> {
    if (await this.subscriptionFits(options)) return;
    if (!this.settings.createMissing) throw this.missingSubscription(options);
    try {
      await this.createSubscription(options);
    } catch (error) {
      if (grpcCodeOf(error) !== GRPC.NOT_FOUND) throw error;
      await this.createTopic(options.topic, options.temporary);
      await this.createSubscription(options);
    }
  }

  private labels(temporary = false): Record<string, string> {
    return { ...this.settings.labels, ...(temporary ? temporaryLabels(this.settings.clock.now()) : {}) };
  }

  missingTopic(topic: string): BusError {
    return new BusError('NOT_FOUND', missingTopicText(topic, this.settings.projectId));
  }

  private missingSubscription({ topic, subscription, expireAfterMs }: SubscribeOptions): BusError {
    const expiry = expireAfterMs === undefined ? 'never' : `${expirySeconds(expireAfterMs)}s`;
    return new BusError(
      'NOT_FOUND',
      `subscription "${subscription}" is missing: make it with \`gcloud pubsub subscriptions create ${subscription} --topic=${topic} --enable-message-ordering --ack-deadline=${ACK_DEADLINE_SECONDS} --expiration-period=${expiry} --project=${this.settings.projectId}\` or allow the service to`,
    );
  }

  private async subscriptionFits({ topic, subscription }: SubscribeOptions): Promise<boolean> {
    const name = this.subscriptionPath(subscription);
    let found;
    try {
      [found] = await this.client.subscriber.getSubscription(
        { subscription: name },
        this.settings.callOptions,
      );
    } catch (error) {
      if (grpcCodeOf(error) === GRPC.NOT_FOUND) return false;
      throw error;
    }
    if (found.topic === DELETED_TOPIC || found.detached === true) {
      if (!this.settings.createMissing) {
        throw new BusError(
          'NOT_FOUND',
          `subscription "${subscription}" has lost its topic: delete it with \`gcloud pubsub subscriptions delete ${subscription} --project=${this.settings.projectId}\` and make it again`,
        );
      }
      await this.client.subscriber.deleteSubscription({ subscription: name }, this.settings.callOptions);
      return false;
    }
    if (found.topic !== this.topicPath(topic)) {
      throw new BusError(
        'INVALID_NAME',
        `subscription "${subscription}" belongs to topic "${found.topic ?? ''}", not to "${topic}"`,
      );
    }
    if (found.enableMessageOrdering !== true) {
      this.settings.logger.warn('bus.subscription.unordered', { topic, subscription });
    }
    return true;
  }

  private async createSubscription(options: SubscribeOptions): Promise<void> {
    const { topic, subscription, expireAfterMs } = options;
    const ttl = expireAfterMs === undefined ? undefined : expirySeconds(expireAfterMs);
    const redelivery = this.settings.redelivery;
    try {
      await this.client.subscriber.createSubscription(
        {
          name: this.subscriptionPath(subscription),
          topic: this.topicPath(topic),
          enableMessageOrdering: true,
          ackDeadlineSeconds: ACK_DEADLINE_SECONDS,
          retryPolicy: {
            minimumBackoff: duration(redelivery.baseMs),
            maximumBackoff: duration(redelivery.maxMs),
          },
          // Without a policy Pub/Sub deletes it after 31 days; one without a time to live means never.
          expirationPolicy: ttl === undefined ? {} : { ttl: { seconds: ttl } },
          // The time to live may not be shorter than the retention.
          messageRetentionDuration: {
            seconds: Math.min(MAX_RETENTION_SECONDS, ttl ?? MAX_RETENTION_SECONDS),
          },
          labels: this.labels(options.temporary),
        },
        this.settings.callOptions,
      );
      this.settings.logger.info('bus.subscription.created', { topic, subscription });
    } catch (error) {
      if (grpcCodeOf(error) !== GRPC.ALREADY_EXISTS) throw error;
    }
  }
}

/** What is wrong where a topic is missing, with the command that makes it. */
export function missingTopicText(topic: string, projectId: string): string {
  return `topic "${topic}" is missing: make it with \`gcloud pubsub topics create ${topic} --project=${projectId}\` or allow the service to`;
}

/** Pub/Sub's shortest time to live is a day. */
const expirySeconds = (ms: number): number => Math.max(DAY_SECONDS, Math.ceil(ms / 1000));

const duration = (ms: number): { seconds: number; nanos: number } => ({
  seconds: Math.floor(ms / 1000),
  nanos: (ms % 1000) * 1_000_000,
});
