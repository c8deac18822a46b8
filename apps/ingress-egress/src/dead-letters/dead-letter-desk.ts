import { setMaxListeners } from 'node:events';
import { type DeadLetter } from '@bitbrat/envelope';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { BusError, type MessageBus } from '@bitbrat/message-bus';
import { LRUCache } from 'lru-cache';
import {
  type LetterDetail,
  type LetterList,
  type Refusal,
  type ReplayReport,
  type ReplaySelection,
} from './letter-api.js';
import { LetterCollection } from './letter-collection.js';
import { toDetail, toSummary } from './letter-view.js';
import { planReplay, type ReplayRoutes } from './replay.js';

/** How long letters stay with the desk after a command: an operator looks at a list, then replays from it. */
const HOLD_MS = 30_000;
/** How long the bus may take to take the replayed messages. */
const PUBLISH_MS = 20_000;
const RELEASE_MS = 3_000;
/** Replayed letters that are remembered: the bus may bring an acknowledged one again. */
const REMEMBERED = 50_000;

export interface DeskServices {
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The desk cannot get at the letters now: the bus is away, or the service is stopping. */
export class DeskUnavailableError extends Error {
  override readonly name = 'DeskUnavailableError';
}

/**
 * Where an operator reads dead letters and has their messages tried again.
 *
 * Letters wait in a durable subscription, shared by all instances, as long as the bus keeps them. A command gathers
 * them, works on what it has, and holds them for half a minute for the next command; then they go back to the bus.
 * Commands run one at a time.
 */
export class DeadLetterDesk {
  readonly #replayed = new LRUCache<string, true>({ max: REMEMBERED });
  readonly #stopping = new AbortController();
  readonly #subscription: string;
  #queue: Promise<unknown> = Promise.resolve();
  #collection: LetterCollection | undefined;
  #cancelHold: () => void = () => undefined;
  /** Letters that went back to the bus: they come late, for the bus lets them wait. */
  #kept: readonly string[] = [];

  constructor(
    private readonly services: DeskServices,
    private readonly routes: ReplayRoutes,
  ) {
    this.#subscription = `${routes.topics.deadLetter}.desk`;
  }

  /** Resolves when letters that are published from now on wait for an operator. @throws BusError */
  async start(): Promise<void> {
    const topic = this.routes.topics.deadLetter;
    let release: (answer: 'nack') => void = () => undefined;
    const released = new Promise<'nack'>((resolve) => (release = resolve));
    const subscription = await this.services.bus.subscribe(
      { topic, subscription: this.#subscription, maxInFlight: 1 },
      () => released,
    );
    const closed = subscription.close(RELEASE_MS);
    release('nack');
    await closed;
  }

  /** All that waits, oldest first. @throws DeskUnavailableError */
  list(): Promise<LetterList> {
    return this.#command(({ complete, letters, unreadable }) =>
      Promise.resolve({ letters: letters.map(toSummary), complete, unreadable }),
    );
  }

  /**
   * One letter, undefined where it does not wait.
   * @param full with the message's text and whole phone numbers
   * @throws DeskUnavailableError
   */
  show(id: string, full: boolean): Promise<LetterDetail | undefined> {
    return this.#command((collection) => {
      const letter = collection.get(id);
      if (letter === undefined) return Promise.resolve(undefined);
      if (full) this.services.logger.info('dead-letters.shown-in-full', { letter: id });
      return Promise.resolve(toDetail(letter, full));
    });
  }

  /**
   * Publishes the letters' messages again and takes each letter off the bus once its message is on it. A replay that
   * is repeated, by an operator or after a crash, sends nothing twice: the event's id is the same.
   * @throws DeskUnavailableError
   */
  replay(selection: ReplaySelection): Promise<ReplayReport> {
    return this.#command(async (collection) => {
      const ids = new Set('ids' in selection ? selection.ids : []);
      // In the order in which they became dead letters, which is that of each destination.
      const letters = collection.letters.filter(({ error, id }) =>
        'ids' in selection ? ids.has(id) : error.code === selection.reason,
      );
      const missing = [...ids].filter((id) => collection.get(id) === undefined);
      const report: ReplayReport = {
        replayed: [],
        alreadyReplayed: missing.filter((id) => this.#replayed.has(id)),
        refused: missing.filter((id) => !this.#replayed.has(id)).map((id) => notWaiting(id)),
        complete: collection.complete,
      };
      await this.#publishAll(letters, collection, report);
      return report;
    });
  }

  /** Gives back what is held; resolves within about three seconds. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#oneAtATime(() => this.#release());
  }

  async #publishAll(
    letters: readonly DeadLetter[],
    collection: LetterCollection,
    report: ReplayReport,
  ): Promise<void> {
    const { bus, clock, logger } = this.services;
    const late = new AbortController();
    const cancel = clock.setTimeout(() => {
      late.abort();
    }, PUBLISH_MS);
    const signal = AbortSignal.any([late.signal, this.#stopping.signal]);
    // Each publish listens to it; Node warns from the eleventh on.
    setMaxListeners(letters.length + 1, signal);
    await Promise.all(
      letters.map(async (letter) => {
        const { id } = letter;
        const plan = planReplay(letter, this.routes, clock.now());
        if (!plan.ok) {
          report.refused.push({ id, ...plan.refusal });
          return;
        }
        const { message, topic } = plan;
        try {
          const messageId = await bus.publish(topic, message, { signal });
          this.#replayed.set(id, true);
          collection.remove(id);
          report.replayed.push({ id, topic, messageId });
          logger.info('dead-letters.replayed', { letter: id, topic, message: messageId });
        } catch (error) {
          report.refused.push(notTaken(id, error));
        }
      }),
    );
    cancel();
  }

  #command<T>(work: (collection: LetterCollection) => Promise<T>): Promise<T> {
    return this.#oneAtATime(async () => {
      if (this.#stopping.signal.aborted) throw new DeskUnavailableError('the service is stopping');
      this.#cancelHold();
      this.#collection ??= await this.#gather();
      try {
        return await work(this.#collection);
      } finally {
        this.#cancelHold = this.services.clock.setTimeout(() => {
          this.#oneAtATime(() => this.#release()).catch((error: unknown) => {
            this.services.logger.warn('dead-letters.release-failed', { reason: String(error) });
          });
        }, HOLD_MS);
      }
    });
  }

  async #gather(): Promise<LetterCollection> {
    const collection = new LetterCollection(this.services, {
      topic: this.routes.topics.deadLetter,
      subscription: this.#subscription,
      isDone: (id) => this.#replayed.has(id),
    });
    try {
      await collection.open(this.#kept, this.#stopping.signal);
      return collection;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DeskUnavailableError(`the dead letters cannot be read: ${reason}`, { cause: error });
    }
  }

  async #release(): Promise<void> {
    this.#cancelHold();
    const collection = this.#collection;
    this.#collection = undefined;
    this.#kept = (await collection?.release(RELEASE_MS)) ?? this.#kept;
  }

  #oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(work);
    this.#queue = run.catch(() => undefined);
    return run;
  }
}

function notWaiting(id: string): Refusal {
  const reason = 'no letter with this id waits: see the list; another instance may have it for half a minute';
  return { id, code: 'NOT_WAITING', reason };
}

function notTaken(id: string, error: unknown): Refusal {
  if (!(error instanceof BusError)) return { id, code: 'INTERNAL', reason: String(error) };
  const { code, message } = error;
  const reason =
    code === 'ABORTED'
      ? 'the bus has not taken it in time: replay it again, nothing is sent twice by it'
      : message;
  return { id, code, reason };
}
