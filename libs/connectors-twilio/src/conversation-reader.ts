import { type Message } from '@twilio/conversations';
import { type ConnectorError, type ConnectorHost, Drainer } from '@bitbrat/connectors-core';
import { type ClientSession } from './client-session.js';
import { type TwilioConfig } from './config.js';
import { ConversationCursor } from './conversation-cursor.js';
import { toTwilioError } from './errors.js';
import { InterruptibleReads } from './interruptible-reads.js';
import { type MessageIntake } from './message-intake.js';

/** Conversations that are read at once. */
const MAX_CONCURRENT = 16;

/** Milliseconds that reads and publishes under way get at the end. */
const DRAIN_LIMIT_MS = 1_500;

export interface ReaderOptions {
  readonly config: TwilioConfig;
  readonly host: ConnectorHost;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
  readonly intake: Pick<MessageIntake, 'take'>;
  /** Aborted when nothing is to be published any more. */
  readonly signal: AbortSignal;
  /** The client to read with at present. */
  readonly session: () => Pick<ClientSession, 'conversation' | 'forget' | 'isJoined'> | undefined;
  /** So many messages were read. */
  readonly onRead: (count: number) => void;
  /** The conversation is deleted, or the bot was removed from it. */
  readonly onGone: (conversationSid: string) => void;
}

/** Reads all conversations, each from where it was left, over the clients that follow each other. */
export class ConversationReader {
  readonly #cursors = new Map<string, ConversationCursor<Message>>();
  readonly #reads = new InterruptibleReads();
  readonly #drainer: Drainer;

  constructor(private readonly options: ReaderOptions) {
    const { clock, logger } = options.host;
    this.#drainer = new Drainer({
      clock,
      random: options.random,
      concurrency: MAX_CONCURRENT,
      drain: (conversationSid, signal) => this.#drain(conversationSid, signal),
      toError: (reason, conversationSid) => toTwilioError(reason, `read ${conversationSid}`),
      isGone: (error, conversationSid) => {
        if (!isGone(error)) return false;
        // A later event brings it back.
        const fields = { conversationSid, code: error.code, reason: error.message };
        logger.info('twilio.conversation-gone', fields);
        return true;
      },
      onFailure: (conversationSid, { error, failures, waitMs }) => {
        const fields = { conversationSid, code: error.code, reason: error.message, failures, waitMs };
        logger.warn('twilio.read-failed', fields);
      },
    });
  }

  /** Conversations that are read, or wait for it. */
  get pending(): number {
    return this.#drainer.pending;
  }

  /** Says that a conversation may have news. */
  wake(conversationSid: string): void {
    this.#drainer.wake(conversationSid);
  }

  /** Tries at once what waits for a back-off: its cause may be gone. */
  retryNow(): void {
    this.#drainer.retryNow();
  }

  /** The connection is a new one: what the old one has left unanswered is asked for again. */
  reconnected(): void {
    this.#reads.interrupt();
    this.retryNow();
  }

  /** Should the conversation come back, it is read from its horizon on. */
  forget(conversationSid: string): void {
    this.#cursors.delete(conversationSid);
  }

  /** Resolves when what is being read has ended, or after 1.5 seconds. */
  async stop(): Promise<void> {
    await this.#drainer.stop(DRAIN_LIMIT_MS);
  }

  async #drain(conversationSid: string, signal: AbortSignal): Promise<void> {
    const session = this.options.session();
    if (signal.aborted || session === undefined) return;
    const wasJoined = session.isJoined(conversationSid);
    const cursor = this.#cursorOf(conversationSid);
    const isCurrent = (): boolean => session === this.options.session();
    // A busy conversation is never read to its end, so the reading itself must stop when the client is replaced.
    const untilReplaced = {
      get aborted(): boolean {
        return signal.aborted || !isCurrent();
      },
    };
    try {
      const conversation = await session.conversation(conversationSid);
      await cursor.drain(this.#reads.of(conversation), untilReplaced);
    } catch (reason) {
      const error = toTwilioError(reason, `read ${conversationSid}`);
      // The refusal is older than the event that has told of the bot's joining: the wake-up that came with it reads on.
      const isJoinedSince =
        session.isJoined(conversationSid) && !(wasJoined && this.#cursors.get(conversationSid) === cursor);
      if (isGone(error) && !isJoinedSince) {
        session.forget(conversationSid);
        if (isCurrent()) this.options.onGone(conversationSid);
      }
      throw error;
    }
  }

  /** Apart from the drain, for a cursor outlives the session that it began with, and must not keep it. */
  #cursorOf(conversationSid: string): ConversationCursor<Message> {
    const known = this.#cursors.get(conversationSid);
    if (known !== undefined) return known;
    const { config, host, intake, onRead, signal } = this.options;
    const cursor = new ConversationCursor<Message>({
      take: (messages) => {
        onRead(messages.length);
        return intake.take(messages, signal);
      },
      oldest: () => host.clock.now() - config.historyHours * 3_600_000,
    });
    this.#cursors.set(conversationSid, cursor);
    return cursor;
  }
}

/** Whether a conversation is deleted, or the bot was removed from it. */
function isGone({ code }: ConnectorError): boolean {
  return code === 'TARGET_NOT_FOUND' || code === 'FORBIDDEN';
}
