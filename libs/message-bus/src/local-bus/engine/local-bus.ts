import { type Clock, type Logger } from '@bitbrat/foundation';
import { measureMessage } from '../../message-limits.js';
import { BusError } from '../../message-bus.js';
import { type Entry } from './entry.js';
import { LocalSubscription, type RetentionLimits } from './local-subscription.js';
import { checkResourceName, checkSubscription, checkTopic } from './resource-rules.js';
import {
  DELETED_TOPIC,
  durationMs,
  type PublishedMessage,
  type StoredMessage,
  type SubscriptionResource,
  type TopicResource,
} from './resources.js';
import { StatusError } from './status-error.js';

/** The most messages of one publish request (Pub/Sub documentation, "Quotas and limits"). */
const MAX_MESSAGES_PER_REQUEST = 1_000;

/** A subscription expires after 31 days without use, unless its policy says otherwise. */
const DEFAULT_EXPIRATION_MS = 31 * 86_400_000;

export interface LocalBusOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of each subscription. */
  readonly limits: RetentionLimits;
}

interface Topic {
  resource: TopicResource;
  readonly subscriptions: Set<LocalSubscription>;
}

/** Topics and subscriptions in memory, with the rules of Pub/Sub. Every method throws `StatusError` as Pub/Sub answers. */
export class LocalBus {
  readonly #topics = new Map<string, Topic>();
  readonly #subscriptions = new Map<string, LocalSubscription>();
  readonly #usedAt = new Map<string, number>();
  #sequence = 0;

  constructor(private readonly options: LocalBusOptions) {}

