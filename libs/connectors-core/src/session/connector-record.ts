import { isoTime } from '@bitbrat/foundation';
import { type ConnectorCounters, type ConnectorSnapshot, type SendReceipt } from '../connector.js';
import { type ConnectorError, toConnectorError, toErrorInfo } from '../connector-error.js';
import { type ConnectorProblem, type ConnectorState, type IngressGap } from '../connector-state.js';
import { type ConnectorHost } from '../host.js';

/** The most problems that a state lists. */
const MAX_LISTED_PROBLEMS = 20;

/** What a connector tells of itself: its state to the host, and that with its counts and its last error in its snapshot. */
export class ConnectorRecord {
  readonly #counters: ConnectorCounters = {
    received: 0,
    ignored: 0,
    sent: 0,
    sendFailures: 0,
    reconnects: 0,
  };
  #state: ConnectorState;
  readonly #problems = new Map<string, ConnectorProblem>();
  #lastMessageAt: string | undefined;
  #lastError: ConnectorSnapshot['lastError'];

  /** @param name as `IConnector.name` */
  constructor(
    private readonly name: string,
    private readonly host: Pick<ConnectorHost, 'clock' | 'stateChanged'>,
  ) {
    this.#state = { status: 'stopped', since: this.#now() };
  }

  get state(): ConnectorState {
    return this.#state;
  }

  starting(): void {
    void this.change({ status: 'starting', since: this.#now(), attempt: 1 });
  }

  /** @param gap in which messages were lost */
  connected(gap?: IngressGap): void {
    void this.change({ status: 'connected', since: this.#now(), ...(gap === undefined ? {} : { gap }) });
  }

  /** The connection is lost, and comes back by itself. */
  reconnecting(error?: ConnectorError): void {
    this.lost();
    if (error !== undefined) this.#note(error);
    void this.change({
      status: 'reconnecting',
      since: this.#now(),
      attempt: 1,
      ...(error === undefined ? {} : { error: toErrorInfo(error), hint: error.hint }),
    });
  }

  /** Only another start helps. The class of the error decides how soon it is tried. */
  failed(error: ConnectorError): void {
    this.#note(error);
    this.#state = { status: 'failed', since: this.#now(), error: toErrorInfo(error), hint: error.hint };
    void this.host.stateChanged(this.#state, error);
  }

  /** Tells nothing where it was stopped already. */
  stopped(): void {
    if (this.#state.status !== 'stopped') void this.change({ status: 'stopped', since: this.#now() });
  }

  /** Resolves as `ConnectorHost.stateChanged`. */
  change(state: ConnectorState): Promise<boolean> {
    this.#state = this.#withProblems(state);
    return this.host.stateChanged(this.#state);
  }

  /**
   * A part of the connector fails while the others work. Reported once per subject and error code, until it is solved.
   *
   * @param subject the part, e.g. `guild 123`; there must be few of them, so never one per person
   * @param nextAttemptAt RFC 3339, UTC: when it is tried again by itself
   */
  problem(subject: string, error: ConnectorError, nextAttemptAt?: string): void {
    this.#note(error);
    const known = this.#problems.get(subject);
    this.#problems.set(subject, {
      subject,
      since: known?.since ?? this.#now(),
      error: toErrorInfo(error),
      hint: error.hint,
      ...(nextAttemptAt === undefined ? {} : { nextAttemptAt }),
    });
    if (known?.error.code !== error.code || known.error.nativeCode !== error.nativeCode)
      this.#reportProblems();
  }

  /** The part works again. */
  solved(subject: string): void {
    if (this.#problems.delete(subject)) this.#reportProblems();
  }

  #reportProblems(): void {
    if (this.#state.status !== 'connected') return;
    void this.change({ status: 'connected', since: this.#state.since });
  }

  #withProblems(state: ConnectorState): ConnectorState {
    if (state.status !== 'connected' || this.#problems.size === 0) return state;
    const problems = [...this.#problems.values()].slice(0, MAX_LISTED_PROBLEMS);
    return { ...state, problems, problemCount: this.#problems.size };
  }

  /** A connection was lost that a new one will replace. */
  lost(): void {
    this.#counters.reconnects += 1;
  }

  /** The bus has a message. */
  received(): void {
    this.#counters.received += 1;
    this.#lastMessageAt = this.#now();
  }

  /** A message was left out on purpose. */
  ignored(): void {
    this.#counters.ignored += 1;
  }

  /** Counts what comes of a send. @throws ConnectorError */
  async sending(send: () => Promise<SendReceipt>): Promise<SendReceipt> {
    try {
      const receipt = await send();
      if (!receipt.duplicate) this.#counters.sent += 1;
      return receipt;
    } catch (reason) {
      const error = toConnectorError(reason);
      this.#counters.sendFailures += 1;
      this.#note(error);
      throw error;
    }
  }

  /** As `IConnector.getSnapshot`. @param details the platform's own facts */
  snapshot(details: ConnectorSnapshot['details']): ConnectorSnapshot {
    return {
      name: this.name,
      state: this.#state,
      counters: { ...this.#counters },
      ...(this.#lastMessageAt === undefined ? {} : { lastMessageAt: this.#lastMessageAt }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      details,
    };
  }

  #note(error: ConnectorError): void {
    this.#lastError = { code: error.code, message: error.message, at: this.#now() };
  }

  #now(): string {
    return isoTime(this.host.clock.now());
  }
}
