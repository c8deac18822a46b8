import { type Clock, ConnectorError } from '@bitbrat/connectors-core';

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

/** Finds half-open connections: left to itself tmi.js needs 100 seconds. Any line counts as an answer. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #cancel: () => void = () => undefined;
  #lastHeardAt: number;
  #heard = false;
  #stopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#lastHeardAt = options.clock.now();
  }

  /** Milliseconds since 1970. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  /** To be called for each line. */
  heard(): void {
    this.#heard = true;
    this.#lastHeardAt = this.#options.clock.now();
  }

  start(): void {
    const { ask, clock, intervalMs } = this.#options;
    if (this.#stopped) return;
    this.#cancel = clock.setTimeout(() => {
      this.#heard = false;
      this.#cancel = clock.setTimeout(() => {
        this.#judge();
      }, ANSWER_TIMEOUT_MS);
      ask();
    }, intervalMs);
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
