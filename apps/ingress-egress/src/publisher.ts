import { randomBytes } from 'node:crypto';
import { type Clock, type Logger } from '@bitbrat/connectors-core';
import {
  type CodecFault,
  type CodecResult,
  type ConnectorStatus,
  type DeadLetter,
  type EgressOutcome,
  encodeDeadLetter,
  encodeIngress,
  encodeOutcome,
  type EncodedMessage,
  encodeStatus,
  type IngressEnvelope,
  type Topics,
} from '@bitbrat/envelope';
import { type MessageBus } from '@bitbrat/message-bus';
import { toDeadLetter } from './egress/outcomes.js';

export interface PublisherServices {
  readonly bus: MessageBus;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The CloudEvents source of what the service itself says, e.g. `/ingress-egress/{instance}`. */
  readonly source: string;
}

/** Publishes what the service says, each kind on its topic. Resolves when the bus has acknowledged. */
export class Publisher {
  constructor(private readonly services: PublisherServices) {}

  /**
   * An envelope that is too large for the bus becomes a dead letter: its message is then dealt with.
   *
   * Thousands of envelopes may wait for the bus: an async function would keep each beside its encoded form.
   */
  ingress(envelope: IngressEnvelope): Promise<void> {
    const { bus, logger, topics } = this.services;
    const { correlationId, id } = envelope;
    const encoded = encodeIngress(envelope, newTraceparent(correlationId));
    if (!encoded.ok) return this.#refused(envelope, encoded.fault);
    return bus.publish(topics.ingress, encoded.value).then(() => {
      logger.debug('ingress.published', { envelope: id });
    });
  }

  async #refused(envelope: IngressEnvelope, { code, detail }: CodecFault): Promise<void> {
    const { clock, logger, topics } = this.services;
    const data = new TextEncoder().encode(JSON.stringify(envelope));
    const origin = { id: envelope.id, topic: topics.ingress, data, attributes: {} };
    await this.deadLetter(toDeadLetter(origin, { code, message: detail, retryable: false }, 1, clock.now()));
    logger.error('ingress.dead-letter', { envelope: envelope.id, code, reason: detail });
  }

  async outcome(outcome: EgressOutcome, traceparent?: string): Promise<void> {
    const { source, topics } = this.services;
    await this.#publish(topics.outcome, encodeOutcome(outcome, source, traceparent));
  }

  async status(status: ConnectorStatus): Promise<void> {
    const { source, topics } = this.services;
    await this.#publish(topics.status, encodeStatus(status, source));
  }

  async deadLetter(letter: DeadLetter): Promise<void> {
    const { bus, source, topics } = this.services;
    const encoded = encodeDeadLetter(letter, source);
    if (!encoded.ok) throw new Error(`${topics.deadLetter}: ${encoded.fault.detail}`);
    // Without a key: behind letters that wait for an operator, Pub/Sub would hold back the later ones of their key.
    const { attributes, data } = encoded.value;
    await bus.publish(topics.deadLetter, { attributes, data });
  }

  async #publish(topic: string, encoded: CodecResult<EncodedMessage>): Promise<void> {
    if (!encoded.ok) throw new Error(`${topic}: ${encoded.fault.detail}`);
    await this.services.bus.publish(topic, encoded.value);
  }
}

/** A W3C trace context whose trace is the message's: a repeated delivery belongs to the same one. */
function newTraceparent(correlationId: string): string {
  return `00-${correlationId.replaceAll('-', '')}-${randomBytes(8).toString('hex')}-01`;
}
