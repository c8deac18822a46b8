import { type Clock } from '@bitbrat/foundation';
import { type BusSubscription, type MessageBus, type MessageHandler } from '@bitbrat/message-bus';
import { AnswerTopics } from './answer-topics.js';
import { type Bot, type BotLogger, type RunningBot } from './bot.js';
import { Consumer, type ConsumerContext, type Task } from './consumer.js';
import { Lanes } from './lanes.js';
import { type BotNames } from './names.js';
import { type Publish } from './replies.js';
import { Seen } from './seen.js';
import { SetAside } from './set-aside.js';
import { type Limits } from './settings.js';
import { ingressTask, outcomeTask } from './tasks.js';

/** Messages with the bot at once; those that are not being handled wait in their lanes. */
const MAX_IN_FLIGHT = 1_000;

/** Ids of handled messages that are remembered. A lost acknowledgement is repeated within minutes. */
const REMEMBERED = 10_000;

/** How long the acknowledgements of the last messages, and then the connection, have to end, in milliseconds. */
const LAST_ACKS_MS = 500;
const CLOSE_MS = 1_000;

/** What a bot runs on. */
export interface BotHost {
  readonly bus: MessageBus;
  /** For answers: one that makes no topic. A topic without the gateway's subscription drops what it gets. */
  readonly answers: MessageBus;
  readonly names: BotNames;
  readonly limits: Limits;
  readonly logger: BotLogger;
  readonly clock: Clock;
  /** Jitter, in [0, 1). */
  readonly random: () => number;
}

/**
 * Subscribes the bot. Resolves when every message that is written from now on will reach it.
 * @throws BusError where the bus refuses the topics or subscriptions
 */
export async function startBot(bot: Bot, host: BotHost): Promise<RunningBot> {
  const { answers, bus, clock, limits, logger, names } = host;
  const draining = new AbortController();
  const expired = new AbortController();
  const setAside = new SetAside(bus, names, clock, logger);
  const allLanes: Lanes[] = [];
  const subscriptions: BusSubscription[] = [];

  const contextOf = (): ConsumerContext => {
    const lanes = new Lanes(limits.concurrency);
    allLanes.push(lanes);
    const signals = { draining: draining.signal, expired: expired.signal };
    return { ...host, ...signals, lanes, setAside, seen: new Seen(REMEMBERED) };
  };
  const read = async (
    topic: string,
    subscription: string,
    toTask: (message: Received) => Task,
  ): Promise<void> => {
    const { handle } = new Consumer(toTask, contextOf());
    subscriptions.push(await bus.subscribe({ topic, subscription, maxInFlight: MAX_IN_FLIGHT }, handle));
  };
  const topics = new AnswerTopics({ ...host, bus: answers });
  const publish: Publish = async (topic, message, signal) => {
    await topics.untilRead(topic, signal);
    return answers.publish(topic, message, { signal });
  };

  await setAside.prepare();
  if (bot.onOutcome !== undefined) {
    await read(names.outcome, names.outcomes, (message) => outcomeTask(bot, message));
  }
  await read(names.ingress, names.messages, (message) =>
    ingressTask(bot, publish, () => clock.now(), message),
  );

  const shutDown = async (): Promise<void> => {
    draining.abort();
    for (const lanes of allLanes) lanes.stop();
    const cancel = clock.setTimeout(() => {
      expired.abort();
    }, limits.drainMs);
    await Promise.all(subscriptions.map((one) => one.close(limits.drainMs + LAST_ACKS_MS)));
    cancel();
    expired.abort();
    await Promise.all([answers.close(CLOSE_MS), bus.close(CLOSE_MS)]);
    logger.info('bot.stopped', { bot: bot.name });
  };
  let stopping: Promise<void> | undefined;
  return { stop: () => (stopping ??= shutDown()) };
}

type Received = Parameters<MessageHandler>[0];