  createTopic(resource: TopicResource): TopicResource {
    checkTopic(resource);
    if (this.#topics.has(resource.name)) throw alreadyExists(resource.name);
    this.#topics.set(resource.name, { resource, subscriptions: new Set() });
    return resource;
  }

  getTopic(name: string): TopicResource {
    return this.#topic(name).resource;
  }

  updateTopic(changed: TopicResource): TopicResource {
    checkTopic(changed);
    const topic = this.#topic(changed.name);
    topic.resource = changed;
    return changed;
  }

  /** @param project `projects/P` */
  listTopics(project: string): TopicResource[] {
    return [...this.#topics.values()].map(({ resource }) => resource).filter(isOf(project));
  }

  /** Names of the subscriptions of a topic. */
  listTopicSubscriptions(name: string): string[] {
    return [...this.#topic(name).subscriptions].map(({ resource }) => resource.name);
  }

  /** Its subscriptions stay, with what they have; their topic is called `_deleted-topic_` from now on. */
  deleteTopic(name: string): void {
    const { subscriptions } = this.#topic(name);
    for (const subscription of subscriptions) {
      subscription.change({ ...subscription.resource, topic: DELETED_TOPIC });
    }
    this.#topics.delete(name);
  }

  createSubscription(asked: SubscriptionResource): SubscriptionResource {
    const resource = checkSubscription(asked);
    this.#removeExpired();
    if (this.#subscriptions.has(resource.name)) throw alreadyExists(resource.name);
    const topic = this.#topic(resource.topic);
    const { clock, limits, logger } = this.options;
    const subscription = new LocalSubscription(resource, {
      clock,
      limits,
      logger,
      deadLetter: (entry, from) => this.#deadLetter(entry, from),
    });
    this.#subscriptions.set(resource.name, subscription);
    topic.subscriptions.add(subscription);
    this.#use(resource.name);
    return resource;
  }

  getSubscription(name: string): SubscriptionResource {
    return this.subscription(name).resource;
  }

  updateSubscription(changed: SubscriptionResource): SubscriptionResource {
    const subscription = this.subscription(changed.name);
    const resource = checkSubscription(changed);
    subscription.change(resource);
    return resource;
  }

  /** @param project `projects/P` */
  listSubscriptions(project: string): SubscriptionResource[] {
    this.#removeExpired();
    return [...this.#subscriptions.values()].map(({ resource }) => resource).filter(isOf(project));
  }

  deleteSubscription(name: string): void {
    this.#remove(this.subscription(name));
  }

  /** The subscription keeps its place and gets nothing any more. */
  detachSubscription(name: string): void {
    const subscription = this.subscription(name);
    subscription.destroy(detached(name));
    subscription.change({ ...subscription.resource, detached: true });
    this.#topics.get(subscription.resource.topic)?.subscriptions.delete(subscription);
  }

  /** @returns ids in the order of the messages; a message to a topic without a subscription is taken and gone */
  publish(topicName: string, messages: readonly PublishedMessage[]): string[] {
    const topic = this.#topic(topicName);
    if (messages.length === 0) throw invalid('the request has no message');
    if (messages.length > MAX_MESSAGES_PER_REQUEST) {
      throw invalid(`the request has ${messages.length} messages, ${MAX_MESSAGES_PER_REQUEST} are allowed`);
    }
    const keys = new Set(messages.map(({ orderingKey }) => orderingKey ?? ''));
    if (keys.size > 1) {
      throw new StatusError(
        'FAILED_PRECONDITION',
        'all messages of one request must have the same ordering key, or none',
      );
    }
    const stored = messages.map((message) => this.#store(message));
    this.#removeExpired();
    for (const message of stored) for (const subscription of topic.subscriptions) subscription.add(message);
    return stored.map(({ id }) => id);
  }

  /** For reading: notes that it is used. */
  reading(name: string): LocalSubscription {
    const subscription = this.subscription(name);
    if (subscription.resource.detached === true) throw detached(name);
    this.#use(name);
    return subscription;
  }

  subscription(name: string): LocalSubscription {
    checkResourceName('subscription', name);
    const found = this.#subscriptions.get(name);
    if (found === undefined || this.#isExpired(found)) throw notFound(name);
    return found;
  }

  close(): void {
    const reason = new StatusError('UNAVAILABLE', 'the local bus is closing');
    for (const subscription of this.#subscriptions.values()) subscription.destroy(reason);
    this.#subscriptions.clear();
    this.#topics.clear();
  }

  #topic(name: string): Topic {
    checkResourceName('topic', name);
    const topic = this.#topics.get(name);
    if (topic === undefined) throw notFound(name);
    return topic;
  }

  #store({ attributes = {}, data = new Uint8Array(), orderingKey = '' }: PublishedMessage): StoredMessage {
    const message = { attributes, data, ...(orderingKey === '' ? {} : { orderingKey }) };
    const bytes = measured(() => measureMessage(message));
    this.#sequence += 1;
    const publishedAt = this.options.clock.now();
    return {
      id: String(this.#sequence),
      sequence: this.#sequence,
      data,
      attributes,
      orderingKey,
      publishedAt,
      bytes,
    };
  }

  /** Attributes as Pub/Sub adds them (its documentation, "Handle message failures"). */
  #deadLetter(
    { deliveries, message }: Entry,
    { deadLetterPolicy, name, topic }: SubscriptionResource,
  ): boolean {
    const deadLetters = this.#topics.get(deadLetterPolicy?.deadLetterTopic ?? '');
    if (deadLetters === undefined) return false;
    const [, project = '', , subscription = ''] = name.split('/');
    const { attributes, data, orderingKey, publishedAt } = message;
    const letter = this.#store({
      data,
      orderingKey,
      attributes: {
        ...attributes,
        CloudPubSubDeadLetterSourceDeliveryCount: String(deliveries),
        CloudPubSubDeadLetterSourceSubscription: subscription,
        CloudPubSubDeadLetterSourceSubscriptionProject: project,
        CloudPubSubDeadLetterSourceTopicPublishTime: new Date(publishedAt).toISOString(),
      },
    });
    for (const reader of deadLetters.subscriptions) reader.add(letter);
    this.options.logger.info('local-bus.dead-letter', { subscription: name, topic, deliveries });
    return true;
  }

  #use(name: string): void {
    this.#usedAt.set(name, this.options.clock.monotonic());
  }

  #isExpired(subscription: LocalSubscription): boolean {
    const { expirationPolicy, name } = subscription.resource;
    const ttlMs =
      expirationPolicy === undefined ? DEFAULT_EXPIRATION_MS : (durationMs(expirationPolicy.ttl) ?? Infinity);
    if (subscription.isUsed) this.#use(name);
    return this.options.clock.monotonic() - (this.#usedAt.get(name) ?? 0) > ttlMs;
  }

  #removeExpired(): void {
    for (const subscription of this.#subscriptions.values()) {
      if (!this.#isExpired(subscription)) continue;
      this.options.logger.info('local-bus.subscription-expired', {
        subscription: subscription.resource.name,
      });
      this.#remove(subscription);
    }
  }

  #remove(subscription: LocalSubscription): void {
    const { name, topic } = subscription.resource;
    subscription.destroy(notFound(name));
    this.#subscriptions.delete(name);
    this.#usedAt.delete(name);
    this.#topics.get(topic)?.subscriptions.delete(subscription);
  }
}

function isOf(project: string): (resource: { readonly name: string }) => boolean {
  if (!/^projects\/[^/]+$/.test(project)) throw invalid(`\`${project}\`: expected projects/{project}`);
  return ({ name }) => name.startsWith(`${project}/`);
}

function measured(measure: () => number): number {
  try {
    return measure();
  } catch (error) {
    throw error instanceof BusError ? invalid(error.message) : error;
  }
}

const invalid = (detail: string): StatusError => new StatusError('INVALID_ARGUMENT', detail);
const notFound = (name: string): StatusError => new StatusError('NOT_FOUND', `there is no ${name}`);
const detached = (name: string): StatusError =>
  new StatusError('FAILED_PRECONDITION', `${name} is detached from its topic`);
const alreadyExists = (name: string): StatusError =>
  new StatusError('ALREADY_EXISTS', `${name} exists already`);
