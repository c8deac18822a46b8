import {
  type Clock,
  type ConnectorCapabilities,
  ConnectorError,
  type ConnectorManager,
  isoTime,
  type Logger,
  sleep,
  toConnectorError,
  toErrorInfo,
} from '@bitbrat/connectors-core';
import { type EgressEvent, type EgressStatus, type ErrorInfo } from '@bitbrat/envelope';
import { type Disposition, type ReceivedMessage } from '@bitbrat/message-bus';
import { replayedLetterOf } from '../dead-letters/replay.js';
import { type Publisher } from '../publisher.js';
import {
  countsAsAttempt,
  decide,
  isLookedForLater,
  isTooEarly,
  type RetryLimits,
  type SendResult,
} from './ack-policy.js';
import { type EarlierSends, type EventOnItsWay } from './earlier-sends.js';
import { toDeadLetter, toOutcome } from './outcomes.js';
import { type Pacer } from './pacer.js';

/** What the deliveries of one process share. */
export interface DeliveryContext {
  readonly manager: ConnectorManager;
  readonly publisher: Publisher;
  readonly earlierSends: EarlierSends;
  readonly pacer: Pacer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly limits: RetryLimits;
  /** Aborted when nothing new is begun any more. */
  readonly stopping: AbortSignal;
  /** Aborted when the time to stop is over. */
  readonly stopped: AbortSignal;
}

interface Settlement {
  readonly status: EgressStatus;
  readonly result?: SendResult;
  readonly deadLetter?: boolean;
}

/** One event on its way from the bus to its outcome. */
export class EventDelivery {
  readonly #takenAt: number;
  readonly #protection: ConnectorCapabilities['duplicateProtection'] | undefined;
  readonly #protectedForMs: number;
  readonly #way: EventOnItsWay;
  /** Tries of this delivery, those among them that reached the platform, and those among these that were only too early there. */
  #tries = 0;
  #attempts = 0;
  #tooEarly = 0;
  /** Something of it may stand on the platform. */
  #mayStand: boolean;
  /** The same by what this delivery has done. */
  #hasBegun = false;
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

  /** Resolves when the event is done with (`ack`: its outcome is on the bus) or goes back to the bus. */
  async run(): Promise<Disposition> {
    const { earlierSends, logger, stopping } = this.context;
    if (earlierSends.hasSent(this.event.id)) {
      logger.info('egress.duplicate', { event: this.event.id });
      return 'ack';
    }
    if (this.#protection === 'none') {
      const left = await earlierSends.claim(this.#way, stopping);
      if (left === 'done') {
        logger.info('egress.duplicate', { event: this.event.id });
        return 'ack';
      }
      if (left === 'unavailable' && stopping.aborted) return 'nack';
      if (left !== 'none') return this.#settleAsUnknown();
      // The claim knows better than the number of deliveries, but not what became of the event before its replay.
      this.#mayStand = replayedLetterOf(this.message) !== undefined;
    }
    if (this.#protection === 'lookup') await earlierSends.letEarlierTryEnd(this.#way, stopping);
    return this.#tryUntilSettled();
  }

  async #tryUntilSettled(): Promise<Disposition> {
    const { clock, earlierSends, stopping } = this.context;
    for (;;) {
      await this.#pace();
      if (stopping.aborted) {
        // Of what has begun nobody can tell how much stands.
        if (!this.#hasBegun) await earlierSends.settleClaim(this.#way, false);
        return 'nack';
      }
      const expiresInMs = this.#expiresInMs();
      if (expiresInMs !== undefined && expiresInMs <= 0) {
        return this.#settle({ status: this.#mayStand ? 'unknown' : 'expired' });
      }
      if (this.#isForgotten()) return this.#settleAsUnknown();
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
        const { deadLetter, status } = decision;
        return this.#settle({
          status: status === 'expired' && this.#mayStand ? 'unknown' : status,
          result,
          deadLetter,
        });
      }
      await this.#waitForRetry(result, decision.delayMs);
    }
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

  async #waitForRetry(result: SendResult, delayMs: number): Promise<void> {
    const { clock, logger, stopped, stopping } = this.context;
    if (result.ok) return;
    const { error } = result;
    logger.warn('egress.retry', { event: this.event.id, code: error.code, tries: this.#tries, delayMs });
    // Given back sooner, an event would be looked for by the next process before its message can be found.
    const isLost = isLookedForLater(error, this.#protection);
    await sleep(clock, delayMs, isLost ? stopped : stopping);
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
    const { connector, destination } = this.event.target;
    const rates = this.context.manager.capabilitiesOf(connector)?.rates;
    await this.context.pacer.wait(connector, destination, rates, this.context.stopping);
  }

  async #send(): Promise<SendResult> {
    const { attachments, correlationId, id, inReplyTo, target, text } = this.event;
    try {
      const receipt = await this.context.manager.sendText(target.connector, text, target.destination, {
        idempotencyKey: id,
        mayHaveBeenSent: this.#mayStand || this.context.earlierSends.mayBeRepeated(this.#way),
        correlationId,
        attachments,
        ...(inReplyTo === undefined ? {} : { inReplyTo }),
      });
      return { ok: true, receipt };
    } catch (error) {
      return { ok: false, error: toConnectorError(error) };
    }
  }

  /** A try may have arrived, and neither platform nor store can tell. */
  #settleAsUnknown(): Promise<Disposition> {
    const reason = 'an earlier try may have arrived, and there is no means to find out';
    const hint = 'look whether the message stands; if it does not, replay the dead letter';
    const error = new ConnectorError('UPSTREAM_UNAVAILABLE', reason, { hint });
    return this.#settle({
      status: 'unknown',
      result: this.#last ?? { ok: false, error },
      deadLetter: true,
    });
  }

  async #settle({ deadLetter = false, result, status }: Settlement): Promise<Disposition> {
    const { clock, earlierSends, logger, publisher } = this.context;
    const attempts = this.#way.earlierDeliveries + this.#attempts;
    const error = result?.ok === false ? result.error : undefined;
    const platformMessageIds =
      result?.ok === true ? result.receipt.platformMessageIds : (error?.sentMessageIds ?? []);
    if (status === 'sent') earlierSends.noteSent(this.event.id);
    if (deadLetter && error !== undefined) {
      await sendDeadLetter(this.context, this.message, toErrorInfo(error), attempts);
    }
    const outcome = toOutcome(this.event, { status, attempts, platformMessageIds, error, now: clock.now() });
    await publisher.outcome(outcome, this.message.attributes['traceparent']);
    await earlierSends.settleClaim(this.#way, status === 'sent' || status === 'unknown' || this.#hasBegun);
    logger.info(`egress.${status}`, {
      event: this.event.id,
      connector: this.event.target.connector,
      attempts,
      ...(error === undefined ? {} : { code: error.code }),
    });
    return 'ack';
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
