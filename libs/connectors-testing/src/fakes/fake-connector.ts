import {
  assertInTime,
  type ConnectorCapabilities,
  type ConnectorCounters,
  ConnectorError,
  type ConnectorHost,
  type ConnectorProblem,
  type ConnectorSnapshot,
  type ConnectorState,
  type IConnector,
  planText,
  type SendOptions,
  type SendReceipt,
  toErrorInfo,
} from '@bitbrat/connectors-core';
import { type IngressEnvelope } from '@bitbrat/envelope';
import { isoTime } from '@bitbrat/foundation';
import { FAKE_CAPABILITIES, FAKE_CODES, toFakeEnvelope } from './fake-mapping.js';
import { type FakeMessage, FakePlatform, FakePlatformError, type FakeSession } from './fake-platform.js';

const RETRY_MS = 5;

/** Keeps the contract on the fake platform. What a broken variant breaks is a protected method. */
export class FakeConnector implements IConnector {
  readonly name: string = 'fake';
  readonly capabilities: ConnectorCapabilities = FAKE_CAPABILITIES;
  protected readonly counters: ConnectorCounters = {
    received: 0,
    ignored: 0,
    sent: 0,
    sendFailures: 0,
    reconnects: 0,
  };
  protected state: ConnectorState;
  protected session: FakeSession | undefined;
  #lastMessageAt: string | undefined;
  #lastError: ConnectorSnapshot['lastError'];
  #starting: Promise<void> | undefined;
  /** Belongs to one start; aborted by its stop. */
  #life = new AbortController();
  readonly #draining = new Map<string, { again: boolean }>();
  readonly #cancels = new Set<() => void>();
  readonly #problems = new Map<string, ConnectorProblem>();

  constructor(
    protected readonly platform: FakePlatform,
    protected readonly host: ConnectorHost,
    protected readonly token: string,
  ) {
    this.state = { status: 'stopped', since: isoTime(host.clock.now()) };
  }

