import {
  assertInTime,
  ConnectorError,
  maskPhoneNumbers,
  planText,
  type SendOptions,
  type SendReceipt,
} from '@bitbrat/connectors-core';
import { type Clock, isoTime, sleep, withTimeout } from '@bitbrat/foundation';
import { type Conversation } from '@twilio/conversations';
import { LRUCache } from 'lru-cache';
import { TWILIO_CAPABILITIES } from '../capabilities.js';
import { type ClientSession } from '../session/client-session.js';
import { canonicalConversationSid, isConversationSid } from '../platform/conversation-sid.js';
import { saysNotParticipant, toTwilioError } from '../platform/errors.js';
import { phoneOf } from '../platform/native-message.js';
import { type NativeOptOut, type Phone } from '../platform/native-opt-out.js';
import { SentLookup, type SentMark, toAttributes } from './sent-lookup.js';
import { type TwilioRest } from '../platform/twilio-rest.js';

/** Milliseconds for the platform to accept one part. */
const SEND_TIMEOUT_MS = 15_000;

/** Milliseconds for the conversation's roster, which the SDK has loaded as a rule. */
const ROSTER_TIMEOUT_MS = 5_000;

/** Sent messages that are remembered, so that a repeated call in this process asks nobody. */
const REMEMBERED = 5_000;

export interface SenderOptions {
  readonly rest: Pick<TwilioRest, 'newestMessages'>;
  readonly identity: string;
  readonly clock: Clock;
  /** The session to send with. @throws ConnectorError NOT_CONNECTED */
  readonly session: () => ClientSession;
  /** Adds the bot to a conversation; resolves to whether it was not in it before. @throws ConnectorError */
  readonly join: (conversationSid: string) => Promise<boolean>;
  /** Whether a phone wants no messages. Never rejects. */
  readonly isOptedOut: (address: string) => Promise<boolean>;
  /** The platform says that a phone wants no messages. */
  readonly onOptedOut: (optOut: NativeOptOut) => void;
  /** The SDK may have read messages along with the sent one. */
  readonly onSent: (conversationSid: string) => void;
  /** The platform has accepted the message. */
  readonly onAccepted: (messageSid: string, mark: SentMark) => void;
}

