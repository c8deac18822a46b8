import {
  type ConnectorCapabilities,
  ConnectorError,
  type ConnectorManager,
  toConnectorError,
  toErrorInfo,
} from '@bitbrat/connectors-core';
import { type EgressEvent, type EgressStatus, type ErrorInfo } from '@bitbrat/envelope';
import { type Clock, isoTime, type KeyedQueue, type Logger, sleep } from '@bitbrat/foundation';
import { type Disposition, type ReceivedMessage } from '@bitbrat/message-bus';
import { replayedLetterOf } from '../dead-letters/replay.js';
import { type Publisher } from '../publisher.js';
import {
  countsAsAttempt,
  decide,
  type Decision,
  isLookedForLater,
  isTooEarly,
  type RetryLimits,
  type SendResult,
} from './ack-policy.js';
import { type EarlierSends, type EventOnItsWay } from './earlier-sends.js';
import { toDeadLetter, toOutcome } from './outcomes.js';
import { type Pacer } from './pacer.js';
import { type ClaimEnd, type Settled } from './send-claims.js';
import { type KnownSettlement, readSettlement, writeSettlement } from './settlement.js';

/** What the deliveries of one process share. */
export interface DeliveryContext {
  readonly manager: ConnectorManager;
  readonly publisher: Publisher;
  readonly earlierSends: EarlierSends;
  readonly pacer: Pacer;
  /** Publishes the outcomes of a destination in the order of its events. */
  readonly outcomes: KeyedQueue;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly limits: RetryLimits;
  /** Aborted when nothing new is begun any more. */
  readonly stopping: AbortSignal;
  /** Aborted when the time to stop is over. */
  readonly stopped: AbortSignal;
  /** Whether the process ends because of a fault: then an event that was being tried stays claimed, as after a kill. */
  readonly isCrashing: () => boolean;
}

/** Processes that may die with an event in hand before it is set aside. */
const MAX_DEATHS = 3;

/**
 * The answer to the bus, and what remains to be done before it is given; the next event of the destination need not wait
 * for it. Where `finished` rejects, the event goes back to the bus.
 */
export interface Delivered {
  readonly disposition: Disposition;
  readonly finished: Promise<void>;
}

const nack: Delivered = { disposition: 'nack', finished: Promise.resolve() };
const ack: Delivered = { disposition: 'ack', finished: Promise.resolve() };

interface Settlement {
  readonly status: EgressStatus;
  readonly result?: SendResult | undefined;
  readonly deadLetter?: boolean;
  /** How the claim ends; left out: as the status asks for. */
  readonly end?: ClaimEnd;
}

type Retry = Extract<Decision, { kind: 'retry' }>;

const REPLAY_HINT = 'look whether the message stands; if it does not, replay the dead letter';

/** One event on its way from the bus to its outcome. */
export class EventDelivery {
  readonly #takenAt: number;
  readonly #protection: ConnectorCapabilities['duplicateProtection'] | undefined;
  readonly #protectedForMs: number;
  readonly #way: EventOnItsWay;
  /** Tries since the connector connected last. */
  #tries = 0;
  /** Tries of this delivery that reached the platform, and those among them that were only too early there. */
  #attempts = 0;
  #tooEarly = 0;
  /** Something of it may stand on the platform. */
  #mayStand: boolean;
  /** The same by what this delivery has done. */
  #hasBegun = false;
  #wasTried = false;
  #last: SendResult | undefined;

  /** @param earlierDeliveries of the same message that came as far as a try */
  constructor(
    private readonly event: EgressEvent,
    private readonly message: ReceivedMessage,
    earlierDeliveries: number,
    private readonly context: DeliveryContext,
  ) {
    const capabilities = context.manager.capabilitiesOf(event.target.connector);
    this.#takenAt = context.clock.monotonic();
    this.#protection = capabilities?.duplicateProtection;
    this.#protectedForMs = capabilities?.protectedForMs ?? Infinity;
    this.#way = { id: event.id, message, earlierDeliveries };
    this.#mayStand = context.earlierSends.wasTried(this.#way, this.#protection);
  }

