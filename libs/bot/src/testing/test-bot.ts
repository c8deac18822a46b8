import { decodeEgress, ENVELOPE_VERSION, encodeIngress, encodeOutcome } from '@bitbrat/envelope';
import { type ReceivedMessage } from '@bitbrat/message-bus';
import { type Bot } from '../bot.js';
import { BotError } from '../bot-error.js';
import { type Task } from '../consumer.js';
import { type EgressEvent, type EgressOutcome, type IngressEnvelope } from '../contract.js';
import { type Publish } from '../replies.js';
import { checkBot } from '../settings.js';
import { ingressTask, outcomeTask } from '../tasks.js';
import { type MessageOptions, People } from './people.js';

/** What came of one message. */
export interface Exchange {
  /** What the bot was given. */
  readonly message: IngressEnvelope;
  /** What the bot answered, in order, as the gateway gets it. */
  readonly answers: readonly EgressEvent[];
}

/** A person writes; resolves when the bot has handled the message. Rejects with what the handler threw. */
export type Say = (text: string, options?: MessageOptions) => Promise<Exchange>;

/** A bot under test. */
export interface TestBot {
  readonly sms: Say;
  readonly whatsApp: Say;
  /** A line in a Twitch chat. */
  readonly twitch: Say;
  /** A message in a channel of a Discord server. */
  readonly discord: Say;
  /** A private message on Discord. */
  readonly discordDirect: Say;
  /** The author changes a message; `onEvent` gets it. */
  edit(message: IngressEnvelope, text: string): Promise<Exchange>;
  /** A message is deleted; `onEvent` gets it. */
  remove(message: IngressEnvelope): Promise<Exchange>;
  /** The person wrote STOP (`out`), START (`in`) or HELP (`help`); `onEvent` gets what it means. */
  consent(message: IngressEnvelope, consent: 'out' | 'in' | 'help'): Promise<Exchange>;
  /** What became of an answer; `onOutcome` gets it. */
  outcome(
    answer: EgressEvent,
    status: EgressOutcome['status'],
    error?: EgressOutcome['error'],
  ): Promise<void>;
  /**
   * Hands over an envelope as it is: one of your own, or one more time. A bot may be given a message twice; its answers then have the
   * same ids.
   * @param options `attempt`: 2 for the first retry. `signal`: aborts the handler's signal.
   */
  deliver(
    message: IngressEnvelope,
    options?: { readonly attempt?: number; readonly signal?: AbortSignal },
  ): Promise<Exchange>;
  /** All answers so far. */
  readonly answers: readonly EgressEvent[];
}

const TIME = Date.parse('2026-01-01T12:00:00.000Z');

/**
 * A bot without a bus and without platforms. Messages and answers pass through the same code as in `runBot`, so that what
 * the gateway would refuse is refused here. Nothing depends on time or chance.
 * @throws BotError `INVALID_OPTION`
 */
export function testBot(bot: Bot): TestBot {
  checkBot(bot);
  const people = new People();
  const answers: EgressEvent[] = [];
  let delivered = 0;

  const deliver: TestBot['deliver'] = async (message, { attempt = 1, signal } = {}) => {
    const encoded = encodeIngress(message);
    if (!encoded.ok)
      throw new BotError('INVALID_OPTION', `the message is not valid: ${encoded.fault.detail}`);
    const exchange: EgressEvent[] = [];
    const publish: Publish = (_topic, { data }) => {
      const decoded = decodeEgress(data);
      if (!decoded.ok)
        throw new BotError('INVALID_REPLY', `the answer is not valid: ${decoded.fault.detail}`);
      exchange.push(decoded.value);
      answers.push(decoded.value);
      return Promise.resolve();
    };
    delivered += 1;
    const received = toReceived(encoded.value, delivered);
    await perform(
      ingressTask(bot, publish, () => TIME, received),
      attempt,
      signal,
    );
    return { message, answers: exchange };
  };
  const say =
    (make: (text: string, options?: MessageOptions) => IngressEnvelope): Say =>
    (text, options) =>
      deliver(make(text, options));

  return {
    sms: say((text, options) => people.sms(text, options)),
    whatsApp: say((text, options) => people.whatsApp(text, options)),
    twitch: say((text, options) => people.twitch(text, options)),
    discord: say((text, options) => people.discord(text, options)),
    discordDirect: say((text, options) => people.discordDirect(text, options)),
    edit: (message, text) => deliver(people.edited(message, text)),
    remove: (message) => deliver(people.deleted(message)),
    consent: (message, consent) => deliver(people.consent(message, consent)),
    outcome: async (answer, status, error) => {
      const encoded = encodeOutcome(toOutcome(answer, status, error), '/ingress-egress/test');
      if (!encoded.ok)
        throw new BotError('INVALID_OPTION', `the outcome is not valid: ${encoded.fault.detail}`);
      delivered += 1;
      if (bot.onOutcome === undefined) return;
      await perform(outcomeTask(bot, toReceived(encoded.value, delivered)), 1, undefined);
    },
    deliver,
    answers,
  };
}

async function perform(task: Task, attempt: number, signal: AbortSignal | undefined): Promise<void> {
  if (task.kind === 'unreadable') {
    throw new BotError('INVALID_OPTION', `the message is not valid: ${task.fault.detail}`);
  }
  if (task.kind === 'call') await task.call(attempt, signal ?? new AbortController().signal);
}

function toReceived(
  message: Pick<ReceivedMessage, 'data' | 'attributes' | 'orderingKey'>,
  number: number,
): ReceivedMessage {
  return { ...message, id: String(number), topic: 'internal.ingress.v1', attempt: 1, publishedAt: TIME };
}

function toOutcome(
  answer: EgressEvent,
  status: EgressOutcome['status'],
  error: EgressOutcome['error'],
): Parameters<typeof encodeOutcome>[0] {
  const isAccepted = status === 'sent' || status === 'delivered' || status === 'read';
  return {
    v: ENVELOPE_VERSION,
    id: `${answer.id}:${status}`,
    type: 'chat.outcome.v1',
    eventId: answer.id,
    correlationId: answer.correlationId,
    status,
    target: { ...answer.target },
    platformMessageIds: isAccepted ? ['1'] : [],
    attempts: 1,
    ...(error === undefined ? {} : { error: { ...error } }),
    occurredAt: new Date(TIME).toISOString(),
  };
}
