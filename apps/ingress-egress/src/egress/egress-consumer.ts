import { setMaxListeners } from 'node:events';
import {
  type Clock,
  type ConnectorManager,
  isoTime,
  type Logger,
  sleep,
  toConnectorError,
  toErrorInfo,
} from '@bitbrat/connectors-core';
import { decodeEgress, type EgressEvent, type ErrorInfo } from '@bitbrat/envelope';
import {
  type BusSubscription,
  type Disposition,
  type MessageBus,
  type ReceivedMessage,
} from '@bitbrat/message-bus';
import { LRUCache } from 'lru-cache';
import { REPLAY_OF } from '../dead-letters/replay.js';
import { type Publisher } from '../publisher.js';
import {
  countsAsAttempt,
  decide,
  isLookedForLater,
  LOST_ANSWER_MS,
  type RetryLimits,
  type SendResult,
} from './ack-policy.js';
import { Lanes } from './lanes.js';
import { type OutcomeFacts, toDeadLetter, toOutcome } from './outcomes.js';
import { Pacer } from './pacer.js';
import { type EarlierSend, type SendClaims } from './send-claims.js';

/** Ids of sent events that are remembered, so that an event published twice is sent once. Failed ones are not: they may be replayed. */
const SENT_EVENTS = 50_000;

/** An unused egress subscription is removed after a day, the shortest time that Pub/Sub allows. */
const SUBSCRIPTION_EXPIRES_AFTER_MS = 24 * 60 * 60 * 1_000;

/**
 * For so long after its start a process takes any event for one that an earlier process may have sent: bots repeat an event when
 * they have not heard of its outcome, or when the envelope that it answers comes again.
 */
export const REPEAT_WINDOW_MS = 15 * 60 * 1_000;

