import {
  ConnectorError,
  type ConnectorHost,
  isoTime,
  toConnectorError,
  withTimeout,
} from '@bitbrat/connectors-core';
import { LRUCache } from 'lru-cache';
import { toDeliveryError } from './errors.js';
import { markOf, type SentMark } from './sent-lookup.js';
import { type TwilioRest } from './twilio-rest.js';
import { type DeliveryUpdate } from './webhook.js';

/** Milliseconds for a report: Twilio waits 5 seconds for a webhook's answer (Conversations webhooks page). */
const REPORT_TIMEOUT_MS = 4_500;

/** Sent messages whose mark is remembered, so that their receipts ask nobody. */
const REMEMBERED = 10_000;

export interface DeliveryReporterOptions {
  readonly rest: Pick<TwilioRest, 'message' | 'participantAddress'>;
  /** The bot's: what others write in their attributes counts for nothing. */
  readonly identity: string;
  readonly host: Pick<ConnectorHost, 'receiptReceived' | 'clock' | 'logger'>;
  /** The platform says that a phone wants no messages. Never rejects. */
  readonly onOptedOut: (address: string) => Promise<void>;
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
   * Resolves when the bus has the receipt, or when the message is none of ours.
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
    const { conversationSid, errorCode, messageSid, occurredAt, status } = update;
    const error = status === 'failed' ? toDeliveryError(errorCode) : undefined;
    if (host.receiptReceived === undefined) return false;
    const mark = this.#marks.get(messageSid) ?? (await this.#markOf(update, signal));
    if (mark === undefined) return false;
    if (signal.aborted) throw new ConnectorError('NOT_CONNECTED', 'the connector stops');
    await host.receiptReceived({
      ...mark,
      destination: conversationSid,
      platformMessageId: messageSid,
      status,
      ...(error === undefined ? {} : { error }),
      occurredAt: isoTime(occurredAt ?? host.clock.now()),
    });
    if (error?.code === 'RECIPIENT_OPTED_OUT') await this.#noteOptOut(update, signal);
    return true;
  }

  async #noteOptOut({ conversationSid, participantSid }: DeliveryUpdate, signal: AbortSignal): Promise<void> {
    const { host, onOptedOut, rest } = this.#options;
    if (participantSid === undefined) return;
    try {
      const address = await rest.participantAddress(conversationSid, participantSid, signal);
      if (address !== undefined) await onOptedOut(address);
    } catch (reason) {
      // The next message is refused by the platform, too.
      const { code, message } = toConnectorError(reason);
      host.logger.warn('twilio.opt-out-unknown', { participantSid, code, reason: message });
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