/** Sends texts, each once, those for one conversation in the order of the calls. */
export class MessageSender {
  readonly #options: SenderOptions;
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #receipts = new LRUCache<string, SendReceipt>({ max: REMEMBERED });
  readonly #lookup: SentLookup;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#lookup = new SentLookup(options.rest, options.identity);
  }

  /** As `IConnector.sendText`. */
  async send(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
    const conversationSid = canonicalConversationSid(destination);
    const { signal } = options;
    if ((options.attachments?.length ?? 0) > 0) {
      throw new ConnectorError('UNSUPPORTED', 'attachments cannot be sent by Twilio Conversations', {
        hint: 'put the link into the text',
      });
    }
    const parts = planText(text, TWILIO_CAPABILITIES.text);
    if (!isConversationSid(conversationSid)) {
      throw new ConnectorError('TARGET_NOT_FOUND', `${conversationSid} is no conversation SID`, {
        hint: "use the envelope's replyTo.destination: CH and 32 hexadecimal digits",
      });
    }
    if (isAborted(signal)) throw gaveUp(conversationSid);
    this.#options.session();
    // The next call waits until this one has left the SDK, even where its caller gives up earlier: order is kept per conversation.
    const before = this.#tails.get(conversationSid) ?? Promise.resolve();
    const work = before.then(() => this.#send(parts, conversationSid, options));
    const tail = work
      .catch(() => undefined)
      .finally(() => {
        if (this.#tails.get(conversationSid) === tail) this.#tails.delete(conversationSid);
      });
    this.#tails.set(conversationSid, tail);
    return signal === undefined ? work : this.#untilAborted(work, conversationSid, signal);
  }

  /** Resolves when everything that is being sent now has ended; never rejects. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }

  async #send(parts: readonly string[], conversationSid: string, options: SendOptions): Promise<SendReceipt> {
    const { correlationId, idempotencyKey, signal } = options;
    if (isAborted(signal)) throw gaveUp(conversationSid);
    const key = `${conversationSid} ${idempotencyKey}`;
    const remembered = this.#receipts.get(key);
    if (remembered !== undefined) return { ...remembered, duplicate: true };
    const sids = await this.#sentBefore(conversationSid, options);
    const duplicate = parts.every((_, i) => sids.has(i + 1));
    for (const [i, body] of parts.entries()) {
      if (sids.has(i + 1)) continue;
      const mark: SentMark = {
        eventId: idempotencyKey,
        part: i + 1,
        parts: parts.length,
        ...(correlationId === undefined ? {} : { correlationId }),
      };
      try {
        if (isAborted(signal)) throw gaveUp(conversationSid);
        const sid = await this.#sendPart(body, conversationSid, mark, options);
        if (sid !== undefined) sids.set(i + 1, sid);
      } catch (error) {
        throw toTwilioError(error, `send to ${conversationSid}`).withSent(inOrder(sids));
      }
    }
    const receipt: SendReceipt = { platformMessageIds: inOrder(sids), duplicate };
    this.#receipts.set(key, receipt);
    return receipt;
  }

  /**
   * SIDs by part. A process does not know what the ones before it have sent, and a bot may repeat an event long after: the first send to a
   * conversation looks, too, and what it has read is remembered.
   */
  async #sentBefore(
    conversationSid: string,
    { idempotencyKey, mayHaveBeenSent, signal }: SendOptions,
  ): Promise<Map<number, string>> {
    if (mayHaveBeenSent) return this.#lookup.find(conversationSid, idempotencyKey, signal);
    if (!this.#lookup.hasRead(conversationSid)) {
      // Nothing speaks for an earlier send: where the platform cannot be asked, that holds no message up.
      await this.#lookup.find(conversationSid, idempotencyKey, signal).catch(() => undefined);
    }
    return this.#lookup.remembered(conversationSid, idempotencyKey);
  }

  /** @returns the message's SID; undefined where the platform has accepted it and its SID could not be learned */
  async #sendPart(
    body: string,
    conversationSid: string,
    mark: SentMark,
    { expiresAt, signal }: SendOptions,
  ): Promise<string | undefined> {
    const session = this.#options.session();
    const conversation = await this.#writable(session, conversationSid);
    const phones = await this.#phonesOf(conversation);
    for (const { address } of phones) {
      if (await this.#options.isOptedOut(address)) throw optedOut(conversationSid, address);
    }
    let index: number;
    try {
      const notAfter = mark.part === 1 ? expiresAt : undefined;
      index = await this.#sendByJoined(session, conversation, body, mark, notAfter);
    } catch (reason) {
      const error = toTwilioError(reason, `send to ${conversationSid}`, session.toldWaitMs);
      const [phone] = phones;
      // Of several phones nobody knows which one is meant.
      if (error.code === 'RECIPIENT_OPTED_OUT' && phone !== undefined && phones.length === 1) {
        this.#options.onOptedOut({
          phone,
          conversationSid,
          conversationName: conversation.friendlyName,
          refused: { eventId: mark.eventId },
          occurredAt: isoTime(this.#options.clock.now()),
        });
      }
      if (!error.ambiguous) throw error;
      // The answer was lost, not necessarily the message.
      const found = await this.#lookup.find(conversationSid, mark.eventId, signal).catch(() => undefined);
      const sid = found?.get(mark.part);
      if (sid === undefined) throw error;
      return sid;
    }
    const sid = await this.#sidOf(conversation, conversationSid, index, mark);
    if (sid !== undefined) this.#options.onAccepted(sid, mark);
    this.#options.onSent(conversationSid);
    return sid;
  }

  /** From the loaded roster; without an answer none: the platform refuses by itself. */
  async #phonesOf(conversation: Conversation): Promise<Phone[]> {
    const { clock } = this.#options;
    const participants = await withTimeout(
      clock,
      conversation.getParticipants(),
      ROSTER_TIMEOUT_MS,
      () => new Error(),
    ).catch(() => []);
    return participants.flatMap((participant) => phoneOf(participant) ?? []);
  }

  async #writable(session: ClientSession, conversationSid: string): Promise<Conversation> {
    let conversation: Conversation;
    try {
      conversation = await session.conversation(conversationSid);
    } catch (error) {
      // The platform does not show a conversation to those who are not in it.
      if (!(error instanceof ConnectorError) || error.code !== 'FORBIDDEN') throw error;
      await this.#options.join(conversationSid);
      return session.conversation(conversationSid);
    }
    if (conversation.status !== 'joined') await this.#options.join(conversationSid);
    return conversation;
  }

  async #sendByJoined(
    session: ClientSession,
    conversation: Conversation,
    body: string,
    mark: SentMark,
    expiresAt: number | undefined,
  ): Promise<number> {
    const { sid: conversationSid } = conversation;
    const attempt = (): Promise<number> => {
      assertInTime(this.#options.clock, expiresAt);
      // Without a connection the SDK would keep the message for 20 seconds, and send it whatever has expired by then.
      if (!session.isConnected) throw new ConnectorError('NOT_CONNECTED', 'the connection to Twilio is gone');
      return withTimeout(
        this.#options.clock,
        conversation.sendMessage(body, toAttributes(mark)),
        SEND_TIMEOUT_MS,
        () =>
          new ConnectorError('TIMEOUT', `send to ${conversationSid}: no answer after ${SEND_TIMEOUT_MS} ms`),
      );
    };
    try {
      return await attempt();
    } catch (reason) {
      // The bot is no participant any more. It was refused, so nothing was sent.
      const error = toTwilioError(reason, '');
      const isPerhapsOutside = error.code === 'FORBIDDEN' && (error.unlisted || error.nativeCode === '403');
      if (!saysNotParticipant(error) && !isPerhapsOutside) throw reason;
      const wasAdded = await this.#options.join(conversationSid);
      if (!wasAdded && isPerhapsOutside) throw reason;
      return attempt();
    }
  }

  /** The SDK tells the index alone; the message itself is in its cache or one request away. */
  async #sidOf(
    conversation: Conversation,
    conversationSid: string,
    index: number,
    mark: SentMark,
  ): Promise<string | undefined> {
    const { clock } = this.#options;
    try {
      const page = await withTimeout(
        clock,
        conversation.getMessages(2, index, 'forward'),
        5_000,
        () => new Error(),
      );
      const sent = page.items.find((message) => message.index === index);
      if (sent !== undefined) return sent.sid;
    } catch {
      // The message was accepted; the REST API may still tell its SID.
    }
    const found = await this.#lookup.find(conversationSid, mark.eventId).catch(() => undefined);
    return found?.get(mark.part);
  }

  async #untilAborted<T>(work: Promise<T>, conversationSid: string, signal: AbortSignal): Promise<T> {
    const done = new AbortController();
    const aborted = sleep(this.#options.clock, 2 ** 31 - 1, AbortSignal.any([signal, done.signal]));
    try {
      return await Promise.race([work, aborted.then(() => Promise.reject(gaveUp(conversationSid)))]);
    } finally {
      done.abort();
    }
  }
}

function inOrder(sids: ReadonlyMap<number, string>): string[] {
  return [...sids].sort(([a], [b]) => a - b).map(([, sid]) => sid);
}

function optedOut(conversationSid: string, address: string): ConnectorError {
  const masked = maskPhoneNumbers(address);
  return new ConnectorError('RECIPIENT_OPTED_OUT', `send to ${conversationSid}: ${masked} has opted out`);
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function gaveUp(conversationSid: string): ConnectorError {
  return new ConnectorError('TIMEOUT', `send to ${conversationSid}: the caller gave up`);
}
