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
