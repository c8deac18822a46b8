import { type ConnectorError, type DeliveryReceipt, toErrorInfo } from '@bitbrat/connectors-core';
import {
  type DeadLetter,
  type EgressEvent,
  type EgressOutcome,
  type EgressStatus,
  ENVELOPE_VERSION,
  type ErrorInfo,
} from '@bitbrat/envelope';
import { isoTime } from '@bitbrat/foundation';
import { type ReceivedMessage } from '@bitbrat/message-bus';
import { withBody } from './fitting.js';

export interface OutcomeFacts {
  readonly status: EgressStatus;
  readonly attempts: number;
  readonly platformMessageIds: readonly string[];
  readonly error: ConnectorError | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function toOutcome(event: EgressEvent, facts: OutcomeFacts): EgressOutcome {
  return {
    v: ENVELOPE_VERSION,
    id: `${event.id}:${facts.status}`,
    type: 'chat.outcome.v1',
    eventId: event.id,
    correlationId: event.correlationId,
    status: facts.status,
    target: event.target,
    platformMessageIds: [...facts.platformMessageIds],
    attempts: facts.attempts,
    ...(facts.error === undefined ? {} : { error: toErrorInfo(facts.error) }),
    occurredAt: isoTime(facts.now),
  };
}

/**
 * What the platform told later about a message that it had accepted: one outcome for each message that the text was split into. How often
 * sending was tried is not known any more: 0. An event whose correlation id the platform does not give back stands for itself.
 */
export function toReceiptOutcome(connector: string, receipt: DeliveryReceipt): EgressOutcome {
  const { destination, error, eventId, occurredAt, part, parts, platformMessageId, status } = receipt;
  return {
    v: ENVELOPE_VERSION,
    id: parts > 1 ? `${eventId}:${status}:${part}` : `${eventId}:${status}`,
    type: 'chat.outcome.v1',
    eventId,
    correlationId: receipt.correlationId ?? eventId,
    status,
    target: { connector, destination },
    platformMessageIds: [platformMessageId],
    attempts: 0,
    ...(error === undefined ? {} : { error }),
    occurredAt,
  };
}

/** What could not be delivered or read, with its original bytes as far as they fit. */
export function toDeadLetter(
  message: Pick<ReceivedMessage, 'id' | 'topic' | 'data' | 'attributes' | 'orderingKey'>,
  error: ErrorInfo,
  attempts: number,
  now: number,
): DeadLetter {
  const letter: DeadLetter = {
    v: ENVELOPE_VERSION,
    id: `${message.topic}:${message.id}`,
    type: 'deadletter.v1',
    error,
    attempts,
    origin: {
      topic: message.topic,
      messageId: message.id,
      attributes: { ...message.attributes },
      ...(message.orderingKey === undefined ? {} : { orderingKey: message.orderingKey }),
    },
    bodyBytes: 0,
    bodyBase64: '',
    truncated: false,
    occurredAt: isoTime(now),
  };
  return withBody(letter, message.data);
}
