import { type Clock, isoTime, sleep, withTimeout } from './clock.js';
import { type ConnectorFactory, type ConnectorSnapshot, type IConnector } from './connector.js';
import { ConnectorError, isConnectorErrorCode, toConnectorError, toErrorInfo } from './connector-error.js';
import { type ConnectorState } from './connector-state.js';
import { type ConnectorHost } from './host.js';
import { type Logger } from './logger.js';
import { type BackoffPolicy, backoffMs } from './retry.js';

/** How a connector is kept up. All times in milliseconds. */
export interface SupervisionPolicy {
  readonly backoff: BackoffPolicy;
  /** A connection that held so long makes the next back-off start from the beginning. */
  readonly stableAfterMs: number;
  /** A start that takes longer is given up and tried again. */
  readonly startTimeoutMs: number;
  /** A stop that takes longer is left behind. */
  readonly stopTimeoutMs: number;
}

export const DEFAULT_SUPERVISION: SupervisionPolicy = {
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  stableAfterMs: 60_000,
  startTimeoutMs: 60_000,
  stopTimeoutMs: 5_000,
};

export interface SupervisorServices {
  readonly host: Omit<ConnectorHost, 'stateChanged'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly policy: SupervisionPolicy;
  /** Resolves as `ConnectorHost.stateChanged`. */
  readonly onStateChanged: (state: ConnectorState) => Promise<boolean>;
}

/**
 * Keeps one connector up: starts it, starts it again with exponential back-off and full jitter while its error is
 * retryable, and stops trying, saying why, when it is not. Owns the state that others see.
 */
export class Supervisor {
  readonly connector: IConnector;
  #state: ConnectorState;
  #run: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  #fail: ((error: ConnectorError) => void) | undefined;

  constructor(
    create: ConnectorFactory,
    private readonly services: SupervisorServices,
  ) {
    this.#state = { status: 'stopped', since: this.#now() };
    this.connector = create({
      ...services.host,
      stateChanged: (state) => this.#onConnectorState(state),
    });
  }

  get state(): ConnectorState {
    return this.#state;
  }

  getSnapshot(): ConnectorSnapshot {
    return { ...this.connector.getSnapshot(), state: this.#state };
  }

  /** Resolves when the first try has succeeded or failed; never rejects. A second start is a no-op. */
  async start(): Promise<void> {
    if (this.#run !== undefined) return;
    const abort = new AbortController();
    await new Promise<void>((firstTryEnded) => {
      this.#run = { abort, done: this.#keepUp(abort.signal, firstTryEnded) };
    });
  }

  /** Idempotent; resolves when the connector has stopped or its time is up. */
  async stop(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    run.abort.abort();
    await run.done;
    if (this.#run === run) this.#run = undefined;
  }

  /** Something outside found that the connector is broken: it is started again, as after an error of its own. */
  fail(error: ConnectorError): void {
    this.#fail?.(error);
  }

  async #keepUp(signal: AbortSignal, firstTryEnded: () => void): Promise<void> {
    const { clock, logger, policy, random } = this.services;
    let attempt = 0;
    while (!signal.aborted) {
      attempt += 1;
      if (attempt === 1) void this.#setState({ status: 'starting', since: this.#now(), attempt });
      const { error, heldMs } = await this.#tryOnce(signal, firstTryEnded);
      await this.#stopConnector();
      firstTryEnded();
      if (error === undefined) break;
      const fields = {
        connector: this.connector.name,
        code: error.code,
        reason: error.message,
        hint: error.hint,
      };
      if (!error.retryable) {
        logger.error('connector.failed', fields);
        void this.#setState({
          status: 'failed',
          since: this.#now(),
          error: toErrorInfo(error),
          hint: error.hint,
        });
        await aborted(signal);
        break;
      }
      if (heldMs >= policy.stableAfterMs) attempt = 1;
      const waitMs = Math.max(backoffMs(policy.backoff, attempt, random), error.retryAfterMs ?? 0);
      logger.warn('connector.restarting', { ...fields, attempt, waitMs });
      void this.#setState({
        status: 'reconnecting',
        since: this.#now(),
        attempt,
        error: toErrorInfo(error),
        hint: error.hint,
      });
      await sleep(clock, waitMs, signal);
    }
    void this.#setState({ status: 'stopped', since: this.#now() });
  }

  /** One life of the connector: from start to its failure (with the error) or to the abort (without). */
  async #tryOnce(
    signal: AbortSignal,
    onConnected: () => void,
  ): Promise<{ error: ConnectorError | undefined; heldMs: number }> {
    const { clock, policy } = this.services;
    const failure = new Promise<ConnectorError>((resolve) => {
      this.#fail = resolve;
    });
    const attemptAbort = new AbortController();
    const forward = (): void => {
      attemptAbort.abort();
    };
    signal.addEventListener('abort', forward, { once: true });
    try {
      const started = this.connector.start(attemptAbort.signal);
      const early = failure.then((error) => Promise.reject(error));
      early.catch(() => undefined); // it loses the race whenever the start succeeds
      await withTimeout(clock, Promise.race([started, early]), policy.startTimeoutMs, () => {
        attemptAbort.abort();
        return new ConnectorError('TIMEOUT', `not connected after ${policy.startTimeoutMs} ms`);
      });
    } catch (error) {
      return { error: signal.aborted ? undefined : toConnectorError(error), heldMs: 0 };
    } finally {
      signal.removeEventListener('abort', forward);
    }
    const connectedAt = clock.monotonic();
    onConnected();
    const error = await Promise.race([failure, aborted(signal)]);
    this.#fail = undefined;
    return { error, heldMs: clock.monotonic() - connectedAt };
  }

  async #stopConnector(): Promise<void> {
    const { clock, logger, policy } = this.services;
    try {
      await withTimeout(
        clock,
        this.connector.stop(),
        policy.stopTimeoutMs,
        () => new Error(`not stopped after ${policy.stopTimeoutMs} ms`),
      );
    } catch (error) {
      const reason = toConnectorError(error).message;
      logger.error('connector.stop-failed', { connector: this.connector.name, reason });
    }
  }

  async #onConnectorState(state: ConnectorState): Promise<boolean> {
    switch (state.status) {
      case 'starting':
      case 'stopped':
        // The supervisor starts and stops it, so it knows better which of the two this is.
        return false;
      case 'connected':
      case 'reconnecting':
        return this.#setState(state);
      case 'failed': {
        const { code, message, nativeCode } = state.error;
        this.#fail?.(
          new ConnectorError(isConnectorErrorCode(code) ? code : 'INTERNAL', message, {
            hint: state.hint,
            nativeCode,
          }),
        );
        return false;
      }
      default:
        return state satisfies never;
    }
  }

  #setState(state: ConnectorState): Promise<boolean> {
    this.#state = state;
    return this.services.onStateChanged(state);
  }

  #now(): string {
    return isoTime(this.services.clock.now());
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(undefined);
      return;
    }
    signal.addEventListener(
      'abort',
      () => {
        resolve(undefined);
      },
      { once: true },
    );
  });
}
