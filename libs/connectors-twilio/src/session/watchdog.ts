import { ConnectorError } from '@bitbrat/connectors-core';
import { type Clock, withTimeout } from '@bitbrat/foundation';

/** Milliseconds for an answer. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface WatchdogOptions {
  readonly clock: Clock;
  /** Milliseconds between two questions. */
  readonly intervalMs: number;
  /** A cheap question to the platform over the socket. */
  readonly ask: () => Promise<unknown>;
  readonly isConnected: () => boolean;
  /** The socket says that it is connected and gives no answer. */
  readonly onDead: (error: ConnectorError) => void;
}

/** Finds half-open connections: the SDK keeps calling them `connected` for ever, and the platform's pings do not reach us. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #cancel: () => void = () => undefined;
  #stopped = false;
  #lastAnswerAt: number | undefined;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Milliseconds since 1970. */
  get lastAnswerAt(): number | undefined {
    return this.#lastAnswerAt;
  }

  start(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.setTimeout(() => {
      void this.#check().finally(() => {
        this.start();
      });
    }, this.#options.intervalMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #check(): Promise<void> {
    const { ask, clock, isConnected, onDead } = this.#options;
    if (!isConnected()) return;
    const silence = new ConnectorError(
      'TIMEOUT',
      `the connection is dead: no answer in ${ANSWER_TIMEOUT_MS} ms`,
    );
    try {
      await withTimeout(clock, ask(), ANSWER_TIMEOUT_MS, () => silence);
    } catch (error) {
      if (error === silence) {
        if (isConnected()) onDead(silence);
        return;
      }
      // Any refusal is an answer; a connection that was lost meanwhile has its own events.
    }
    this.#lastAnswerAt = clock.now();
  }
}
