import { type ErrorInfo, type IngressEnvelope } from '@bitbrat/envelope';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { type ConnectorError } from './connector-error.js';
import { type ConnectorState } from './connector-state.js';

/** Remembers by key how far a connector has read, for platforms that do not keep it for us. */
export interface CursorStore {
  /** Rejects when the store cannot be reached. */
  load(key: string): Promise<string | undefined>;
  /** Resolves when the value is durable. */
  save(key: string, value: string): Promise<void>;
}

/** What the platform has told, after it had accepted a message, about one part of it. */
export interface DeliveryReceipt {
  /** The idempotency key that the message was sent with. */
  readonly eventId: string;
  /** As it was given with the message; undefined where it was not. */
  readonly correlationId?: string;
  /** From 1. */
  readonly part: number;
  /** Into how many messages of the platform the text was split. */
  readonly parts: number;
  /** What the message was sent to. */
  readonly destination: string;
  readonly platformMessageId: string;
  readonly status: 'delivered' | 'read' | 'failed';
  /** Why it was not delivered; with `failed` alone. */
  readonly error?: ErrorInfo;
  /** RFC 3339, UTC. */
  readonly occurredAt: string;
}

/** All that a connector gets besides its config. */
export interface ConnectorHost {
  /**
   * Resolves when the bus has acknowledged the envelope; only then may a cursor move past it. Waits as long as the
   * bus is away; rejects only when the envelope can never be published or the service stops. Calls for one channel
   * are published in the order of the calls, and many may be under way at once.
   */
  publish(envelope: IngressEnvelope): Promise<void>;
  /**
   * Resolves when the bus has acknowledged what became of the message; only then may the platform be told that it need not tell again. Waits as
   * long as the bus is away. The same receipt may be reported more than once. Undefined: nobody wants to know.
   */
  receiptReceived?(receipt: DeliveryReceipt): Promise<void>;
  /**
   * To be called at each change of state, in order. Resolves to whether the bus has acknowledged it, which takes as long as the bus is away: a
   * connector that must not forget the gap in a state keeps it until then. Never rejects.
   * @param error with `failed`: the error itself. It knows its failure class and how long the platform asks to wait.
   */
  stateChanged(state: ConnectorState, error?: ConnectorError): Promise<boolean>;
  readonly cursors: CursorStore;
  readonly logger: Logger;
  readonly clock: Clock;
  /** What answers are published to: the envelope's `replyTo.topic`. */
  readonly egressTopic: string;
}
