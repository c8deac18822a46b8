import { encodeEgress, type IngressEnvelope } from '@bitbrat/envelope';
import { BusError, type OutgoingMessage } from '@bitbrat/message-bus';
import { toAnswer } from './answer.js';
import { type Reply } from './bot.js';
import { BotError } from './bot-error.js';

/** Resolves when the bus has taken the message. */
export type Publish = (topic: string, message: OutgoingMessage, signal: AbortSignal) => Promise<unknown>;

/** What the answers of one call have in common. */
export interface RepliesContext {
  readonly botName: string;
  readonly envelope: IngressEnvelope;
  readonly traceparent: string | undefined;
  readonly publish: Publish;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The answers that one call of a handler gives. */
export class Replies {
  readonly #pending: Promise<unknown>[] = [];
  readonly #keys = new Set<string>();
  #isOver = false;

  constructor(private readonly context: RepliesContext) {}

  readonly reply: Reply = (text, options = {}) => {
    const sent = this.#send(text, options);
    // An answer that is not awaited fails the handler in `finish`, and not the process.
    sent.catch(() => undefined);
    this.#pending.push(sent);
    return sent;
  };

  /** No further answer is taken. Rejects where one was refused or cannot be published. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#pending);
  }

  /** No further answer is taken. */
  cancel(): void {
    this.#isOver = true;
  }

  async #send(text: string, options: Parameters<Reply>[1] & object): Promise<string> {
    const { botName, envelope, now, publish, signal, traceparent } = this.context;
    if (this.#isOver || signal.aborted) {
      throw new BotError(
        'TOO_LATE',
        'reply was called after the handler had ended: await all that the handler does',
      );
    }
    const event = toAnswer(botName, envelope, text, { ...options, key: this.#keyOf(options.key) });
    const encoded = encodeEgress(event, `/bots/${botName}`, new Date(now()).toISOString(), traceparent);
    if (!encoded.ok) throw new BotError('INVALID_REPLY', `the answer is not valid: ${encoded.fault.detail}`);
    try {
      await publish(envelope.replyTo.topic, encoded.value, signal);
    } catch (error) {
      throw toBotError(error);
    }
    return event.id;
  }

  /** Two answers with one id would be one message to the gateway. */
  #keyOf(given: string | undefined): string {
    const number = this.#keys.size + 1;
    const key = given ?? (number === 1 ? '' : String(number));
    if (this.#keys.has(key)) {
      throw new BotError('INVALID_REPLY', `the answer is not valid: key: another answer has the same one`);
    }
    this.#keys.add(key);
    return key;
  }
}

function toBotError(error: unknown): unknown {
  if (!(error instanceof BusError)) return error;
  const isRefused = error.code === 'INVALID_MESSAGE' || error.code === 'INVALID_NAME';
  return isRefused
    ? new BotError('INVALID_REPLY', `the bus refuses the answer: ${error.message}`, { cause: error })
    : new BotError('STOPPED', 'the handler ended before the bus had taken the answer', { cause: error });
}