  start(signal: AbortSignal): Promise<void> {
    if (this.session !== undefined || this.state.status === 'reconnecting') return Promise.resolve();
    this.#starting ??= this.#startOnce(signal).finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  stop(): Promise<void> {
    this.#life.abort();
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.closeSession();
    if (this.state.status !== 'stopped') this.setState({ status: 'stopped', since: this.#now() });
    return Promise.resolve();
  }

  async sendText(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
    try {
      const receipt = await this.send(text, destination, options);
      if (!receipt.duplicate) this.counters.sent += 1;
      return receipt;
    } catch (error) {
      throw this.#failed(error, true);
    }
  }

  getSnapshot(): ConnectorSnapshot {
    return {
      name: this.name,
      state: this.state,
      counters: { ...this.counters },
      ...(this.#lastMessageAt === undefined ? {} : { lastMessageAt: this.#lastMessageAt }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      details: this.details(),
    };
  }

  protected details(): Record<string, unknown> {
    return { connections: this.session === undefined ? 0 : 1 };
  }

  protected setState(state: ConnectorState): void {
    this.state = state;
    void this.host.stateChanged(state);
  }

  protected problem(channel: string, error: ConnectorError): void {
    if (this.#problems.has(channel)) return;
    const { hint } = error;
    this.#problems.set(channel, {
      subject: `channel ${channel}`,
      since: this.#now(),
      error: toErrorInfo(error),
      hint,
    });
    this.#reportProblems();
  }

  protected solved(channel: string): void {
    if (this.#problems.delete(channel)) this.#reportProblems();
  }

  #reportProblems(): void {
    if (this.state.status !== 'connected') return;
    const { since } = this.state;
    const problems = [...this.#problems.values()];
    this.setState({ status: 'connected', since, problems, problemCount: problems.length });
  }

  protected closeSession(): void {
    this.session?.close();
    this.session = undefined;
  }

  protected isForUs(message: FakeMessage): boolean {
    return message.author !== FakePlatform.BOT;
  }

  protected toParts(text: string): string[] {
    return planText(text, this.capabilities.text);
  }

  protected toEnvelope(message: FakeMessage): IngressEnvelope {
    return toFakeEnvelope(message, this.name, this.host.egressTopic, this.#now());
  }

  /** Resolves when the message may be left behind. */
  protected async take(message: FakeMessage): Promise<void> {
    await this.host.publish(this.toEnvelope(message));
    this.counters.received += 1;
    this.#lastMessageAt = this.#now();
  }

  protected async send(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
    const parts = this.toParts(text);
    if ((options.attachments?.length ?? 0) > this.capabilities.attachments.maxOutbound) {
      throw new ConnectorError('UNSUPPORTED', 'too many attachments');
    }
    if (options.signal?.aborted === true) throw new ConnectorError('TIMEOUT', 'given up before it was sent');
    const { session } = this;
    if (session === undefined) throw new ConnectorError('NOT_CONNECTED', 'there is no connection');
    const ids: string[] = [];
    let sent = 0;
    for (const [index, part] of parts.entries()) {
      const tag = `${options.idempotencyKey}/${index}`;
      const earlier = options.mayHaveBeenSent ? await session.findByTag(destination, tag) : undefined;
      if (earlier === undefined && index === 0) assertInTime(this.host.clock, options.expiresAt);
      if (earlier === undefined) sent += 1;
      try {
        ids.push(String((earlier ?? (await session.send(destination, part, tag))).id));
      } catch (error) {
        throw ids.length === 0 ? error : this.toConnectorError(error).withSent(ids);
      }
    }
    return { platformMessageIds: ids, duplicate: sent === 0 };
  }

  protected async connect(): Promise<void> {
    const life = this.#life;
    const session = await this.platform.connect(this.token);
    if (life.signal.aborted) {
      session.close();
      throw new ConnectorError('TIMEOUT', 'given up while connecting');
    }
    this.session = session;
    session.onMessage = ({ channel }) => {
      this.drain(channel);
    };
    session.onLost = () => {
      this.onLost();
    };
    this.setState({ status: 'connected', since: this.#now() });
    for (const channel of await session.channels()) this.drain(channel);
  }

  protected onLost(): void {
    this.session = undefined;
    this.setState({ status: 'reconnecting', since: this.#now(), attempt: 1 });
    this.later(() => {
      this.counters.reconnects += 1;
      this.connect().catch((error: unknown) => this.#failed(error));
    });
  }

  protected later(work: () => void): void {
    const cancel = this.host.clock.setTimeout(() => {
      this.#cancels.delete(cancel);
      work();
    }, RETRY_MS);
    this.#cancels.add(cancel);
  }

  /** Reads a channel from its cursor; one reader a channel, so that order is kept. */
  protected drain(channel: string): void {
    const running = this.#draining.get(channel);
    if (running !== undefined) {
      running.again = true;
      return;
    }
    const { signal } = this.#life;
    const run = { again: false };
    this.#draining.set(channel, run);
    void this.#readOn(channel, signal).then(
      () => {
        this.#draining.delete(channel);
        if (!signal.aborted) this.solved(channel);
        if (run.again && !signal.aborted) this.drain(channel);
      },
      (reason: unknown) => {
        this.#draining.delete(channel);
        const error = this.toConnectorError(reason);
        if (!signal.aborted && error.code === 'FORBIDDEN') this.problem(channel, error);
        if (!signal.aborted) this.later(() => this.drain(channel));
      },
    );
  }

  async #readOn(channel: string, signal: AbortSignal): Promise<void> {
    const cursor = Number((await this.host.cursors.load(channel)) ?? 0);
    for (const message of (await this.session?.history(channel, cursor)) ?? []) {
      if (signal.aborted) return;
      if (this.isForUs(message)) await this.take(message);
      else this.counters.ignored += 1;
      await this.host.cursors.save(channel, String(message.id));
    }
  }

  async #startOnce(signal: AbortSignal): Promise<void> {
    this.#life = new AbortController();
    this.#draining.clear();
    const life = this.#life;
    const give = (): void => {
      life.abort();
    };
    signal.addEventListener('abort', give, { once: true });
    if (signal.aborted) give();
    try {
      this.setState({ status: 'starting', since: this.#now(), attempt: 1 });
      await this.connect();
    } catch (error) {
      throw this.#failed(error);
    } finally {
      signal.removeEventListener('abort', give);
    }
  }

  protected toConnectorError(error: unknown): ConnectorError {
    if (error instanceof ConnectorError) return error;
    if (error instanceof FakePlatformError)
      return new ConnectorError(FAKE_CODES[error.status], error.message);
    return new ConnectorError('INTERNAL', String(error));
  }

  #failed(cause: unknown, whileSending = false): ConnectorError {
    const error = this.toConnectorError(cause);
    this.#lastError = { code: error.code, message: error.message, at: this.#now() };
    if (whileSending) {
      this.counters.sendFailures += 1;
    } else if (this.state.status !== 'stopped') {
      this.setState({ status: 'failed', since: this.#now(), error: toErrorInfo(error), hint: error.hint });
    }
    return error;
  }

  #now(): string {
    return isoTime(this.host.clock.now());
  }
}
