/** A message to publish. The envelope library's `encode…` functions make one. */
export interface OutgoingMessage {
  readonly data: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
  /** Messages of one topic with one key are delivered in the order in which they were published. */
  readonly orderingKey?: string;
}

/** A message as a subscriber gets it. */
export interface ReceivedMessage {
  /** The bus's id; the same at each redelivery. */
  readonly id: string;
  /** Full name of the topic. */
  readonly topic: string;
  readonly data: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
  readonly orderingKey?: string;
  /** 1 at the first delivery. */
  readonly attempt: number;
  /** When the bus took it, in milliseconds since 1970. */
  readonly publishedAt: number;
}

/** `ack`: done, never again. `nack`: deliver it again after a while. A handler that rejects means `nack`. */
export type Disposition = 'ack' | 'nack';

/** Called once per delivery, in order per ordering key. */
export type MessageHandler = (message: ReceivedMessage) => Promise<Disposition>;

/** How one message is published. */
export interface PublishOptions {
  /**
   * Gives up waiting when aborted: the call rejects. The message may be published all the same.
   */
  readonly signal?: AbortSignal;
}

/** What to subscribe to, and how. */
export interface SubscribeOptions {
  /** Full name of the topic, prefix included. */
  readonly topic: string;
  /** Full name of the subscription. Subscribers of one subscription share its messages. */
  readonly subscription: string;
  /** The most messages that may be with the handler at once. Default 1,000. */
  readonly maxInFlight?: number;
  /** The bus removes the subscription when nobody has used it for so long; never by default. Pub/Sub: a day at least. */
  readonly expireAfterMs?: number;
  /**
   * Topic and subscription are made for this process alone, under a name that no other one uses: they are marked as such, and the
   * mark is renewed while the subscription is open. See `TopicKeeper.discardTemporary` and `sweepTemporary`.
   */
  readonly temporary?: boolean;
}

/** Whether a topic has subscriptions; `unknown` where the bus cannot say, such as without the right to list them. */
export type TopicSubscriptions = 'some' | 'none' | 'unknown';

/** How a topic is kept. */
export interface KeepTopicOptions {
  /**
   * Publishing waits while the topic has no subscription, because the bus would drop the message. It does not wait where that
   * is unknown.
   */
  readonly holdWithoutSubscription?: boolean;
}

/** The second interface of a bus whose topics exist outside of this process. */
export interface TopicKeeper {
  /**
   * Makes the topic, or checks that it exists where the driver may not make it, and again slowly for as long as the bus is open.
   * `checkHealth` reports a topic that is missing. Calling again changes nothing.
   * @throws BusError `INVALID_NAME`, `CLOSED`
   */
  keepTopic(topic: string, options?: KeepTopicOptions): void;
  /** What the last look at a kept topic found; `unknown` before it. Synchronous. */
  subscriptionsOf(topic: string): TopicSubscriptions;
  /** Looks at the topic now. Rejects with the reason where it is missing or the bus does not answer. */
  inspectTopic(topic: string): Promise<TopicSubscriptions>;
  /**
   * Makes a subscription that another program, or nobody yet, reads: from now on it keeps what is published. While the bus is away
   * the call waits and tries again.
   * @throws BusError as `MessageBus.subscribe`
   */
  makeSubscription(options: Pick<SubscribeOptions, 'topic' | 'subscription'>): Promise<void>;
  /**
   * Removes a temporary subscription and its topic. Does nothing and resolves with false where messages may be left in it or the
   * topic has other subscriptions. Close the subscriber first.
   */
  discardTemporary(options: Pick<SubscribeOptions, 'topic' | 'subscription'>): Promise<boolean>;
  /**
   * Removes temporary topics, with their subscription, whose name begins with `topicPrefix` and whose owner has not been there for
   * `unusedForMs`. Resolves with the names of the topics.
   */
  sweepTemporary(topicPrefix: string, unusedForMs: number): Promise<readonly string[]>;
}

/** Whether the bus keeps topics. */
export function isTopicKeeper(bus: MessageBus): bus is MessageBus & TopicKeeper {
  return 'keepTopic' in bus && typeof bus.keepTopic === 'function';
}

/** Subscribing is over when closed; what the handler has in hand is finished first. */
export interface BusSubscription {
  /**
   * No further message is delivered; resolves when the handlers under way have ended and their acks are sent, or
   * after `timeoutMs`: what is not acknowledged then is delivered again to the next subscriber.
   */
  close(timeoutMs: number): Promise<void>;
}

/**
 * How messages travel. At least once, in order per ordering key.
 *
 * Delivery in order means that handlers are *called* in order; a handler need not end before the next is called.
 */
export interface MessageBus {
  /**
   * Resolves with the bus's message id when the bus has acknowledged the message. While the bus is away, or does not let
   * us publish, the call waits and tries again, in order per topic and ordering key; `checkHealth` says why. When
   * `maxInFlight` messages are waiting, further calls wait for room, which is how the bus pushes back.
   *
   * The bytes must not be changed before the call settles.
   * @throws BusError `INVALID_MESSAGE`, `INVALID_NAME`, `CLOSED`, `ABORTED`
   */
  publish(topic: string, message: OutgoingMessage, options?: PublishOptions): Promise<string>;
  /**
   * Resolves when messages published from now on will be delivered. The subscription is made when it is missing, if
   * the driver is allowed to, and made again should it vanish. While the bus is away the call waits and tries again.
   * @throws BusError `NOT_FOUND` (missing, and the driver may not make it), `INVALID_NAME`, `INVALID_MESSAGE` (an option
   * that the bus does not take), `FORBIDDEN`, `UNAVAILABLE` (the bus answers that somebody must mend something first), `CLOSED`
   */
  subscribe(options: SubscribeOptions, handler: MessageHandler): Promise<BusSubscription>;
  /** Resolves when the bus answers; rejects with the reason when it does not within `timeoutMs`. */
  checkHealth(timeoutMs: number): Promise<void>;
  /**
   * No further publish is taken. Resolves when all that were under way are acknowledged, or after `timeoutMs`: those
   * left then reject with `CLOSED`. Subscriptions that are still open are closed, too.
   */
  close(timeoutMs: number): Promise<void>;
}

/**
 * - `INVALID_MESSAGE`: the message breaks a limit of the bus, or the bus refuses it alone while it takes others.
 * - `INVALID_NAME`: no topic or subscription can have this name.
 * - `CLOSED`: the bus was closed.
 * - `ABORTED`: the caller's signal was aborted.
 * - `NOT_FOUND`: a topic or subscription is missing and the driver may not make it.
 * - `FORBIDDEN`: the bus does not allow us to subscribe; a publish waits.
 * - `UNAVAILABLE`: the bus does not answer.
 */
export type BusErrorCode =
  'INVALID_MESSAGE' | 'INVALID_NAME' | 'CLOSED' | 'ABORTED' | 'NOT_FOUND' | 'FORBIDDEN' | 'UNAVAILABLE';

/** The one error that a bus rejects with. */
export class BusError extends Error {
  override readonly name = 'BusError';

  constructor(
    readonly code: BusErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
