import { type Attachment, type EgressOutcome, type IngressEnvelope, type JsonValue } from './contract.js';

/** What goes with the text of an answer. */
export interface ReplyOptions {
  /**
   * Tells several answers to one message apart. It must be the same when the handler runs again: `shipped`, not a random value.
   * Default: the answers of one call are numbered in the order of `reply`.
   */
  readonly key?: string | undefined;
  /** Files to send along, by a URL that the platform can reach. */
  readonly attachments?: readonly Attachment[] | undefined;
  /** After this time the answer is not sent any more. */
  readonly expiresAt?: Date | undefined;
  /** Facts of your own. They are not shown to the person. */
  readonly metadata?: Readonly<Record<string, JsonValue>> | undefined;
  /** Shows the answer as an answer to the message, where the platform can. Default true. */
  readonly quote?: boolean | undefined;
}

/**
 * Answers the message. Resolves with the id of the answer when the bus has taken it.
 *
 * The id is made of the bot's name, the message's id and `key` or the answer's number. A message that is handled again gives the
 * same id, and the gateway sends the answer once.
 * @param text plain text of any length; the gateway splits it where the platform needs that
 * @throws BotError `INVALID_REPLY`, `TOO_LATE`, `STOPPED`
 */
export type Reply = (text: string, options?: ReplyOptions) => Promise<string>;

/** What a handler gets beside the message. */
export interface MessageContext {
  readonly reply: Reply;
  /** Aborted when nobody waits for the handler any more: it took longer than `timeoutMs`, or the bot stops. */
  readonly signal: AbortSignal;
  /** 1 for the first call with this message in this process, one more for each retry. */
  readonly attempt: number;
  /** The W3C trace context of the message, where it has one. */
  readonly traceparent: string | undefined;
}

/** What a handler of outcomes gets beside the outcome. */
export type OutcomeContext = Pick<MessageContext, 'signal' | 'attempt'>;

/** A bot: its name and what it does. `runBot` runs it and `testBot` tests it. */
export interface Bot {
  /** Lower-case letters, digits and hyphens. Bots of one name share the messages; bots of different names each get all. */
  readonly name: string;
  /**
   * A person wrote a message. It counts as handled when the returned promise resolves and all its answers are on the bus.
   *
   * Messages of one conversation come one after the other. A handler that throws is called again, see `attempts`.
   */
  onMessage(message: IngressEnvelope, context: MessageContext): unknown;
  /**
   * Anything else that happened: an edit, a deletion, consent (STOP and the like), a message by another bot. Do not answer
   * consent and other bots without need. Default: ignored.
   */
  onEvent?(event: IngressEnvelope, context: MessageContext): unknown;
  /** What became of an answer of this bot: sent, failed and so on. Default: nobody listens. */
  onOutcome?(outcome: EgressOutcome, context: OutcomeContext): unknown;
}

/** Facts that go with a log event. Never the text of a message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the library logs. Messages are events such as `bot.ready`. */
export interface BotLogger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** How a bot runs. Each has a default. */
export interface RunOptions {
  /** Messages that are handled at the same time, each of another conversation. Default 16. */
  readonly concurrency?: number | undefined;
  /** Calls of the handler with one message before it is set aside. Default 5. */
  readonly attempts?: number | undefined;
  /** How long one call of the handler may take, in milliseconds. Default 300,000. */
  readonly timeoutMs?: number | undefined;
  /** How long handlers have to end when the bot stops, in milliseconds. Default 8,000; Cloud Run kills after 10 s. */
  readonly drainMs?: number | undefined;
  /**
   * Makes topics and subscriptions that are missing, which needs the role `roles/pubsub.editor`. Default true. With false a missing
   * one is an error that names the command to run.
   */
  readonly createMissing?: boolean | undefined;
  /** Stops on SIGTERM and SIGINT, and ends the process. Default true. */
  readonly signals?: boolean | undefined;
  /** Where the settings of the bus are read. Default: `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Default: one line per event on standard output and, from `warn` up, standard error. */
  readonly logger?: BotLogger | undefined;
}

/** A bot that is running. */
export interface RunningBot {
  /**
   * Takes no further message, waits for the handlers up to `drainMs`, and closes the connection. What is not handled by then
   * comes again to the next process. Idempotent.
   */
  stop(): Promise<void>;
}
