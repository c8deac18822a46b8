import { type Clock } from '@bitbrat/foundation';
import { type LeasedMessage } from '../engine/entry.js';
import { type LocalBus } from '../engine/local-bus.js';
import { checkResourceName } from '../engine/resource-rules.js';
import { type PublishedMessage, type SubscriptionResource, type TopicResource } from '../engine/resources.js';
import { StatusError } from '../engine/status-error.js';
import { applyMask, type FieldMask } from './field-mask.js';
import { toTimestamp } from './json-mapping.js';
import { pull } from './pull.js';

/** Answers one call. Throws `StatusError`. */
export type Method = (request: never, signal: AbortSignal) => object | Promise<object>;

/** The most messages of one page or one pull, where the caller names no number. */
const DEFAULT_COUNT = 100;
const MAX_COUNT = 1_000;

interface Page {
  readonly pageSize?: number;
  readonly pageToken?: string;
}

/** Pub/Sub's unary methods by name. A method that is not here is not implemented. */
export function createMethods(bus: LocalBus, clock: Clock): Readonly<Record<string, Method>> {
  const acks = ({ subscription, ackIds = [] }: { subscription: string; ackIds?: string[] }): object => {
    bus.subscription(subscription).acknowledge(ackIds);
    return {};
  };
  return {
    CreateTopic: (topic: TopicResource) => bus.createTopic(topic),
    GetTopic: ({ topic }: { topic: string }) => bus.getTopic(topic),
    UpdateTopic: ({ topic, updateMask }: { topic: TopicResource; updateMask?: FieldMask }) =>
      bus.updateTopic(
        applyMask(bus.getTopic(topic.name), topic, updateMask, ['labels', 'messageRetentionDuration']),
      ),
    ListTopics: ({ project, ...page }: Page & { project: string }) =>
      paged('topics', bus.listTopics(project), page),
    ListTopicSubscriptions: ({ topic, ...page }: Page & { topic: string }) =>
      paged('subscriptions', bus.listTopicSubscriptions(topic), page),
    DeleteTopic: ({ topic }: { topic: string }) => {
      bus.deleteTopic(topic);
      return {};
    },
    Publish: ({ topic, messages = [] }: { topic: string; messages?: PublishedMessage[] }) => ({
      messageIds: bus.publish(topic, messages),
    }),
    DetachSubscription: ({ subscription }: { subscription: string }) => {
      bus.detachSubscription(subscription);
      return {};
    },
    CreateSubscription: (subscription: SubscriptionResource) => bus.createSubscription(subscription),
    GetSubscription: ({ subscription }: { subscription: string }) => bus.getSubscription(subscription),
    UpdateSubscription: ({
      subscription,
      updateMask,
    }: {
      subscription: SubscriptionResource;
      updateMask?: FieldMask;
    }) =>
      bus.updateSubscription(
        applyMask(bus.getSubscription(subscription.name), subscription, updateMask, [
          'ackDeadlineSeconds',
          'labels',
          'messageRetentionDuration',
          'expirationPolicy',
          'deadLetterPolicy',
          'retryPolicy',
        ]),
      ),
    ListSubscriptions: ({ project, ...page }: Page & { project: string }) =>
      paged('subscriptions', bus.listSubscriptions(project), page),
    DeleteSubscription: ({ subscription }: { subscription: string }) => {
      bus.deleteSubscription(subscription);
      return {};
    },
    Acknowledge: acks,
    ModifyAckDeadline: ({
      subscription,
      ackIds = [],
      ackDeadlineSeconds = 0,
    }: {
      subscription: string;
      ackIds?: string[];
      ackDeadlineSeconds?: number;
    }) => {
      bus.subscription(subscription).modifyAckDeadline(ackIds, checkDeadline(ackDeadlineSeconds));
      return {};
    },
    Pull: async (
      request: { subscription: string; maxMessages?: number; returnImmediately?: boolean },
      signal: AbortSignal,
    ) => {
      checkResourceName('subscription', request.subscription);
      const maxMessages = request.maxMessages ?? 0;
      if (maxMessages < 1) throw new StatusError('INVALID_ARGUMENT', 'maxMessages: expected 1 at least');
      const options = {
        maxMessages: Math.min(maxMessages, MAX_COUNT),
        returnImmediately: request.returnImmediately === true,
        signal,
      };
      const messages = await pull(bus.reading(request.subscription), options, clock);
      return { receivedMessages: messages.map(toReceivedMessage) };
    },
  };
}

/** @throws StatusError `INVALID_ARGUMENT` outside of 0 to 600 seconds */
export function checkDeadline(seconds: number): number {
  if (seconds >= 0 && seconds <= 600) return seconds;
  throw new StatusError('INVALID_ARGUMENT', 'the ack deadline: expected 0 to 600 seconds');
}

/** A `google.pubsub.v1.ReceivedMessage`. */
export function toReceivedMessage({ ackId, deliveryAttempt, message }: LeasedMessage): object {
  const { attributes, data, id, orderingKey, publishedAt } = message;
  return {
    ackId,
    deliveryAttempt,
    message: { data, attributes, messageId: id, publishTime: toTimestamp(publishedAt), orderingKey },
  };
}

function paged(
  name: string,
  items: readonly (object | string)[],
  { pageSize = 0, pageToken = '' }: Page,
): object {
  const size = Math.min(pageSize > 0 ? pageSize : DEFAULT_COUNT, MAX_COUNT);
  const start = pageToken === '' ? 0 : Number(pageToken);
  if (!Number.isSafeInteger(start) || start < 0) {
    throw new StatusError('INVALID_ARGUMENT', 'pageToken: expected what the page before gave');
  }
  const end = start + size;
  return {
    [name]: items.slice(start, end),
    ...(end < items.length ? { nextPageToken: String(end) } : {}),
  };
}
