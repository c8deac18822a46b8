import { ConnectorError, toConnectorError } from '../connector-error.js';
import { type ConnectorRecord } from './connector-record.js';

/** What a connector does at the two ends of its life. */
export interface LifeSteps {
  /**
   * Connects, and reports `connected` as its last step. `signal` is aborted when the start is given up and when the
   * connector stops or fails: what `open` has begun may follow it for all its life.
   * @throws ConnectorError
   */
  open(signal: AbortSignal): Promise<void>;
  /** Ends what `open` has begun; nothing is received, sent or published afterwards. Idempotent; never rejects. */
  close(): Promise<void>;
}

/**
 * The start, stop and failure of one connector, in any order and number: one life at a time, `close` after each `open`.
 * It alone reports `starting`, `stopped` and `failed`.
 */
export class ConnectorLife {
  #abort = new AbortController();
  #starting: Promise<void> | undefined;
  /** The stop or failure that is in progress. */
  #ending: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Something was opened that is not closed. */
  #isUsed = false;

  constructor(
    private readonly record: ConnectorRecord,
    private readonly steps: LifeSteps,
  ) {}

  /** Whether the connector is connected, or comes back by itself. */
  get isOpen(): boolean {
    const { status } = this.record.state;
    return status === 'connected' || status === 'reconnecting';
  }

  /** Whether the present life is over or ending. */
  get isEnding(): boolean {
    return this.#abort.signal.aborted;
  }

  /** As `IConnector.start`: does nothing where the connector is open, and joins a start that is in progress. */
  start(signal: AbortSignal): Promise<void> {
    if (this.#starting === undefined && this.#ending === undefined && this.isOpen) return Promise.resolve();
    this.#starting ??= this.#start(signal, this.#ending).finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** As `IConnector.stop`. */
  stop(): Promise<void> {
    this.#abort.abort(new GivenUp());
    return this.#end(async () => {
      await this.#starting?.catch(() => undefined);
      await this.#close();
      this.record.stopped();
    });
  }

  /** Ends a life whose connection does not come back by itself. Ignored where there is none. Never rejects. */
  fail(error: ConnectorError): Promise<void> {
    if (!this.isOpen || this.isEnding) return Promise.resolve();
    this.#abort.abort(error);
    return this.#end(async () => {
      const closed = this.#close();
      this.record.failed(error);
      await closed;
    });
  }

  #end(work: () => Promise<void>): Promise<void> {
    const ending = work().finally(() => {
      if (this.#ending === ending) this.#ending = undefined;
    });
    this.#ending = ending;
    return ending;
  }

  async #start(signal: AbortSignal, before: Promise<void> | undefined): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    const giveUp = (): void => {
      abort.abort(new GivenUp());
    };
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    if (before !== undefined) await before;
    this.record.starting();
    try {
      abort.signal.throwIfAborted();
      this.#isUsed = true;
      await this.steps.open(abort.signal);
      abort.signal.throwIfAborted();
    } catch (reason) {
      const error = toConnectorError(reason);
      const { aborted } = abort.signal;
      const cause: unknown = abort.signal.reason;
      giveUp();
      await this.#close();
      if (!aborted) this.record.failed(error);
      // Where it has failed right after it had connected, that is reported.
      else if (cause instanceof GivenUp) this.record.stopped();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #close(): Promise<void> {
    if (!this.#isUsed) return;
    this.#closing ??= this.steps.close().finally(() => {
      this.#closing = undefined;
      this.#isUsed = false;
    });
    return this.#closing;
  }
}

/** Why a start ends that nobody wants any more. */
class GivenUp extends ConnectorError {
  constructor() {
    super('NOT_CONNECTED', 'the start was given up');
  }
}
