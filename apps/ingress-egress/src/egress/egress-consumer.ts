import { setMaxListeners } from 'node:events';
import { type Clock, type ConnectorManager, type Logger } from '@bitbrat/connectors-core';
import { decodeEgress } from '@bitbrat/envelope';
import {
  type BusSubscription,
  type Disposition,
  type MessageBus,
  type ReceivedMessage,
} from '@bitbrat/message-bus';
import { type Publisher } from '../publisher.js';
import { type RetryLimits } from './ack-policy.js';
import { EarlierSends } from './earlier-sends.js';
import { type DeliveryContext, EventDelivery, sendDeadLetter } from './event-delivery.js';
import { FairShare } from './fair-share.js';
import { Lanes } from './lanes.js';
import { Pacer } from './pacer.js';
import { type SendClaims } from './send-claims.js';

/** An unused egress subscription is removed after a day, the shortest time that Pub/Sub allows. */
const SUBSCRIPTION_EXPIRES_AFTER_MS = 24 * 60 * 60 * 1_000;

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
  readonly #lanes = new Lanes();
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
      clock,
      logger,
      random,
      limits,
      stopping: this.#stopping.signal,
      stopped: this.#stopped.signal,
    };
    // Each destination that waits has one.
    setMaxListeners(0, this.#stopping.signal, this.#stopped.signal);
  }

  async start(): Promise<void> {
    const { topic, maxInFlight } = this.options;
    this.#subscription = await this.services.bus.subscribe(
      { topic, subscription: topic, maxInFlight, expireAfterMs: SUBSCRIPTION_EXPIRES_AFTER_MS },
      (message) => this.handle(message),
    );
  }

  /** Takes nothing new; what is being sent ends, what waits for a retry goes back to the bus. */
  async stop(timeoutMs: number): Promise<void> {
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
    const lane = `${event.target.connector}\n${event.target.destination}`;
    const returns = this.#share.take(lane, message);
    if (returns === undefined) {
      this.services.logger.debug('egress.given-back', { event: event.id });
      return 'nack';
    }
    const earlier = message.attempt - 1 - returns;
    const deliver = (): Promise<Disposition> =>
      new EventDelivery(event, message, earlier, this.#context).run();
    const delivered = this.#lanes.run(lane, deliver);
    return delivered.finally(() => {
      this.#share.release(lane);
    });
  }
}
