import { type Clock, isoTime, type Logger, sleep, withTimeout } from '@bitbrat/foundation';
import { type ConnectorFactory, type ConnectorSnapshot, type IConnector } from '../connector.js';
import { ConnectorError, isConnectorErrorCode, toConnectorError, toErrorInfo } from '../connector-error.js';
import { type ConnectorState } from '../connector-state.js';
import { type ConnectorHost } from '../host.js';
import { RetrySchedule } from './retry-schedule.js';
import { DEFAULT_SUPERVISION, type SupervisionPolicy } from './supervision-policy.js';

export interface SupervisorServices {
  readonly host: Omit<ConnectorHost, 'stateChanged'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Outranks the connector's own policy. */
  readonly policy?: Partial<SupervisionPolicy>;
  /** Resolves as `ConnectorHost.stateChanged`. */
  readonly onStateChanged: (state: ConnectorState) => Promise<boolean>;
  /** Runs code of the connector, so that what it leaves to the process can be attributed. @param life as `Supervisor.life` */
  readonly inScope: <T>(life: number, work: () => T) => T;
}

/** How one life of a connector ended. `error` is undefined if it was told to stop. */
interface Ending {
  readonly error: ConnectorError | undefined;
  /** Whether the connection lasted long enough to reset the back-off. */
  readonly stable: boolean;
}

/** Why a connector has to be started again. */
interface Failure {
  readonly error: ConnectorError;
  /** True if an exception escaped from it, false if it reported the failure itself. */
  readonly escaped: boolean;
}

/** An exception that escapes after each connect must not restart the connector without back-off. */
const STABLE_AFTER_ESCAPE_MS = 60_000;

/**
 * Keeps one connector up. After a transient error it is started again soon, with exponential back-off; after a definite
 * or unlisted error it is `failed` and started again slowly. No state is final. Owns the state that others see.
 */
export class Supervisor {
  readonly connector: IConnector;
  readonly #policy: SupervisionPolicy;
  #state: ConnectorState;
  #run: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  #fail: ((failure: Failure) => void) | undefined;
  /** Ends the wait for the next start; undefined while there is none. */
  #wake: (() => void) | undefined;
  /** Callers of `start` that wait for the end of the next try. */
  #waitingForTry: (() => void)[] = [];
  #life = 0;
  /** By the monotonic clock. */
  #lastStartAt: number | undefined;

  constructor(
    create: ConnectorFactory,
    private readonly services: SupervisorServices,
  ) {
    this.#state = { status: 'stopped', since: this.#now() };
    this.connector = services.inScope(0, () =>
      create({
        ...services.host,
        stateChanged: (state, error) => this.#onConnectorState(state, error),
      }),
    );
    this.#policy = { ...DEFAULT_SUPERVISION, ...this.connector.supervision, ...services.policy };
  }

  /** How many times it was started. */
  get life(): number {
    return this.#life;
  }

  get state(): ConnectorState {
    return this.#state;
  }

