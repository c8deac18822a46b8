import { type StoredMessage } from './resources.js';
import { type StatusError } from './status-error.js';

/** Who takes messages of a subscription: a stream, or one pull. */
export interface Consumer {
  /** Whether it takes another message of `bytes` now. */
  hasRoom(bytes: number): boolean;
  /** For how long it gets a message, in milliseconds. */
  readonly ackDeadlineMs: number;
  /** A message of `bytes` counts as outstanding from now on; `deliver` follows. */
  reserve(bytes: number): void;
  /** Takes messages in the order of delivery, all of one round at once. */
  deliver(messages: readonly LeasedMessage[]): void;
  /** A message that it had no longer counts as outstanding: acknowledged, given back, or its deadline passed. */
  released(bytes: number): void;
  /** The subscription is gone; nothing more comes. */
  ended(reason: StatusError): void;
}

/** A message as it is handed out. */
export interface LeasedMessage {
  readonly ackId: string;
  readonly message: StoredMessage;
  /** From 1; 0 where the subscription has no dead-letter policy, because Pub/Sub counts only then. */
  readonly deliveryAttempt: number;
}

/** The time for which a consumer has a message. */
export interface Lease {
  readonly number: number;
  readonly consumer: Consumer;
  /** On the monotonic clock, in milliseconds. */
  deadlineAt: number;
}

/**
 * One message of one subscription.
 *
 * `acked` entries are kept while an earlier one of their ordering key is not: if that one is delivered again, so are they
 * (Pub/Sub documentation, "Order messages").
 */
export interface Entry {
  readonly message: StoredMessage;
  state: 'ready' | 'waiting' | 'leased' | 'acked' | 'gone';
  deliveries: number;
  lease: Lease | undefined;
  /** Number of the lease whose deadline passed: its late acknowledgement still counts. */
  expiredLease: number | undefined;
}

export function newEntry(message: StoredMessage): Entry {
  return { message, state: 'ready', deliveries: 0, lease: undefined, expiredLease: undefined };
}
