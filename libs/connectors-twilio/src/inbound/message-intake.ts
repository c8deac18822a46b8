import { ConnectorError, maskPhoneNumbers } from '@bitbrat/connectors-core';
import { type IngressEnvelope } from '@bitbrat/envelope';
import { type Clock, isoTime, type Logger, sleep, withTimeout } from '@bitbrat/foundation';
import { type Message, type Participant } from '@twilio/conversations';
import { parseAddress } from '../platform/address.js';
import { type ConsentBook } from '../consent/consent-book.js';
import { type ConsentWord, readConsent } from '../consent/consent-words.js';
import { toNativeMessage } from '../platform/native-message.js';
import { type NativeOptOut } from '../platform/native-opt-out.js';
import { type TwilioEnvelopeBuilder } from './twilio-envelope-builder.js';

/** Milliseconds before the second and the third try to learn a message's media URLs. */
const MEDIA_RETRIES_MS = [250, 1_000] as const;

/** Milliseconds for one try, and for finding a participant in the loaded roster. */
const LOOKUP_TIMEOUT_MS = 5_000;

export interface IntakeOptions {
  readonly identity: string;
  /** As in the configuration; empty: everybody. */
  readonly allowedSenders: readonly string[];
  readonly builder: TwilioEnvelopeBuilder;
  readonly publish: (envelope: IngressEnvelope) => Promise<void>;
  readonly consents: Pick<ConsentBook, 'record' | 'optOut'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onReceived: () => void;
  readonly onIgnored: () => void;
  /** A message cannot be made into an envelope, and is left out. */
  readonly onUnreadable: () => void;
}

/** What is to be done about a message. */
interface Prepared {
  readonly message: Message;
  readonly author: string;
  readonly word: ConsentWord | undefined;
  /** The envelopes for the bus, in order; none of a message that is not for it. */
  readonly build: (receivedAt: string) => readonly IngressEnvelope[];
}

/** What a message counts as; `counted`: whoever published it first counts it. */
type Outcome = 'received' | 'ignored' | 'counted' | 'unreadable';

