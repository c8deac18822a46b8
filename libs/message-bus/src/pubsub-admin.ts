import { BusError, type SubscribeOptions } from './message-bus.js';
import { type PubSubClient } from './pubsub-client.js';
import { GRPC, grpcCodeOf } from './pubsub-errors.js';
import { type PubSubSettings } from './pubsub-options.js';

const DAY_SECONDS = 86_400;
/** Longest retention of a subscription and what Pub/Sub itself uses ("Subscription properties"). */
const MAX_RETENTION_SECONDS = 7 * DAY_SECONDS;
/** Seconds until an unacknowledged message of a reader that died without a word is delivered again. */
export const ACK_DEADLINE_SECONDS = 20;
/** What a subscription's topic is called once it was deleted. */
const DELETED_TOPIC = '_deleted-topic_';

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

  /** Resolves when the topic exists, whoever made it. */
  async createTopic(topic: string): Promise<void> {
    const name = this.topicPath(topic);
    try {
      await this.client.publisher.createTopic(
        { name, labels: { ...this.settings.labels } },
        this.settings.callOptions,
      );
      this.settings.logger.info('bus.topic.created', { topic });
    } catch (error) {
      if (grpcCodeOf(error) !== GRPC.ALREADY_EXISTS) throw error;
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
      await this.createTopic(options.topic);
      await this.createSubscription(options);
    }
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
    if (found.topic === DELETED_TOPIC) {
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

  private async createSubscription({ topic, subscription, expireAfterMs }: SubscribeOptions): Promise<void> {
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
            minimumBackoff: duration(redelivery.minMs),
            maximumBackoff: duration(redelivery.maxMs),
          },
          // Without a policy Pub/Sub deletes it after 31 days; one without a time to live means never.
          expirationPolicy: ttl === undefined ? {} : { ttl: { seconds: ttl } },
          // The time to live may not be shorter than the retention.
          messageRetentionDuration: {
            seconds: Math.min(MAX_RETENTION_SECONDS, ttl ?? MAX_RETENTION_SECONDS),
          },
          labels: { ...this.settings.labels },
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
