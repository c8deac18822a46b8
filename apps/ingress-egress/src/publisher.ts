import { randomBytes } from 'node:crypto';
import {
  type CodecResult,
  type ConnectorStatus,
  type DeadLetter,
  type EgressOutcome,
  encodeDeadLetter,
  encodeIngress,
  encodeOutcome,
  encodeStatus,
  type IngressEnvelope,
  type Topics,
} from '@bitbrat/envelope';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { BusError, type BusErrorCode, type MessageBus, type OutgoingMessage } from '@bitbrat/message-bus';
import { fitOutcome, shorten, withoutBody } from './egress/fitting.js';
import { toDeadLetter } from './egress/outcomes.js';

/** Code of a dead letter whose envelope the bus has refused while it took others. */
const REFUSED_BY_BUS = 'REFUSED_BY_BUS';

export interface PublisherServices {
  readonly bus: Pick<MessageBus, 'publish'>;
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
   * An envelope that the bus cannot take becomes a dead letter: it is too large, or the bus refuses it for good. Its message
   * is then dealt with.
   *
   * Thousands of envelopes may wait for the bus: an async function would keep each beside its encoded form.
   */
  ingress(envelope: IngressEnvelope): Promise<void> {
    const { bus, logger, topics } = this.services;
    const { correlationId, id } = envelope;
    const encoded = encodeIngress(envelope, newTraceparent(correlationId));
    if (!encoded.ok) return this.#refused(envelope, encoded.fault);
    return bus.publish(topics.ingress, encoded.value).then(
      () => {
        logger.debug('ingress.published', { envelope: id });
      },
      (error: unknown) => {
        if (!(error instanceof BusError) || error.code !== 'INVALID_MESSAGE') throw error;
        return this.#refused(envelope, { code: REFUSED_BY_BUS, detail: error.message });
      },
    );
  }

  async #refused(
    envelope: IngressEnvelope,
    { code, detail }: { readonly code: string; readonly detail: string },
  ): Promise<void> {
    const { clock, logger, topics } = this.services;
    const data = new TextEncoder().encode(JSON.stringify(envelope));
    const origin = { id: envelope.id, topic: topics.ingress, data, attributes: {} };
    await this.deadLetter(toDeadLetter(origin, { code, message: detail, retryable: false }, 1, clock.now()));
    logger.error('ingress.dead-letter', { envelope: envelope.id, code, reason: detail });
  }

  /** An outcome that the bus refuses for good is logged and given up: the event must not be tried again for it. */
  async outcome(outcome: EgressOutcome, traceparent?: string): Promise<void> {
    const { logger, source, topics } = this.services;
    let encoded = encodeOutcome(outcome, source, traceparent);
    if (!encoded.ok) encoded = encodeOutcome(fitOutcome(outcome), source, traceparent);
    const reason = await this.#refusal(topics.outcome, encoded);
    if (reason === undefined) return;
    logger.error('outcome.refused', { event: outcome.eventId, status: outcome.status, reason });
  }

  /** As `outcome`. */
  async status(status: ConnectorStatus): Promise<void> {
    const { logger, source, topics } = this.services;
    let encoded = encodeStatus(status, source);
    if (!encoded.ok) encoded = encodeStatus(shorten(status), source);
    const reason = await this.#refusal(topics.status, encoded);
    if (reason === undefined) return;
    logger.error('status.refused', { connector: status.connector, state: status.state, reason });
  }

  /** A letter that the bus refuses for good is published without its body and attributes; refused again, it is logged. */
  async deadLetter(letter: DeadLetter): Promise<void> {
    const { logger, topics } = this.services;
    const reason = await this.#refusal(topics.deadLetter, this.#encodeLetter(letter));
    if (reason === undefined) return;
    const { bodyBytes, bodySha256, error, id } = letter;
    logger.error('dead-letter.refused', { letter: id, code: error.code, bodyBytes, bodySha256, reason });
    const again = await this.#refusal(topics.deadLetter, this.#encodeLetter(withoutBody(letter)));
    if (again !== undefined)
      logger.error('dead-letter.lost', { letter: id, code: error.code, reason: again });
  }

  #encodeLetter(letter: DeadLetter): CodecResult<OutgoingMessage> {
    const encoded = encodeDeadLetter(letter, this.services.source);
    if (!encoded.ok) return encoded;
    // Without a key: behind letters that wait for an operator, Pub/Sub would hold back the later ones of their key.
    const { attributes, data } = encoded.value;
    return { ok: true, value: { attributes, data } };
  }

  /**
   * Publishes. @returns why the message can never be published; undefined where the bus has it
   * @throws BusError where only the present moment is against it
   */
  async #refusal(topic: string, encoded: CodecResult<OutgoingMessage>): Promise<string | undefined> {
    if (!encoded.ok) return encoded.fault.detail;
    try {
      await this.services.bus.publish(topic, encoded.value);
      return undefined;
    } catch (error) {
      if (error instanceof BusError && FINAL_CODES.has(error.code)) return error.message;
      throw error;
    }
  }
}

/** The same message will never be taken. */
const FINAL_CODES: ReadonlySet<BusErrorCode> = new Set<BusErrorCode>(['INVALID_MESSAGE', 'INVALID_NAME']);

/** A W3C trace context whose trace is the message's: a repeated delivery belongs to the same one. */
function newTraceparent(correlationId: string): string {
  return `00-${correlationId.replaceAll('-', '')}-${randomBytes(8).toString('hex')}-01`;
}