  /**
   * Resolves when the event needs the platform no more: its outcome is known (`ack`), or it goes back to the bus. An
   * exception is passed on after the event was given back.
   */
  async run(): Promise<Delivered> {
    return this.#orGiveBack(() => this.#run());
  }

  async #orGiveBack<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.context.earlierSends.endClaim(this.#way, this.#wasTried ? 'left' : 'released');
      throw error;
    }
  }

  async #run(): Promise<Delivered> {
    const { earlierSends, logger, stopping } = this.context;
    const owed = earlierSends.owedOutcome(this.#way);
    if (owed !== undefined) return this.#publishAgain(owed);
    if (earlierSends.hasSent(this.event.id)) return this.#isDuplicate();
    if (this.#protection === undefined) return this.#tryUntilSettled();
    const claim = await earlierSends.claim(this.#way, this.#protection, stopping);
    switch (claim.kind) {
      case 'done':
        return this.#isDuplicate();
      case 'held':
        logger.debug('egress.held-elsewhere', { event: this.event.id });
        return nack;
      case 'settled':
        return this.#publishAgain(claim.settlement);
      case 'unavailable':
        return stopping.aborted ? nack : this.#settleAsUnknown();
      case 'mine':
        break;
      default:
        claim satisfies never;
    }
    const isReplay = replayedLetterOf(this.message) !== undefined;
    if (claim.deaths >= MAX_DEATHS) return this.#setAside(claim.deaths);
    const wasLeft = claim.earlier !== 'none';
    if (this.#protection === 'none') {
      if (wasLeft) return this.#settleAsUnknown();
      // The claim knows better than the number of deliveries, but not what became of the event before its replay.
      this.#mayStand = isReplay;
    } else {
      this.#mayStand ||= wasLeft;
    }
    if (this.#protection === 'lookup') await earlierSends.letEarlierTryEnd(this.#way, wasLeft, stopping);
    return this.#tryUntilSettled();
  }

  #isDuplicate(): Delivered {
    this.context.logger.info('egress.duplicate', { event: this.event.id });
    return ack;
  }

  async #tryUntilSettled(): Promise<Delivered> {
    const { clock, earlierSends, logger, manager, stopping } = this.context;
    const { connector } = this.event.target;
    for (;;) {
      await this.#pace();
      if (stopping.aborted) return this.#giveBack();
      if (!(await earlierSends.isMine(this.#way))) {
        logger.warn('egress.taken-over', { event: this.event.id });
        return nack;
      }
      const expiresInMs = this.#expiresInMs();
      if (expiresInMs !== undefined && expiresInMs <= 0) {
        return this.#settle({ status: this.#mayStand ? 'unknown' : 'expired', result: this.#last });
      }
      if (this.#isForgotten()) return this.#settleAsUnknown();
      const connections = manager.connectionCount(connector);
      const result = await this.#send();
      this.#note(result);
      const decision = decide(
        {
          result,
          attempts: this.#attempts - this.#tooEarly,
          tries: this.#tries,
          elapsedMs: clock.monotonic() - this.#takenAt,
          expiresInMs: this.#expiresInMs(),
          protection: this.#protection,
        },
        this.context.limits,
        this.context.random,
      );
      if (decision.kind === 'settle') {
        const { deadLetter } = decision;
        const status = decision.status === 'expired' && this.#mayStand ? 'unknown' : decision.status;
        return this.#settle({ status, result, deadLetter });
      }
      if (!result.ok) await this.#waitForRetry(result.error, decision, connections);
    }
  }

  /** What was tried may exist on the platform, so the next process must know of it. */
  async #giveBack(): Promise<Delivered> {
    if (this.#wasTried && this.context.isCrashing()) return nack;
    await this.context.earlierSends.endClaim(this.#way, this.#hasBegun ? 'left' : 'released');
    return nack;
  }

  #note(result: SendResult): void {
    this.#last = result;
    this.#tries += 1;
    if (result.ok || countsAsAttempt(result.error)) this.#attempts += 1;
    if (result.ok) return;
    if (isTooEarly(result.error)) this.#tooEarly += 1;
    if (result.error.ambiguous) this.context.earlierSends.noteDoubt(this.event.id);
    this.#hasBegun ||= result.error.ambiguous || result.error.sentMessageIds.length > 0;
    this.#mayStand ||= this.#hasBegun;
  }

  /** A connection ends the wait early, and the back-off begins anew. */
  async #waitForRetry(error: ConnectorError, retry: Retry, connections: number): Promise<void> {
    const { clock, logger, manager, stopped, stopping } = this.context;
    const { delayMs, notBeforeMs } = retry;
    logger.warn('egress.retry', { event: this.event.id, code: error.code, tries: this.#tries, delayMs });
    // Given back sooner, an event would be looked for by the next process before its message can be found.
    const signal = isLookedForLater(error, this.#protection) ? stopped : stopping;
    const floorMs = Math.min(notBeforeMs, delayMs);
    if (floorMs > 0) await sleep(clock, floorMs, signal);
    const woken = new AbortController();
    const wake = (): void => {
      woken.abort();
    };
    signal.addEventListener('abort', wake, { once: true });
    if (signal.aborted) wake();
    const { connector } = this.event.target;
    void manager.waitForConnection(connector, connections, woken.signal).then(wake);
    await sleep(clock, delayMs - floorMs, woken.signal);
    signal.removeEventListener('abort', wake);
    wake();
    if (manager.connectionCount(connector) !== connections) this.#tries = 0;
  }

  #expiresInMs(): number | undefined {
    const { expiresAt } = this.event;
    return expiresAt === undefined ? undefined : Date.parse(expiresAt) - this.context.clock.now();
  }

  /** Whether the platform would no longer know a try whose answer was lost, and take the next one for another message. */
  #isForgotten(): boolean {
    if (replayedLetterOf(this.message) !== undefined) return false;
    return this.context.earlierSends.doubtMs(this.event.id) > this.#protectedForMs;
  }

  async #pace(): Promise<void> {
    const { manager } = this.context;
    const { connector } = this.event.target;
    const destination = manager.canonicalDestination(connector, this.event.target.destination);
    const rates = manager.capabilitiesOf(connector)?.rates;
    const limitMs = Math.max(0, this.#expiresInMs() ?? Infinity);
    await this.context.pacer.wait(connector, destination, rates, limitMs, this.context.stopping);
  }

  async #send(): Promise<SendResult> {
    this.#wasTried = true;
    const { attachments, correlationId, expiresAt, id, inReplyTo, target, text } = this.event;
    try {
      const receipt = await this.context.manager.sendText(target.connector, text, target.destination, {
        idempotencyKey: id,
        mayHaveBeenSent: this.#mayStand || this.context.earlierSends.mayBeRepeated(this.#way),
        correlationId,
        attachments,
        ...(expiresAt === undefined ? {} : { expiresAt: Date.parse(expiresAt) }),
        ...(inReplyTo === undefined ? {} : { inReplyTo }),
      });
      return { ok: true, receipt };
    } catch (error) {
      return { ok: false, error: toConnectorError(error) };
    }
  }

  /** A try may have arrived, and neither platform nor store can tell. */
  #settleAsUnknown(): Delivered {
    const reason = 'an earlier try may have arrived, and there is no means to find out';
    const error = new ConnectorError('UPSTREAM_UNAVAILABLE', reason, { hint: REPLAY_HINT });
    const result = this.#last ?? { ok: false, error };
    return this.#settle({ status: 'unknown', result, deadLetter: true });
  }

  /** Processes die with the event in hand: a further try might be the next one's death. */
  #setAside(deaths: number): Delivered {
    const reason = `${deaths} processes ended abruptly with this event in hand; it may have arrived`;
    const error = new ConnectorError('INTERNAL', reason, { hint: REPLAY_HINT });
    return this.#settle({ status: 'unknown', result: { ok: false, error }, deadLetter: true, end: 'done' });
  }

  #settle({ deadLetter = false, end, result, status }: Settlement): Delivered {
    const { clock, earlierSends } = this.context;
    const attempts = this.#way.earlierDeliveries + this.#attempts;
    const error = result?.ok === false ? result.error : undefined;
    const platformMessageIds =
      result?.ok === true ? result.receipt.platformMessageIds : (error?.sentMessageIds ?? []);
    if (status === 'sent') earlierSends.noteSent(this.event.id);
    const outcome = toOutcome(this.event, { status, attempts, platformMessageIds, error, now: clock.now() });
    const known = { outcome, end: end ?? this.#claimEnd(status) };
    const letter = deadLetter && error !== undefined ? toErrorInfo(error) : undefined;
    return { disposition: 'ack', finished: this.#finish(known, letter) };
  }

  /** The dead letter comes first: the claim, once it holds the outcome, no longer knows of it. */
  async #finish(known: KnownSettlement, letter: ErrorInfo | undefined): Promise<void> {
    const { earlierSends, logger, stopping } = this.context;
    const { outcome } = known;
    const text = writeSettlement(known);
    const keep = async (): Promise<Settled> => {
      if (letter !== undefined) await sendDeadLetter(this.context, this.message, letter, outcome.attempts);
      return earlierSends.settling(this.#way, text, stopping);
    };
    if ((await this.#publish(known, text, this.#orGiveBack(keep))) === 'done') return;
    const { attempts, error, status, target } = outcome;
    logger.info(`egress.${status}`, {
      event: this.event.id,
      connector: target.connector,
      attempts,
      ...(error === undefined ? {} : { code: error.code }),
    });
  }

  /** The process before knew the outcome, and may not have published it. A repeated one has the same id. */
  #publishAgain(text: string): Delivered {
    const known = readSettlement(text);
    if (known === undefined) return this.#settleAsUnknown();
    const finish = async (): Promise<void> => {
      await this.#publish(known, text, Promise.resolve('kept'));
      const { status } = known.outcome;
      this.context.logger.info('egress.outcome-repeated', { event: this.event.id, status });
    };
    return { disposition: 'ack', finished: finish() };
  }

  /**
   * Publishes the outcome in its turn, once it is kept, and ends the claim. An event that turns out to have an outcome gets
   * no second one, unless it was sent. Where publishing fails, the outcome remains in the claim: the next delivery
   * publishes it.
   */
  async #publish({ end, outcome }: KnownSettlement, text: string, kept: Promise<Settled>): Promise<Settled> {
    const { earlierSends, outcomes, publisher } = this.context;
    const { connector, destination } = this.event.target;
    // Whoever waits for its turn is told of a failure only then.
    kept.catch(() => undefined);
    const known = await outcomes.run(`${connector}\n${destination}`, async () => {
      if ((await kept) === 'done' && outcome.status !== 'sent') return 'done';
      earlierSends.oweOutcome(this.#way, text);
      await publisher.outcome(outcome, this.message.attributes['traceparent']);
      earlierSends.outcomePublished(this.#way);
      return 'kept';
    });
    if (known === 'done') this.#isDuplicate();
    await earlierSends.endClaim(this.#way, end);
    return known;
  }

  /** An event that may exist on the platform may come again only where the platform can tell. */
  #claimEnd(status: EgressStatus): ClaimEnd {
    // These are final: an event that comes again must not get another outcome.
    if (status === 'sent' || status === 'expired' || status === 'unknown') return 'done';
    if (!this.#hasBegun) return 'released';
    return this.#protection === 'none' ? 'done' : 'left';
  }
}

/** Puts what could not be sent or read where operators find it. */
export async function sendDeadLetter(
  { clock, logger, publisher }: Pick<DeliveryContext, 'clock' | 'logger' | 'publisher'>,
  message: ReceivedMessage,
  error: ErrorInfo,
  attempts: number,
): Promise<void> {
  await publisher.deadLetter(toDeadLetter(message, error, attempts, clock.now()));
  logger.error('egress.dead-letter', {
    messageId: message.id,
    topic: message.topic,
    code: error.code,
    reason: error.message,
    publishedAt: isoTime(message.publishedAt),
  });
}