/** Milliseconds between two questions whether an event was sent, to a store that does not answer. */
const CLAIM_RETRY_MS = 1_000;

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
  readonly #sent = new LRUCache<string, true>({ max: SENT_EVENTS });
  readonly #stopping = new AbortController();
  readonly #stopped = new AbortController();
  readonly #startedAt: number;
  /** Measures the repeat window. */
  readonly #startedMark: number;
  readonly #pacer: Pacer;
  #subscription: BusSubscription | undefined;

  constructor(
    private readonly services: EgressConsumerServices,
    private readonly options: EgressConsumerOptions,
  ) {
    this.#startedAt = services.clock.now();
    this.#startedMark = services.clock.monotonic();
    this.#pacer = new Pacer(services.clock);
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
    this.services.claims.stop();
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
      await this.#deadLetter(message, { code, message: detail, retryable: false }, message.attempt);
      return 'ack';
    }
    const event = decoded.value;
    const lane = `${event.target.connector}\n${event.target.destination}`;
    return this.#lanes.run(lane, () => this.#deliver(event, message));
  }

  async #deliver(event: EgressEvent, message: ReceivedMessage): Promise<Disposition> {
    const { clock, logger, random } = this.services;
    const { limits } = this.options;
    if (this.#sent.has(event.id)) {
      logger.info('egress.duplicate', { event: event.id });
      return 'ack';
    }
    const takenAt = clock.monotonic();
    const earlier = message.attempt - 1;
    const isReplay = message.attributes[REPLAY_OF] !== undefined;
    const protection = this.services.manager.capabilitiesOf(event.target.connector)?.duplicateProtection;
    let counted = 0;
    let tries = 0;
    // A dead letter may have been sent before it became one: its answer was lost.
    let tried = earlier > 0 || isReplay;
    let hasBegun = false;
    if (protection === 'none') {
      const left = await this.#claim(event, message, isReplay);
      if (left === 'done') return 'ack';
      if (left === 'unavailable' && this.#stopping.signal.aborted) return 'nack';
      if (left !== 'none') return this.#settle(event, message, { status: 'unknown', attempts: earlier });
    }
    if (protection === 'lookup') await this.#letEarlierTryEnd(message);
    for (;;) {
      await this.#pace(event);
      if (this.#stopping.signal.aborted) {
        // Of what has begun nobody can tell how much stands.
        if (!hasBegun) await this.services.claims.release(event.id);
        return 'nack';
      }
      const expiresAt = event.expiresAt === undefined ? undefined : Date.parse(event.expiresAt);
      if (expiresAt !== undefined && expiresAt <= clock.now()) {
        return this.#settle(event, message, {
          status: tried ? 'unknown' : 'expired',
          attempts: earlier + counted,
        });
      }
      const result = await this.#send(event, tried || this.#mayBeRepeated(message));
      tries += 1;
      if (result.ok || countsAsAttempt(result.error)) counted += 1;
      const decision = decide(
        {
          result,
          attempts: counted,
          tries,
          elapsedMs: clock.monotonic() - takenAt,
          expiresInMs: expiresAt === undefined ? undefined : expiresAt - clock.now(),
          protection,
        },
        limits,
        random,
      );
      if (!result.ok) hasBegun ||= result.error.ambiguous || result.error.sentMessageIds.length > 0;
      tried ||= hasBegun;
      if (decision.kind === 'settle') {
        return this.#settle(
          event,
          message,
          {
            status: decision.status === 'expired' && tried ? 'unknown' : decision.status,
            attempts: earlier + counted,
            result,
          },
          decision.deadLetter,
        );
      }
      if (!result.ok) {
        const { code } = result.error;
        logger.warn('egress.retry', { event: event.id, code, tries, delayMs: decision.delayMs });
      }
      // Given back sooner, an event would be looked for by the next process before its message can be found.
      const isLost = !result.ok && isLookedForLater(result.error, protection);
      await sleep(clock, decision.delayMs, isLost ? this.#stopped.signal : this.#stopping.signal);
    }
  }

  /** What the process before this one was sending when it ended, the platform may still be at work on. */
  async #letEarlierTryEnd({ publishedAt }: ReceivedMessage): Promise<void> {
    if (publishedAt >= this.#startedAt) return;
    const { clock } = this.services;
    const leftMs = this.#startedMark + LOST_ANSWER_MS - clock.monotonic();
    if (leftMs > 0) await sleep(clock, leftMs, this.#stopping.signal);
  }

  /** Claims the event. One that an earlier process may have sent waits for a store that does not answer. */
  async #claim(event: EgressEvent, message: ReceivedMessage, isReplay: boolean): Promise<EarlierSend> {
    const { claims, clock } = this.services;
    const deadline = clock.monotonic() + this.options.limits.giveUpAfterMs;
    const isNew = message.attempt === 1 && !this.#mayBeRepeated(message);
    // Who replays a dead letter has decided that it shall be sent, come what may.
    let left = isReplay ? undefined : await claims.begin(event.id);
    while (left === 'unavailable' && !isNew) {
      if (clock.monotonic() >= deadline || this.#stopping.signal.aborted) return left;
      await sleep(clock, CLAIM_RETRY_MS, this.#stopping.signal);
      left = await claims.begin(event.id);
    }
    if (left !== undefined && left !== 'unavailable') return left;
    await claims.claim(event.id);
    return 'none';
  }

  /** Whether an earlier process may have sent it: this one remembers only what it has sent itself. */
  #mayBeRepeated({ publishedAt }: ReceivedMessage): boolean {
    const { clock } = this.services;
    const runningMs = clock.monotonic() - this.#startedMark;
    return publishedAt < this.#startedAt || runningMs < this.options.repeatWindowMs;
  }

  async #pace({ target: { connector, destination } }: EgressEvent): Promise<void> {
    const rates = this.services.manager.capabilitiesOf(connector)?.rates;
    await this.#pacer.wait(connector, destination, rates, this.#stopping.signal);
  }

  async #send(event: EgressEvent, mayHaveBeenSent: boolean): Promise<SendResult> {
    const { connector, destination } = event.target;
    try {
      const receipt = await this.services.manager.sendText(connector, event.text, destination, {
        idempotencyKey: event.id,
        mayHaveBeenSent,
        correlationId: event.correlationId,
        attachments: event.attachments,
        ...(event.inReplyTo === undefined ? {} : { inReplyTo: event.inReplyTo }),
      });
      return { ok: true, receipt };
    } catch (error) {
      return { ok: false, error: toConnectorError(error) };
    }
  }

  async #settle(
    event: EgressEvent,
    message: ReceivedMessage,
    facts: Pick<OutcomeFacts, 'status' | 'attempts'> & { result?: SendResult },
    deadLetter = false,
  ): Promise<Disposition> {
    const { clock, logger, publisher } = this.services;
    const { status, attempts, result } = facts;
    const error = result?.ok === false ? result.error : undefined;
    const platformMessageIds =
      result?.ok === true ? result.receipt.platformMessageIds : (error?.sentMessageIds ?? []);
    if (status === 'sent') this.#sent.set(event.id, true);
    if (deadLetter && error !== undefined) {
      await this.#deadLetter(message, toErrorInfo(error), attempts);
    }
    const outcome = toOutcome(event, { status, attempts, platformMessageIds, error, now: clock.now() });
    await publisher.outcome(outcome, message.attributes['traceparent']);
    await this.services.claims.end(event.id);
    logger.info(`egress.${status}`, {
      event: event.id,
      connector: event.target.connector,
      attempts,
      ...(error === undefined ? {} : { code: error.code }),
    });
    return 'ack';
  }

  async #deadLetter(message: ReceivedMessage, error: ErrorInfo, attempts: number): Promise<void> {
    const { clock, logger, publisher } = this.services;
    const now = clock.now();
    await publisher.deadLetter(toDeadLetter(message, error, attempts, now));
    logger.error('egress.dead-letter', {
      message: message.id,
      topic: message.topic,
      code: error.code,
      reason: error.message,
      publishedAt: isoTime(message.publishedAt),
    });
  }
}
