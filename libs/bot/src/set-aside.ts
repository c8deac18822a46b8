import { type Clock } from '@bitbrat/foundation';
import { BusError, isTopicKeeper, type MessageBus, type ReceivedMessage } from '@bitbrat/message-bus';
import { type BotLogger } from './bot.js';
import { aborted } from './aborted.js';
import { type BotNames } from './names.js';

/** Why a message is set aside. */
export interface SetAsideReason {
  /** `UNREADABLE` or `HANDLER_FAILED`. */
  readonly code: string;
  readonly detail: string;
  /** Calls of the handler. */
  readonly attempts: number;
}

/** How long the bus may take to accept a message that is set aside, in milliseconds. Then the message comes again. */
const PUBLISH_MS = 30_000;

/** Pub/Sub takes 100 attributes; the rest is ours. */
const MAX_FOREIGN_ATTRIBUTES = 90;

const MAX_VALUE_BYTES = 1024;

/**
 * Keeps the messages that a bot cannot handle, byte for byte, on a topic of its own with a subscription that holds them for seven
 * days. The rest of the conversation goes on.
 */
export class SetAside {
  constructor(
    private readonly bus: MessageBus,
    private readonly names: BotNames,
    private readonly clock: Clock,
    private readonly logger: BotLogger,
  ) {}

  /** Makes the topic and its subscription, where the bus has topics outside of this process. */
  async prepare(): Promise<void> {
    if (isTopicKeeper(this.bus)) {
      await this.bus.makeSubscription({ topic: this.names.setAside, subscription: this.names.setAside });
    }
  }

  /** Resolves with true when the bus has the message. With false the message must come again. */
  async keep(message: ReceivedMessage, reason: SetAsideReason): Promise<boolean> {
    const facts = {
      messageId: message.id,
      code: reason.code,
      detail: reason.detail,
      attempts: reason.attempts,
    };
    const tooLate = new AbortController();
    const cancel = this.clock.setTimeout(() => {
      tooLate.abort();
    }, PUBLISH_MS);
    try {
      // The bus may have lost it since the start, and drops what nobody is subscribed to.
      await Promise.race([this.prepare(), aborted(tooLate.signal)]);
      await this.bus.publish(
        this.names.setAside,
        {
          data: message.data,
          attributes: attributesOf(message, reason, this.names.bot),
          ...(message.orderingKey === undefined ? {} : { orderingKey: message.orderingKey }),
        },
        { signal: tooLate.signal },
      );
    } catch (error) {
      // No message of the contract is too large for the bus once more: this one never was readable.
      const isTooLarge = error instanceof BusError && error.code === 'INVALID_MESSAGE';
      this.logger.error(isTooLarge ? 'bot.message.dropped' : 'bot.message.not-set-aside', {
        ...facts,
        error: String(error),
      });
      return isTooLarge;
    } finally {
      cancel();
    }
    this.logger.error('bot.message.set-aside', { ...facts, topic: this.names.setAside });
    return true;
  }
}

/** The original attributes that can be published again, and why the message is here. */
function attributesOf(message: ReceivedMessage, reason: SetAsideReason, bot: string): Record<string, string> {
  const original = Object.entries(message.attributes)
    // Pub/Sub adds attributes of its own at delivery and refuses them in a publish request.
    .filter(([key]) => key !== '' && !key.startsWith('goog') && !key.startsWith('bitbrat-'))
    .slice(0, MAX_FOREIGN_ATTRIBUTES);
  return {
    ...Object.fromEntries(original),
    'bitbrat-bot': bot,
    'bitbrat-error-code': reason.code,
    'bitbrat-error': cut(reason.detail),
    'bitbrat-attempts': String(reason.attempts),
    'bitbrat-message-id': message.id,
    'bitbrat-topic': message.topic,
  };
}

/** At most `MAX_VALUE_BYTES` bytes of UTF-8; a character that would be cut in two is left out. */
function cut(text: string): string {
  const bytes = Buffer.from(text.toWellFormed()).subarray(0, MAX_VALUE_BYTES);
  return bytes.toString('utf8').replace(/\uFFFD+$/, '');
}
