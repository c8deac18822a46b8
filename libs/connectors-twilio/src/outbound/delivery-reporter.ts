import { ConnectorError, type ConnectorHost } from '@bitbrat/connectors-core';
import { isoTime, withTimeout } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';
import { toDeliveryError } from '../platform/errors.js';
import { type NativeOptOut, type Phone } from '../platform/native-opt-out.js';
import { markOf, type SentMark } from './sent-lookup.js';
import { type TwilioRest } from '../platform/twilio-rest.js';
import { type DeliveryUpdate } from '../webhook/webhook.js';

/** Milliseconds for a report: Twilio waits 5 seconds for a webhook's answer (Conversations webhooks page). */
const REPORT_TIMEOUT_MS = 4_500;

/** Sent messages whose mark is remembered, so that their receipts ask nobody. */
const REMEMBERED = 10_000;

export interface DeliveryReporterOptions {
  readonly rest: Pick<TwilioRest, 'message' | 'phone'>;
  /** The bot's: what others write in their attributes counts for nothing. */
  readonly identity: string;
  readonly host: Pick<ConnectorHost, 'receiptReceived' | 'clock' | 'logger'>;
  /** The platform says that a phone wants no messages. Resolves when that is told and noted. */
  readonly onOptedOut: (optOut: NativeOptOut) => Promise<void>;
}

/** Tells the host what became of our messages after Twilio had accepted them. */
export class DeliveryReporter {
  readonly #options: DeliveryReporterOptions;
  readonly #marks = new LRUCache<string, SentMark>({ max: REMEMBERED });

  constructor(options: DeliveryReporterOptions) {
    this.#options = options;
  }

  /** The message is one of ours. */
  remember(messageSid: string, mark: SentMark): void {
    this.#marks.set(messageSid, mark);
  }

  /**
   * Resolves when the bus has the receipt, and what it says of an opt-out is told and noted, or when the message is none of ours.
   * @returns whether it is ours
   * @throws ConnectorError; the report may still reach the bus then, and the platform's repeat makes the same one
   */
  async report(update: DeliveryUpdate, signal: AbortSignal): Promise<boolean> {
    return withTimeout(
      this.#options.host.clock,
      this.#report(update, signal),
      REPORT_TIMEOUT_MS,
      () => new ConnectorError('TIMEOUT', `receipt of ${update.messageSid}: the bus has not answered`),
    );
  }

  async #report(update: DeliveryUpdate, signal: AbortSignal): Promise<boolean> {
    const { host } = this.#options;
    const { conversationSid, errorCode, messageSid, status } = update;
    const error = status === 'failed' ? toDeliveryError(errorCode) : undefined;
    const isOptOut = error?.code === 'RECIPIENT_OPTED_OUT';
    if (host.receiptReceived === undefined && !isOptOut) return false;
    const mark = this.#marks.get(messageSid) ?? (await this.#markOf(update, signal));
    if (mark === undefined) return false;
    if (signal.aborted) throw stopping();
    const occurredAt = isoTime(update.occurredAt ?? host.clock.now());
    await Promise.all([
      host.receiptReceived?.({
        ...mark,
        destination: conversationSid,
        platformMessageId: messageSid,
        status,
        ...(error === undefined ? {} : { error }),
        occurredAt,
      }),
      isOptOut ? this.#reportOptOut(update, occurredAt, signal) : undefined,
    ]);
    return true;
  }

  async #reportOptOut(update: DeliveryUpdate, occurredAt: string, signal: AbortSignal): Promise<void> {
    const { conversationSid, messageSid } = update;
    const phone = await this.#phoneOf(update, signal);
    if (phone === undefined) return;
    if (signal.aborted) throw stopping();
    const refused = { messageSid };
    await this.#options.onOptedOut({ phone, conversationSid, conversationName: null, refused, occurredAt });
  }

  /**
   * Whom the receipt is about; undefined where nobody will ever know.
   *
   * Where Twilio does not answer, the webhook fails, which asks Twilio to repeat it. By its page on connection overrides it does so once, after a
   * failed connection, and after a 5xx where the webhook's URL at Twilio ends in `#rp=5xx`; what Conversations makes of that it does not say.
   * Where it does not come again, the receipt of the next message says the same.
   */
  async #phoneOf(
    { conversationSid, participantSid }: DeliveryUpdate,
    signal: AbortSignal,
  ): Promise<Phone | undefined> {
    const { host, rest } = this.#options;
    if (participantSid === undefined) {
      host.logger.warn('twilio.opt-out-unknown', { reason: 'the receipt names no participant' });
      return undefined;
    }
    try {
      return await rest.phone(conversationSid, participantSid, signal);
    } catch (error) {
      // It has left the conversation.
      if (!(error instanceof ConnectorError) || error.code !== 'TARGET_NOT_FOUND') throw error;
      const { code, message } = error;
      host.logger.warn('twilio.opt-out-unknown', { participantSid, code, reason: message });
      return undefined;
    }
  }

  async #markOf(
    { conversationSid, messageSid }: DeliveryUpdate,
    signal: AbortSignal,
  ): Promise<SentMark | undefined> {
    const { identity, rest } = this.#options;
    try {
      const { attributes, author } = await rest.message(conversationSid, messageSid, signal);
      return author === identity ? markOf(attributes) : undefined;
    } catch (error) {
      // Deleted meanwhile: nobody will ever know whose it was.
      if (error instanceof ConnectorError && error.code === 'TARGET_NOT_FOUND') return undefined;
      throw error;
    }
  }
}

function stopping(): ConnectorError {
  return new ConnectorError('NOT_CONNECTED', 'the connector stops');
}
