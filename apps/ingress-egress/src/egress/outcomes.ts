import { type ConnectorError, isoTime, toErrorInfo } from '@bitbrat/connectors-core';
import {
  type DeadLetter,
  type EgressEvent,
  type EgressOutcome,
  type EgressStatus,
  ENVELOPE_VERSION,
  type ErrorInfo,
  MAX_BODY_BYTES,
} from '@bitbrat/envelope';
import { type ReceivedMessage } from '@bitbrat/message-bus';

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

/** What could not be delivered or read, with its original bytes. */
export function toDeadLetter(
  message: Pick<ReceivedMessage, 'id' | 'topic' | 'data' | 'attributes' | 'orderingKey'>,
  error: ErrorInfo,
  attempts: number,
  now: number,
): DeadLetter {
  const kept = message.data.subarray(0, MAX_BODY_BYTES);
  return {
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
    bodyBytes: message.data.byteLength,
    bodyBase64: Buffer.from(kept).toString('base64'),
    truncated: kept.byteLength < message.data.byteLength,
    occurredAt: isoTime(now),
  };
}
