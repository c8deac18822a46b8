import { setMaxListeners } from 'node:events';
import { type ConnectorManager, toConnectorError, toErrorInfo } from '@bitbrat/connectors-core';
import { decodeEgress, type EgressEvent } from '@bitbrat/envelope';
import { type Clock, KeyedQueue, type Logger } from '@bitbrat/foundation';
import {
  type BusSubscription,
  type Disposition,
  type MessageBus,
  type ReceivedMessage,
} from '@bitbrat/message-bus';
import { LRUCache } from 'lru-cache';
import { type Publisher } from '../publisher.js';
import { type RetryLimits } from './ack-policy.js';
import { claimKey, EarlierSends } from './earlier-sends.js';
import { type DeliveryContext, EventDelivery, sendDeadLetter } from './event-delivery.js';
import { FairShare } from './fair-share.js';
import { toOutcome } from './outcomes.js';
import { Pacer } from './pacer.js';
import { type SendClaims } from './send-claims.js';

/** An unused egress subscription is removed after a day, the shortest time that Pub/Sub allows. */
const SUBSCRIPTION_EXPIRES_AFTER_MS = 24 * 60 * 60 * 1_000;

/** Exceptions of one message after which it becomes a dead letter, and messages whose exceptions are counted. */
const MAX_EXCEPTIONS = 3;
const REMEMBERED_EXCEPTIONS = 1_000;

/** See `EarlierSendsOptions`. */
export const REPEAT_WINDOW_MS = 15 * 60 * 1_000;

export interface EgressConsumerServices {
  readonly bus: MessageBus;
  readonly manager: ConnectorManager;
  readonly publisher: Publisher;
  readonly claims: SendClaims;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

export interface EgressConsumerOptions {
  /** Full name of this instance's egress topic; the subscription has the same name. */
  readonly topic: string;
  /** The topic belongs to this process alone and is removed at its end. Default false. */
  readonly temporary?: boolean;
  readonly limits: RetryLimits;
  readonly maxInFlight: number;
  /** See `REPEAT_WINDOW_MS`. */
  readonly repeatWindowMs: number;
}

/**
 * Takes egress events off the bus and has them sent: in order per destination, destinations side by side.
 *
 * An event is acknowledged only when its outcome is known and published.
 */
export class EgressConsumer {
  readonly #lanes = new KeyedQueue();
  /** Copies of one event, which may have been published for two destinations, are one event. */
  readonly #copies = new KeyedQueue();
  readonly #exceptions = new LRUCache<string, number>({ max: REMEMBERED_EXCEPTIONS });
  #isCrashing = false;
  readonly #share: FairShare;
  readonly #stopping = new AbortController();
  readonly #stopped = new AbortController();
  readonly #context: DeliveryContext;
  #subscription: BusSubscription | undefined;

  constructor(
    private readonly services: EgressConsumerServices,
    private readonly options: EgressConsumerOptions,
  ) {
    const { claims, clock, logger, manager, publisher, random } = services;
    const { limits, maxInFlight, repeatWindowMs } = options;
    const { giveUpAfterMs } = limits;
    this.#share = new FairShare(maxInFlight, clock);
    this.#context = {
      manager,
      publisher,
      earlierSends: new EarlierSends(claims, clock, { repeatWindowMs, giveUpAfterMs }),
      pacer: new Pacer(clock),
      outcomes: new KeyedQueue(),
      clock,
      logger,
      random,
      limits,
      stopping: this.#stopping.signal,
      stopped: this.#stopped.signal,
      isCrashing: () => this.#isCrashing,
    };
    // Each destination that waits has one.
    setMaxListeners(0, this.#stopping.signal, this.#stopped.signal);
  }

  async start(): Promise<void> {
    const { temporary = false, topic, maxInFlight } = this.options;
    this.#subscription = await this.services.bus.subscribe(
      { topic, subscription: topic, maxInFlight, expireAfterMs: SUBSCRIPTION_EXPIRES_AFTER_MS, temporary },
      (message) => this.handle(message),
    );
  }

  /**
   * Takes nothing new; what is being sent ends, what waits for a retry goes back to the bus.
   * @param isCrash the process ends because of a fault: events that were being tried count as in hand at its death
   */
  async stop(timeoutMs: number, isCrash = false): Promise<void> {
    this.#isCrashing ||= isCrash;
    this.#stopping.abort();
    await this.#subscription?.close(timeoutMs);
    this.#subscription = undefined;
    this.#stopped.abort();
    this.#context.earlierSends.stop();
  }

  /** Destinations with events under way. */
  get activeDestinations(): number {
    return this.#lanes.size;
  }

  /** One delivery, from bytes to `ack` or `nack`. */
  async handle(message: ReceivedMessage): Promise<Disposition> {
    const decoded = decodeEgress(message.data);
    if (!decoded.ok) {
      const { code, detail } = decoded.fault;
      const error = { code, message: detail, retryable: false };
      await sendDeadLetter(this.#context, message, error, message.attempt);
      return 'ack';
    }
    const event = decoded.value;
    this.services.logger.debug('egress.received', { event: event.id, delivery: message.attempt });
    const lane = this.#laneOf(event);
    const returns = this.#share.take(lane, message);
    if (returns === undefined) {
      this.services.logger.debug('egress.given-back', { event: event.id });
      return 'nack';
    }
    const earlierDeliveries = message.attempt - 1 - returns;
    const deliver = async (): Promise<Disposition> => {
      const delivery = new EventDelivery(event, message, earlierDeliveries, this.#context);
      const { disposition, finished } = await this.#lanes.run(lane, () => delivery.run());
      await finished;
      return disposition;
    };
    try {
      return await this.#copies.run(claimKey({ id: event.id, message }), deliver);
    } catch (error) {
      return await this.#onException(event, message, error);
    } finally {
      this.#share.release(lane);
    }
  }

  /** Order is kept per lane. */
  #laneOf({ target: { connector, destination } }: EgressEvent): string {
    return `${connector}\n${this.services.manager.canonicalDestination(connector, destination)}`;
  }

  /** A fault of ours that one event meets again and again is a failure of that event, and holds up no other one. */
  async #onException(event: EgressEvent, message: ReceivedMessage, reason: unknown): Promise<Disposition> {
    const { clock, logger, publisher } = this.services;
    const error = toConnectorError(reason);
    const count = (this.#exceptions.get(message.id) ?? 0) + 1;
    this.#exceptions.set(message.id, count);
    logger.error('egress.exception', { event: event.id, reason: error.message, count });
    if (count < MAX_EXCEPTIONS || this.#stopping.signal.aborted) return 'nack';
    await sendDeadLetter(this.#context, message, toErrorInfo(error), message.attempt);
    const facts = { status: 'unknown', attempts: message.attempt, platformMessageIds: [] } as const;
    await publisher.outcome(toOutcome(event, { ...facts, error, now: clock.now() }));
    return 'ack';
  }
}
