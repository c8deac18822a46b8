import { type Clock, type Logger, messageOf, sleep } from '@bitbrat/foundation';
import { isTopicKeeper, type MessageBus } from '@bitbrat/message-bus';

/** An owner that was not there for so long is gone. Longer than Pub/Sub keeps a subscription that nobody reads. */
const UNUSED_FOR_MS = 25 * 60 * 60 * 1_000;
const SWEEP_EVERY_MS = 6 * 60 * 60 * 1_000;

/** Milliseconds after which removing is given up; the topic is then swept by a later process. */
const DISCARD_MS = 2_000;

/** What the sweep and the removal need. */
export interface TemporaryEgressServices {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The egress topic of a process whose id no other process will have: removed at its end, or swept by others later. */
export class TemporaryEgress {
  readonly #stopped = new AbortController();

  constructor(
    private readonly services: TemporaryEgressServices,
    /** Full name; the subscription has the same one. */
    private readonly topic: string,
  ) {}

  /** Warns, and sweeps what other processes have left behind, now and every few hours. */
  start(): void {
    this.services.logger.warn('service.temporary-egress-topic', {
      topic: this.topic,
      hint: 'set EGRESS_INSTANCE_ID: answers to messages from before a restart are lost without it, and each start makes a topic',
    });
    void this.#sweepOften();
  }

  /** Call it when the subscriber is closed. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    const { bus, clock, logger } = this.services;
    if (!isTopicKeeper(bus)) return;
    const removal = bus.discardTemporary({ topic: this.topic, subscription: this.topic }).then(
      (isRemoved) => (isRemoved ? undefined : 'messages may be left in it'),
      (error: unknown) => messageOf(error),
    );
    const reason = await Promise.race([removal, sleep(clock, DISCARD_MS).then(() => 'no answer in time')]);
    if (reason !== undefined) logger.warn('service.egress-topic-left', { topic: this.topic, reason });
  }

  async #sweepOften(): Promise<void> {
    const { bus, clock, logger } = this.services;
    const { signal } = this.#stopped;
    if (!isTopicKeeper(bus)) return;
    const prefix = this.topic.slice(
      0,
      this.topic.lastIndexOf('internal.egress.v1.') + 'internal.egress.v1.'.length,
    );
    while (!signal.aborted) {
      try {
        for (const topic of await bus.sweepTemporary(prefix, UNUSED_FOR_MS)) {
          logger.info('service.egress-topic-swept', { topic });
        }
      } catch (error) {
        logger.debug('service.sweep-failed', { reason: messageOf(error) });
      }
      await sleep(clock, SWEEP_EVERY_MS, signal);
    }
  }
}
