import { type SubscribeOptions } from '../message-bus.js';
import { type PubSubClient } from './pubsub-client.js';
import { GRPC, grpcCodeOf } from './pubsub-errors.js';
import { type PubSubSettings } from './pubsub-options.js';

/** Label of topics and subscriptions that belong to one process: when it was last there, in seconds since 1970. */
const LAST_USED = 'bitbrat-temporary-last-used';

/** Looks for messages that are left, because one pull may find none although there are some. */
const PULLS = 3;

/** The labels of a temporary topic or subscription that is in use now. */
export function temporaryLabels(now: number): Record<string, string> {
  return { [LAST_USED]: String(Math.floor(now / 1000)) };
}

type Names = Pick<SubscribeOptions, 'topic' | 'subscription'>;
type Labels = Readonly<Record<string, string>> | null | undefined;

/** Topics and subscriptions of one process: marks, removes and sweeps them. Rejects with what the service answered. */
export class TemporaryTopics {
  constructor(
    private readonly client: PubSubClient,
    private readonly settings: PubSubSettings,
  ) {}

  /** Renews the mark of both. */
  async touch({ topic, subscription }: Names): Promise<void> {
    const labels = { ...this.settings.labels, ...temporaryLabels(this.settings.clock.now()) };
    const updateMask = { paths: ['labels'] };
    await this.client.publisher.updateTopic(
      { topic: { name: this.topicPath(topic), labels }, updateMask },
      this.settings.callOptions,
    );
    await this.client.subscriber.updateSubscription(
      { subscription: { name: this.subscriptionPath(subscription), labels }, updateMask },
      this.settings.callOptions,
    );
  }

  /** Removes both where no message is left. Whether it did. */
  async discard(names: Names): Promise<boolean> {
    if (!(await this.isAlone(names)) || !(await this.isEmpty(names.subscription))) return false;
    await this.remove(names);
    return true;
  }

  /** Removes those of `topicPrefix` that were not used for `unusedForMs`; resolves with their names. */
  async sweep(topicPrefix: string, unusedForMs: number): Promise<string[]> {
    const before = (this.settings.clock.now() - unusedForMs) / 1000;
    const isLeftOver = (labels: Labels): boolean => {
      const lastUsed = labels?.[LAST_USED];
      return lastUsed !== undefined && Number(lastUsed) < before;
    };
    const prefix = this.topicPath(topicPrefix);
    const swept: string[] = [];
    const topics = this.client.publisher.listTopicsAsync(
      { project: `projects/${this.settings.projectId}` },
      this.settings.callOptions,
    );
    for await (const { name, labels } of topics) {
      if (typeof name !== 'string' || !name.startsWith(prefix) || !isLeftOver(labels)) continue;
      const topic = name.slice(this.topicPath('').length);
      const names = { topic, subscription: topic };
      // Marks are renewed on both, one after the other: the owner is gone only where both are old.
      if (!(await this.isAlone(names)) || !(await this.isGone(topic, isLeftOver))) continue;
      await this.remove(names);
      swept.push(topic);
    }
    return swept;
  }

  /** Whether the topic has no subscription but its own. */
  private async isAlone({ topic, subscription }: Names): Promise<boolean> {
    const [others] = await this.client.publisher.listTopicSubscriptions(
      { topic: this.topicPath(topic), pageSize: 10 },
      { ...this.settings.callOptions, autoPaginate: false },
    );
    return others.every((name) => name === this.subscriptionPath(subscription));
  }

  /** Whether the subscription is left over, too, or was removed by Pub/Sub itself. */
  private async isGone(subscription: string, isLeftOver: (labels: Labels) => boolean): Promise<boolean> {
    try {
      const [found] = await this.client.subscriber.getSubscription(
        { subscription: this.subscriptionPath(subscription) },
        this.settings.callOptions,
      );
      return isLeftOver(found.labels);
    } catch (error) {
      return ignoreMissing(error, true);
    }
  }

  private async isEmpty(subscription: string): Promise<boolean> {
    const path = this.subscriptionPath(subscription);
    for (let pull = 0; pull < PULLS; pull++) {
      const [{ receivedMessages }] = await this.client.subscriber.pull(
        { subscription: path, maxMessages: 1, returnImmediately: true },
        this.settings.callOptions,
      );
      const ackIds = (receivedMessages ?? []).flatMap(({ ackId }) => (ackId ? [ackId] : []));
      if (ackIds.length === 0) continue;
      await this.client.subscriber.modifyAckDeadline(
        { subscription: path, ackIds, ackDeadlineSeconds: 0 },
        this.settings.callOptions,
      );
      return false;
    }
    return true;
  }

  private async remove({ topic, subscription }: Names): Promise<void> {
    // The topic first: what is published from then on is refused, and not lost in between.
    await this.client.publisher
      .deleteTopic({ topic: this.topicPath(topic) }, this.settings.callOptions)
      .catch((error: unknown) => ignoreMissing(error, undefined));
    await this.client.subscriber
      .deleteSubscription({ subscription: this.subscriptionPath(subscription) }, this.settings.callOptions)
      .catch((error: unknown) => ignoreMissing(error, undefined));
    this.settings.logger.info('bus.topic.removed', { topic });
  }

  private topicPath(topic: string): string {
    return `projects/${this.settings.projectId}/topics/${topic}`;
  }

  private subscriptionPath(subscription: string): string {
    return `projects/${this.settings.projectId}/subscriptions/${subscription}`;
  }
}

function ignoreMissing<T>(error: unknown, result: T): T {
  if (grpcCodeOf(error) === GRPC.NOT_FOUND) return result;
  throw error;
}