/** Takes the messages that a cursor has read, and opt-outs that no message tells of: leaves out what is not for the bus, publishes the rest. */
export class MessageIntake {
  readonly #options: IntakeOptions;
  readonly #allowed: ReadonlySet<string>;
  /**
   * By envelope id: publishes under way. While the bus is away a run that ends leaves its own behind, and the next one reads the same messages:
   * each restart would otherwise publish them all once more.
   */
  readonly #underWay = new Map<string, Promise<boolean>>();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#allowed = new Set(options.allowedSenders);
  }

  /**
   * One result per message, in order; all publishes are under way at once. Never rejects.
   * @param signal once it is aborted nothing is published any more
   */
  async take(messages: readonly Message[], signal: AbortSignal): Promise<PromiseSettledResult<void>[]> {
    const { clock, onIgnored, onReceived, onUnreadable } = this.#options;
    // Look-ups run side by side, but the publishes are called in order: that is what keeps the channel's order.
    const prepared = await Promise.allSettled(messages.map((message) => this.#prepare(message)));
    const results = await Promise.allSettled(
      prepared.map((preparation, i) => {
        if (signal.aborted) return Promise.reject(new ConnectorError('NOT_CONNECTED', 'the connector stops'));
        if (preparation.status === 'rejected') return this.#leaveOut(messages[i], preparation.reason);
        return this.#settle(preparation.value, isoTime(clock.now()));
      }),
    );
    const refusedAt = results.findIndex((result) => result.status === 'rejected');
    return results.map((result, i): PromiseSettledResult<void> => {
      if (result.status === 'rejected') return result;
      // What stands behind a refused message is read again, and counted then.
      const isSettled = refusedAt === -1 || i < refusedAt;
      if (isSettled && result.value === 'received') onReceived();
      if (isSettled && result.value === 'ignored') onIgnored();
      if (isSettled && result.value === 'unreadable') onUnreadable();
      return { status: 'fulfilled', value: undefined };
    });
  }

  /**
   * Takes an opt-out that the platform has told. It is published where the phone was not opted out before.
   * @returns once the bus has its event and the book the note
   * @throws what the host rejects with, unless trying again cannot help; there is neither an event nor a note then
   */
  takeOptOut(optOut: NativeOptOut): Promise<void> {
    const { builder, clock, consents } = this.#options;
    const { address } = optOut.phone;
    return consents.optOut(address, async () => {
      // As with a word of theirs: an opt-out counts whoever it is from, and is told of those who are let in.
      if (!this.#isAllowed(address, optOut.refused)) return;
      await this.#publish(builder.buildOptOut(optOut, isoTime(clock.now())));
    });
  }

  async #prepare(message: Message): Promise<Prepared> {
    const { builder, identity } = this.#options;
    const author = message.author ?? '';
    // An opt-out counts whoever it is from, on the list or not.
    const word = author === identity ? undefined : readConsent(author, message.body);
    const isWanted = author !== identity && this.#isAllowed(author, { messageSid: message.sid });
    if (!isWanted) return { message, author, word, build: () => [] };
    const [participant, urls] = await Promise.all([this.#participantOf(message), this.#mediaUrlsOf(message)]);
    const native = toNativeMessage(message, participant, urls);
    return {
      message,
      author,
      word,
      build: (receivedAt) => {
        const consent = builder.buildConsent(native, receivedAt);
        const envelope = builder.build(native, receivedAt);
        return consent === undefined ? [envelope] : [envelope, consent];
      },
    };
  }

  /** Trying again cannot help, and the message would hold up its conversation for ever. */
  #leaveOut(message: Message | undefined, reason: unknown): Promise<Outcome> {
    const fields = { messageSid: String(message?.sid), index: Number(message?.index) };
    const text = maskPhoneNumbers(reason instanceof Error ? reason.message : String(reason));
    this.#options.logger.error('twilio.message-unreadable', { ...fields, reason: text });
    return Promise.resolve('unreadable');
  }

  /** Calls the publishes before it first waits. @returns what the message counts as */
  async #settle({ author, build, message, word }: Prepared, receivedAt: string): Promise<Outcome> {
    const consent = word?.consent;
    const kept =
      consent === 'out' || consent === 'in'
        ? this.#options.consents.record(author, consent)
        : Promise.resolve();
    let envelopes: readonly IngressEnvelope[];
    try {
      envelopes = build(receivedAt);
    } catch (reason) {
      return this.#leaveOut(message, reason);
    }
    const isUnderWay = envelopes.some(({ id }) => this.#underWay.has(id));
    // Together: a refused publish must not be without anybody who waits for it while the store is slow.
    const [published] = await Promise.all([
      Promise.all(envelopes.map((envelope) => this.#publish(envelope))),
      kept,
    ]);
    if (isUnderWay) return 'counted';
    return published[0] === true ? 'received' : 'ignored';
  }

  /**
   * Publishes an envelope, or waits for the publish that is under way with it. Calls the host before this returns.
   * @returns whether the bus has it. @throws what the host rejects with, unless trying again cannot help
   */
  #publish(envelope: IngressEnvelope): Promise<boolean> {
    const known = this.#underWay.get(envelope.id);
    if (known !== undefined) return known;
    const work = this.#publishOnce(envelope).finally(() => this.#underWay.delete(envelope.id));
    this.#underWay.set(envelope.id, work);
    return work;
  }

  async #publishOnce(envelope: IngressEnvelope): Promise<boolean> {
    try {
      await this.#options.publish(envelope);
      return true;
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.retryable) throw error;
      // It would block its conversation for ever.
      const { code, message } = error;
      this.#options.logger.error('twilio.message-unpublishable', { id: envelope.id, code, reason: message });
      return false;
    }
  }

  /** @param what for the log: which message it is about */
  #isAllowed(author: string, what: Readonly<Record<string, string>>): boolean {
    if (this.#allowed.size === 0) return true;
    const { channelType } = parseAddress(author);
    const entry = channelType === 'chat' ? `chat:${author}` : author;
    if (this.#allowed.has(entry)) return true;
    this.#options.logger.debug('twilio.sender-not-allowed', { ...what, author: maskPhoneNumbers(entry) });
    return false;
  }

  /** The roster adds the channel and our own number; a message whose writer has left does without. */
  async #participantOf(message: Message): Promise<Participant | undefined> {
    const { clock } = this.#options;
    return withTimeout(clock, message.getParticipant(), LOOKUP_TIMEOUT_MS, () => new Error()).catch(
      () => undefined,
    );
  }

  /** Temporary URLs by media SID. After three tries the message goes on with those that are known: text is worth more than a picture. */
  async #mediaUrlsOf(message: Message): Promise<ReadonlyMap<string, string>> {
    const media = message.attachedMedia ?? [];
    const urls = new Map<string, string>();
    const { clock, logger } = this.#options;
    for (const waitMs of [...MEDIA_RETRIES_MS, undefined]) {
      const missing = media.filter(({ sid }) => !urls.has(sid));
      await Promise.all(
        missing.map(async (item) => {
          const url = await withTimeout(
            clock,
            item.getContentTemporaryUrl(),
            LOOKUP_TIMEOUT_MS,
            () => new Error(),
          ).catch(() => null);
          if (url !== null) urls.set(item.sid, url);
        }),
      );
      if (urls.size === media.length) return urls;
      if (waitMs !== undefined) await sleep(clock, waitMs);
    }
    const missing = media.length - urls.size;
    logger.warn('twilio.media-unavailable', { messageSid: message.sid, missing });
    return urls;
  }
}
