import { ConnectorError } from '@bitbrat/connectors-core';
import { type IngressEnvelope, type Sender } from '@bitbrat/envelope';
import { type Clock, isoTime, type Logger } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';
import { type DiscordEnvelopeBuilder, type Place, toSender } from './discord-envelope-builder.js';
import { MESSAGE_TYPES, type NativeMessage, type NativeReference } from '../platform/native-message.js';

/** Envelopes that are remembered, so that a message that arrives by two roads is published once. */
const REMEMBERED = 20_000;

/** Something that happened in a channel. */
export type ChannelEvent =
  | { readonly kind: 'created' | 'edited'; readonly message: NativeMessage }
  | { readonly kind: 'deleted'; readonly message: NativeReference };

export interface IntakeOptions {
  readonly builder: DiscordEnvelopeBuilder;
  readonly publish: (envelope: IngressEnvelope) => Promise<void>;
  /** Id of the bot's own user; undefined before the first session. */
  readonly botUserId: () => string | undefined;
  /** Names of the sender's roles in the guild. */
  readonly rolesOf: (message: NativeMessage) => readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onReceived: () => void;
  readonly onIgnored: () => void;
  /** An ordinary message came without content: the intent is missing. */
  readonly onContentMissing: () => void;
}

/** Takes what happens in the channels: leaves out what is not for the bus, publishes the rest. */
export class MessageIntake {
  readonly #options: IntakeOptions;
  /** By envelope id: what becomes of it. */
  readonly #taken = new LRUCache<string, Promise<void>>({ max: REMEMBERED });
  /** By message id: who wrote it, or that it is not for the bus. Deletions do not say it. */
  readonly #authors = new LRUCache<string, Sender | 'ignored'>({ max: REMEMBERED });

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /**
   * Publishes an event, unless it is not for the bus or has been taken already. The publish is called before this returns, so the order of
   * the calls is the order on the bus.
   * @returns settles when the bus has it or it was left out; rejects when it has to be tried again
   */
  take(event: ChannelEvent, place: Place): Promise<void> {
    const envelope = this.#toEnvelope(event, place);
    if (envelope === undefined) return Promise.resolve();
    const known = this.#taken.get(envelope.id);
    if (known !== undefined) return known;
    const work = this.#publish(envelope);
    this.#taken.set(envelope.id, work);
    work.catch(() => {
      if (this.#taken.peek(envelope.id) === work) this.#taken.delete(envelope.id);
    });
    return work;
  }

  #toEnvelope(event: ChannelEvent, place: Place): IngressEnvelope | undefined {
    const { builder, clock, rolesOf } = this.#options;
    const receivedAt = isoTime(clock.now());
    if (event.kind === 'deleted') {
      const author = this.#authors.get(event.message.id);
      return author === 'ignored'
        ? undefined
        : builder.buildDeleted(event.message, place, author, receivedAt);
    }
    const { message } = event;
    if (!this.#isForTheBus(message)) {
      if (this.#authors.get(message.id) !== 'ignored') this.#options.onIgnored();
      this.#authors.set(message.id, 'ignored');
      return undefined;
    }
    const roles = rolesOf(message);
    this.#authors.set(message.id, toSender(message, roles));
    if (event.kind === 'created') {
      if (this.#lacksContent(message, place)) this.#options.onContentMissing();
      return builder.build(message, place, roles, receivedAt);
    }
    // An update without an edit only adds what Discord found behind a link.
    return message.editedTimestamp === undefined
      ? undefined
      : builder.buildEdited(message, place, roles, receivedAt);
  }

  #isForTheBus({ author, type, webhookId }: NativeMessage): boolean {
    if (author.isBot || webhookId !== undefined || author.id === this.#options.botUserId()) return false;
    return type === MESSAGE_TYPES.default || type === MESSAGE_TYPES.reply;
  }

  /** Without the intent Discord empties all content, but not in direct channels nor where the bot is mentioned. */
  #lacksContent(message: NativeMessage, place: Place): boolean {
    const { attachments, content, hasExtras, mentions, stickers } = message;
    const botUserId = this.#options.botUserId();
    const isExempt = place.kind === 'direct' || (botUserId !== undefined && mentions.includes(botUserId));
    return !isExempt && content === '' && attachments.length === 0 && stickers.length === 0 && !hasExtras;
  }

  async #publish(envelope: IngressEnvelope): Promise<void> {
    try {
      await this.#options.publish(envelope);
      this.#options.onReceived();
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.retryable) throw error;
      // It would block its channel for ever.
      const { code, message } = error;
      this.#options.logger.error('discord.message-unpublishable', { id: envelope.id, code, reason: message });
      this.#options.onIgnored();
    }
  }
}