  getSnapshot(): ConnectorSnapshot {
    return { ...this.connector.getSnapshot(), state: this.#state };
  }

  /**
   * Resolves when the next try has succeeded or failed; never rejects. Ends the wait for a next start at once. A no-op
   * if the connector is connected or connecting.
   */
  async start(): Promise<void> {
    if (this.#run !== undefined && this.#wake === undefined) return;
    await new Promise<void>((resolve) => {
      this.#waitingForTry.push(resolve);
      if (this.#run === undefined) {
        const abort = new AbortController();
        this.#run = { abort, done: this.#keepUp(abort.signal) };
      } else this.#wake?.();
    });
  }

  /** Idempotent; resolves when the connector has stopped or its time is up. */
  async stop(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    run.abort.abort();
    this.#wake?.();
    await run.done;
    if (this.#run === run) this.#run = undefined;
  }

  /** An exception escaped from the connector. It is started again, as after an error that it reports itself. */
  fail(error: ConnectorError): void {
    this.#fail?.({ error, escaped: true });
  }

  async #keepUp(signal: AbortSignal): Promise<void> {
    const schedule = new RetrySchedule(this.#policy, this.services.random);
    void this.#setState({ status: 'starting', since: this.#now(), attempt: 1 });
    await this.#keepDistance(signal);
    while (!signal.aborted) {
      const { error, stable } = await this.#tryOnce(signal);
      await this.#stopConnector();
      if (error === undefined) break;
      if (stable) schedule.reset();
      await this.#waitAfter(error, schedule, signal);
    }
    this.#tryEnded();
    void this.#setState({ status: 'stopped', since: this.#now() });
  }

  /** Resolves when the connector is to be started again, or at the abort. */
  async #waitAfter(error: ConnectorError, schedule: RetrySchedule, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.services;
    const { attempt, slow, ...next } = schedule.next(error);
    const waitMs = Math.max(next.waitMs, this.#distanceMs());
    const nextAttemptAt = isoTime(clock.now() + waitMs);
    const fields = {
      connector: this.connector.name,
      code: error.code,
      reason: error.message,
      hint: error.hint,
      attempt,
      waitMs,
      nextAttemptAt,
    };
    const facts = { since: this.#now(), error: toErrorInfo(error), hint: error.hint, nextAttemptAt };
    if (slow) {
      logger.error('connector.failed', fields);
      void this.#setState({ status: 'failed', ...facts });
    } else {
      logger.warn('connector.restarting', fields);
      void this.#setState({ status: 'reconnecting', attempt, ...facts });
    }
    const woken = new AbortController();
    this.#wake = () => {
      woken.abort();
    };
    this.#tryEnded();
    if (!signal.aborted) await sleep(clock, waitMs, woken.signal);
    this.#wake = undefined;
    await this.#keepDistance(signal);
  }

  /** How long to wait, in milliseconds, until `minStartIntervalMs` have passed since the last start. */
  #distanceMs(): number {
    const { clock } = this.services;
    if (this.#lastStartAt === undefined) return 0;
    return Math.max(0, this.#lastStartAt + this.#policy.minStartIntervalMs - clock.monotonic());
  }

  async #keepDistance(signal: AbortSignal): Promise<void> {
    const waitMs = this.#distanceMs();
    if (waitMs > 0) await sleep(this.services.clock, waitMs, signal);
  }

  #tryEnded(): void {
    for (const resolve of this.#waitingForTry.splice(0)) resolve();
  }

  /** One life of the connector: from start to its failure (with the error) or to the abort (without). */
  async #tryOnce(signal: AbortSignal): Promise<Ending> {
    const { clock } = this.services;
    const policy = this.#policy;
    const failure = new Promise<Failure>((resolve) => {
      this.#fail = resolve;
    });
    const attemptAbort = new AbortController();
    const forward = (): void => {
      attemptAbort.abort();
    };
    signal.addEventListener('abort', forward, { once: true });
    this.#lastStartAt = clock.monotonic();
    this.#life += 1;
    try {
      const started = this.services.inScope(this.#life, () => this.connector.start(attemptAbort.signal));
      const early = failure.then(({ error }) => Promise.reject(error));
      early.catch(() => undefined); // it loses the race whenever the start succeeds
      await withTimeout(clock, Promise.race([started, early]), policy.startTimeoutMs, () => {
        attemptAbort.abort();
        return new ConnectorError('TIMEOUT', `not connected after ${policy.startTimeoutMs} ms`);
      });
    } catch (error) {
      return { error: signal.aborted ? undefined : toConnectorError(error), stable: false };
    } finally {
      signal.removeEventListener('abort', forward);
    }
    const connectedAt = clock.monotonic();
    this.#tryEnded();
    const ended = await unlessAborted(failure, signal);
    this.#fail = undefined;
    const neededMs = Math.max(policy.stableAfterMs, ended?.escaped === true ? STABLE_AFTER_ESCAPE_MS : 0);
    return { error: ended?.error, stable: clock.monotonic() - connectedAt >= neededMs };
  }

  async #stopConnector(): Promise<void> {
    const { clock, logger } = this.services;
    const policy = this.#policy;
    try {
      await withTimeout(
        clock,
        this.services.inScope(this.#life, () => this.connector.stop()),
        policy.stopTimeoutMs,
        () => new Error(`not stopped after ${policy.stopTimeoutMs} ms`),
      );
    } catch (error) {
      const reason = toConnectorError(error).message;
      logger.error('connector.stop-failed', { connector: this.connector.name, reason });
    }
  }

  async #onConnectorState(state: ConnectorState, cause?: ConnectorError): Promise<boolean> {
    switch (state.status) {
      case 'starting':
      case 'stopped':
        // The supervisor starts and stops it, so it knows better which of the two this is.
        return false;
      case 'connected':
      case 'reconnecting':
        return this.#setState(state);
      case 'failed': {
        this.#fail?.({ error: cause ?? toReported(state), escaped: false });
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

function toReported({ error, hint }: Extract<ConnectorState, { status: 'failed' }>): ConnectorError {
  const { code, message, nativeCode } = error;
  return new ConnectorError(isConnectorErrorCode(code) ? code : 'INTERNAL', message, { hint, nativeCode });
}

/** Resolves as `work` does, or to undefined at the abort. Leaves no listener at the signal, which may live for years. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve) => {
    const finish = (value: T | undefined): void => {
      signal.removeEventListener('abort', abort);
      resolve(value);
    };
    const abort = (): void => {
      finish(undefined);
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    void work.then(finish);
  });
}
