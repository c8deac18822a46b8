import { ConnectorError } from '@bitbrat/connectors-core';
import { type Clock } from '@bitbrat/foundation';
import { type ChatLine } from '../platform/chat-line.js';
import { sentAtOf } from '../platform/native-message.js';

/** Milliseconds for an answer. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface WatchdogOptions {
  readonly clock: Clock;
  /** Milliseconds between two questions. */
  readonly intervalMs: number;
  /** Sends a PING. */
  readonly ask: () => void;
  /** The socket says that it is connected and gives no answer. */
  readonly onDead: (error: ConnectorError) => void;
}

/**
 * Finds half-open connections: left to itself tmi.js needs 100 seconds. Any line counts as an answer. Knows, too, up to when nothing that
 * Twitch sent can be missing.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #cancel: () => void = () => undefined;
  #lastHeardAt: number;
  #heardUntil: number;
  /** When each PING that has no answer yet was sent, oldest first. */
  readonly #asked: number[] = [];
  #heard = false;
  #stopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#lastHeardAt = options.clock.now();
    this.#heardUntil = this.#lastHeardAt;
  }

  /** Milliseconds since 1970. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  /**
   * Up to when everything that Twitch sent has come, in milliseconds since 1970. Not the time at which a line came: a slow network, or a process
   * that stood still, gets lines long after they were sent, and perhaps not all of them. 0 where nobody knows: the machine's clock was ahead when
   * that was found out, and no line has come since.
   */
  get heardUntil(): number {
    return this.#heardUntil <= this.#options.clock.now() ? this.#heardUntil : 0;
  }

  /** To be called for each line, in order. */
  heard(line: Pick<ChatLine, 'command' | 'tags'>): void {
    this.#heard = true;
    this.#lastHeardAt = this.#options.clock.now();
    const sentAt = line.command === 'PONG' ? this.#asked.shift() : sentAtOf(line.tags);
    if (sentAt === undefined) return;
    // The clock was ahead when it asked, so it does not know how long the answer took.
    if (line.command === 'PONG' && sentAt > this.#lastHeardAt) return;
    const until = Math.min(sentAt, this.#lastHeardAt);
    this.#heardUntil = Math.max(this.heardUntil, until);
  }

  start(): void {
    const { clock, intervalMs } = this.#options;
    if (this.#stopped) return;
    this.#cancel = clock.setTimeout(() => {
      this.#heard = false;
      this.#cancel = clock.setTimeout(() => {
        this.#judge();
      }, ANSWER_TIMEOUT_MS);
      this.askNow();
    }, intervalMs);
  }

  /** Asks once, out of turn. Nothing follows if there is no answer. */
  askNow(): void {
    this.#asked.push(this.#options.clock.now());
    this.#options.ask();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #judge(): void {
    if (this.#heard) {
      this.start();
      return;
    }
    const message = `the connection is dead: no answer in ${ANSWER_TIMEOUT_MS} ms`;
    this.#options.onDead(new ConnectorError('TIMEOUT', message));
  }
}
