import { assertResourceName } from '../../message-limits.js';
import { DEFAULT_ACK_DEADLINE_SECONDS } from './local-subscription.js';
import { compileFilter } from './filter.js';
import { type SubscriptionResource, type TopicResource } from './resources.js';
import { StatusError } from './status-error.js';

/** Fields of a topic that the local bus serves; others are refused by name, so that nobody relies on what is not there. */
const TOPIC_FIELDS = new Set(['name', 'labels', 'messageRetentionDuration', 'messageStoragePolicy', 'state']);

const SUBSCRIPTION_FIELDS = new Set([
  'name',
  'topic',
  'ackDeadlineSeconds',
  'messageRetentionDuration',
  'labels',
  'enableMessageOrdering',
  'expirationPolicy',
  'filter',
  'deadLetterPolicy',
  'retryPolicy',
  'detached',
  'state',
]);

/** `google.pubsub.v1.Subscription.State.ACTIVE`. */
const ACTIVE = 1;

/** Ack deadlines in seconds (`google.pubsub.v1.Subscription.ack_deadline_seconds`). */
const ACK_DEADLINE = { min: 10, max: 600 } as const;
/** `google.pubsub.v1.DeadLetterPolicy.max_delivery_attempts`. */
const DELIVERY_ATTEMPTS = { min: 5, max: 100 } as const;

/** @throws StatusError `INVALID_ARGUMENT` */
export function checkResourceName(kind: 'topic' | 'subscription', name: string): void {
  const [projects, project, kinds, id, ...rest] = name.split('/');
  const isShaped = projects === 'projects' && kinds === `${kind}s` && rest.length === 0;
  if (!isShaped || project === undefined || project === '' || id === undefined) {
    throw new StatusError('INVALID_ARGUMENT', `\`${name}\`: expected projects/{project}/${kind}s/{${kind}}`);
  }
  try {
    assertResourceName(kind, id);
  } catch (error) {
    throw new StatusError('INVALID_ARGUMENT', error instanceof Error ? error.message : String(error));
  }
}

/** @throws StatusError `INVALID_ARGUMENT`, or `UNIMPLEMENTED` that names the field */
export function checkTopic(resource: TopicResource): void {
  checkResourceName('topic', resource.name);
  refuseOthers('a topic', resource, TOPIC_FIELDS);
}

/**
 * @returns the subscription with what Pub/Sub fills in
 * @throws StatusError `INVALID_ARGUMENT`, or `UNIMPLEMENTED` that names the field
 */
export function checkSubscription(resource: SubscriptionResource): SubscriptionResource {
  checkResourceName('subscription', resource.name);
  refuseOthers('a subscription', resource, SUBSCRIPTION_FIELDS);
  compileFilter(resource.filter ?? '');
  const asked = resource.ackDeadlineSeconds ?? 0;
  const ackDeadlineSeconds = asked === 0 ? DEFAULT_ACK_DEADLINE_SECONDS : asked;
  checkRange('ackDeadlineSeconds', ackDeadlineSeconds, ACK_DEADLINE);
  const { deadLetterPolicy } = resource;
  if (deadLetterPolicy !== undefined) {
    checkResourceName('topic', deadLetterPolicy.deadLetterTopic ?? '');
    const attempts = deadLetterPolicy.maxDeliveryAttempts ?? 0;
    const maxDeliveryAttempts = attempts === 0 ? DELIVERY_ATTEMPTS.min : attempts;
    checkRange('deadLetterPolicy.maxDeliveryAttempts', maxDeliveryAttempts, DELIVERY_ATTEMPTS);
    return {
      ...resource,
      ackDeadlineSeconds,
      state: ACTIVE,
      deadLetterPolicy: { ...deadLetterPolicy, maxDeliveryAttempts },
    };
  }
  return { ...resource, ackDeadlineSeconds, state: ACTIVE };
}

function refuseOthers(what: string, resource: object, served: ReadonlySet<string>): void {
  for (const [field, value] of Object.entries(resource) as [string, unknown][]) {
    if (served.has(field) || isUnset(value)) continue;
    throw new StatusError('UNIMPLEMENTED', `the local bus has no \`${field}\` of ${what}`);
  }
}

/** Clients send empty push settings with every subscription. */
function isUnset(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isUnset);
  return value === undefined || value === null || value === '' || value === false || value === 0;
}

function checkRange(field: string, value: number, { min, max }: { min: number; max: number }): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new StatusError('INVALID_ARGUMENT', `${field}: expected ${min} to ${max}`);
}
