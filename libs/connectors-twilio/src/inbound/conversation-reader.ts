import { type Message } from '@twilio/conversations';
import { ConnectorError, type ConnectorHost, Drainer } from '@bitbrat/connectors-core';
import { LRUCache } from 'lru-cache';
import { type ClientSession } from '../session/client-session.js';
import { ConversationCursor, type PassedOver } from './conversation-cursor.js';
import { saysGone, toTwilioError } from '../platform/errors.js';
import { UNREPORTED_HOLD_MS } from './hold-report.js';
import { InterruptibleReads } from './interruptible-reads.js';
import { type MessageIntake } from './message-intake.js';
import { PartialProblem, type ProblemReporter } from './partial-problem.js';
import { slowRetryMs } from './slow-retry.js';

/** Conversations that are read at once. */
const MAX_CONCURRENT = 16;

/** Conversations that are not read any more, of which it is remembered how far they were. */
const REMEMBERED = 10_000;

/** Milliseconds that reads and publishes under way get at the end. */
const DRAIN_LIMIT_MS = 1_500;

export interface ReaderOptions {
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
  /** As `CursorOptions.oldest`, of a conversation. */
  readonly oldest: (conversationSid: string) => Promise<number>;
  readonly onPassedOver: (conversationSid: string, passedOver: PassedOver) => void;
  readonly problems: ProblemReporter;
}

/** Reads all conversations, each from where it was left, over the clients that follow each other. */
export class ConversationReader {
  readonly #cursors = new Map<string, ConversationCursor<Message>>();
  /** How far conversations were read that are forgotten: should one come back, nothing is published twice. */
  readonly #takenUntil = new LRUCache<string, number>({ max: REMEMBERED });
  readonly #reads = new InterruptibleReads();
  readonly #drainer: Drainer;
  readonly #unreadable: PartialProblem;
  readonly #horizons: PartialProblem;

  constructor(private readonly options: ReaderOptions) {
    const { clock, logger } = options.host;
    this.#unreadable = new PartialProblem('reading conversations', options.problems);
    this.#horizons = new PartialProblem('read horizon', options.problems);
    this.#drainer = new Drainer({
      clock,
      random: options.random,
      concurrency: MAX_CONCURRENT,
      drain: (conversationSid, signal) => this.#drain(conversationSid, signal),
      toError: (reason, conversationSid) => this.#toError(reason, conversationSid),
      isGone: (error, conversationSid) => {
        if (!saysGone(error)) return false;
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

  /** Should the conversation come back, it is read from its horizon on, or from where this process was. */
  forget(conversationSid: string): void {
    const takenUntil = this.#cursors.get(conversationSid)?.takenUntil;
    if (takenUntil !== undefined) this.#takenUntil.set(conversationSid, takenUntil);
    this.#cursors.delete(conversationSid);
    this.#unreadable.solved(conversationSid);
    this.#horizons.solved(conversationSid);
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
      this.#unreadable.solved(conversationSid);
    } catch (reason) {
      const error = toTwilioError(reason, `read ${conversationSid}`);
      // The refusal is older than the event that has told of the bot's joining: the wake-up that came with it reads on.
      const isJoinedSince =
        session.isJoined(conversationSid) && !(wasJoined && this.#cursors.get(conversationSid) === cursor);
      if (saysGone(error) && !isJoinedSince) {
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
    const { host, intake, oldest, onPassedOver, onRead, signal } = this.options;
    const cursor = new ConversationCursor<Message>({
      take: (messages) => {
        onRead(messages.length);
        return intake.take(messages, signal);
      },
      oldest: () => oldest(conversationSid),
      clock: host.clock,
      takenUntil: this.#takenUntil.get(conversationSid),
      onPassedOver: (passedOver) => {
        onPassedOver(conversationSid, passedOver);
      },
      onHorizonRefused: (error, waitMs) => {
        const fields = { conversationSid, code: error.code, reason: error.message, waitMs };
        host.logger.warn('twilio.horizon-refused', fields);
        this.#horizons.failed(conversationSid, error, waitMs);
      },
      onHorizonMoved: () => {
        this.#horizons.solved(conversationSid);
      },
    });
    this.#cursors.set(conversationSid, cursor);
    return cursor;
  }

  /** What is refused for good, or with an answer that no table lists, is read again slowly. */
  #toError(reason: unknown, conversationSid: string): ConnectorError {
    const error = toTwilioError(reason, `read ${conversationSid}`);
    if (saysGone(error)) return error;
    if (error.failureClass === 'transient') {
      const { retryAfterMs = 0 } = error;
      if (retryAfterMs > UNREPORTED_HOLD_MS) this.#unreadable.failed(conversationSid, error, retryAfterMs);
      return error;
    }
    const failures = this.#unreadable.failuresOf(conversationSid) + 1;
    const waitMs = Math.max(slowRetryMs(failures), error.retryAfterMs ?? 0);
    this.#unreadable.failed(conversationSid, error, waitMs);
    const { cause, code, hint, message, nativeCode, unlisted } = error;
    return new ConnectorError(code, message, { cause, hint, nativeCode, unlisted, retryAfterMs: waitMs });
  }
}
