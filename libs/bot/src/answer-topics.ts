import { type BackoffPolicy, backoffMs, type Clock, sleep } from '@bitbrat/foundation';
import { isTopicKeeper, type MessageBus } from '@bitbrat/message-bus';
import { type BotLogger } from './bot.js';
import { Seen } from './seen.js';

const LOOK_AGAIN: BackoffPolicy = { baseMs: 250, maxMs: 2_000 };

/** Topics that are known to be read. Envelopes name topics, so their number has a bound. */
const REMEMBERED = 1_000;

/** What the topics of answers need. */
export interface AnswerTopicsContext {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: BotLogger;
}

/**
 * Knows which topics a gateway reads. A topic that is missing is made by the gateway, and only then its subscription: an answer that is
 * published in between would be dropped by the bus.
 */
export class AnswerTopics {
  readonly #read = new Seen(REMEMBERED);

  constructor(private readonly context: AnswerTopicsContext) {}

  /** Resolves when somebody is subscribed to the topic, when the bus does not let us see that, or when `signal` is aborted. */
  async untilRead(topic: string, signal: AbortSignal): Promise<void> {
    const { bus, clock, logger, random } = this.context;
    if (!isTopicKeeper(bus) || this.#read.has(topic)) return;
    for (let looks = 1; !signal.aborted; looks++) {
      const found = await bus.inspectTopic(topic).catch((error: unknown) => error);
      if (found === 'some' || found === 'unknown') {
        this.#read.add(topic);
        return;
      }
      if (looks === 1) {
        const reason = found === 'none' ? 'nobody is subscribed' : String(found);
        const cure = 'start the gateway that wrote the message; the answer waits for it';
        logger.warn('bot.answer.waiting', { topic, reason, cure });
      }
      await sleep(clock, backoffMs(LOOK_AGAIN, looks, random, 'half'), signal);
    }
  }
}
