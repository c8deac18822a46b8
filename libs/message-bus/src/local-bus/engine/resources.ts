/** A span as protobuf's `google.protobuf.Duration`: whole seconds and the rest in nanoseconds. */
export interface ProtoDuration {
  readonly seconds?: number;
  readonly nanos?: number;
}

/** A topic as its creator described it (`google.pubsub.v1.Topic`). */
export interface TopicResource {
  /** `projects/P/topics/T`. */
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly messageRetentionDuration?: ProtoDuration;
  readonly messageStoragePolicy?: object;
}

/** A subscription as its creator described it (`google.pubsub.v1.Subscription`). */
export interface SubscriptionResource {
  /** `projects/P/subscriptions/S`. */
  readonly name: string;
  readonly topic: string;
  readonly ackDeadlineSeconds?: number;
  readonly retainAckedMessages?: boolean;
  readonly messageRetentionDuration?: ProtoDuration;
  readonly labels?: Readonly<Record<string, string>>;
  readonly enableMessageOrdering?: boolean;
  readonly expirationPolicy?: { readonly ttl?: ProtoDuration };
  readonly filter?: string;
  readonly deadLetterPolicy?: { readonly deadLetterTopic?: string; readonly maxDeliveryAttempts?: number };
  readonly retryPolicy?: { readonly minimumBackoff?: ProtoDuration; readonly maximumBackoff?: ProtoDuration };
  readonly detached?: boolean;
  readonly enableExactlyOnceDelivery?: boolean;
  /** 1: active. */
  readonly state?: 1;
}

/** A message as a publisher sends it (`google.pubsub.v1.PubsubMessage`). */
export interface PublishedMessage {
  readonly data?: Uint8Array;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly orderingKey?: string;
}

/** A message as the bus keeps it; shared by all subscriptions of its topic, never changed. */
export interface StoredMessage {
  readonly id: string;
  /** Place in the order of publishing, over all topics. */
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
  /** `''`: none. */
  readonly orderingKey: string;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  readonly bytes: number;
}

/** What a deleted topic is called by the subscriptions that it leaves behind. */
export const DELETED_TOPIC = '_deleted-topic_';

export function durationMs(duration: ProtoDuration | undefined): number | undefined {
  if (duration === undefined) return undefined;
  return (duration.seconds ?? 0) * 1000 + (duration.nanos ?? 0) / 1e6;
}
