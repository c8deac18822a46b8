import { ConnectorError, toConnectorError } from '@bitbrat/connectors-core';
import { sleep } from '@bitbrat/foundation';
import { ClientSession } from './session/client-session.js';
import { type ConversationJoiner } from './inbound/conversation-joiner.js';
import { ConversationReader, type ReaderOptions } from './inbound/conversation-reader.js';
import { type ConversationReconciler } from './inbound/conversation-reconciler.js';
import { type TwilioConfig } from './config.js';
import { type PlatformClock } from './platform/platform-clock.js';
import { type SessionEvents } from './session/session-contract.js';
import { TwilioTokenProvider } from './session/token-provider.js';

/** Milliseconds that sends under way on a replaced client get. */
const SEND_LIMIT_MS = 10_000;

/** Sweeps in a row that may fail before the client counts as broken. */
const MAX_FAILED_SWEEPS = 3;

/** Milliseconds until a replacement that failed is tried again. */
const REPLACE_RETRY_MS = 60_000;

export interface RunOptions extends Pick<
  ReaderOptions,
  'host' | 'intake' | 'oldest' | 'onPassedOver' | 'problems' | 'random'
> {
  readonly config: TwilioConfig;
  /** The platform's clock. */
  readonly time: PlatformClock;
  readonly joiner: Pick<ConversationJoiner, 'isJoined' | 'left' | 'remember'>;
  readonly reconciler: ConversationReconciler;
  /** The bot is not in a conversation. As `ReconcileRun.onMissing`. */
  readonly onMissing: (conversationSid: string) => boolean;
  /** All conversations were looked at. */
  readonly onSwept: (session: ClientSession) => void;
  /** A client of the SDK is put away. @param closed never rejects */
  readonly onPutAway: (closed: Promise<void>) => void;
  /** Resolves when nothing is being sent. */
  readonly sendsEnded: () => Promise<void>;
  readonly onConnected: () => void;
  readonly onReconnecting: (error: ConnectorError | undefined) => void;
  /** Final: the run is to be ended. */
  readonly onFailed: (error: ConnectorError) => void;
}

/** What exists between a start and its stop: the SDK's client and its successors, and the reading of all conversations. */
export class ClientRun {
  readonly #options: RunOptions;
  readonly #abort = new AbortController();
  readonly #reader: ConversationReader;
  #provider: TwilioTokenProvider | undefined;
  #session: ClientSession | undefined;
  #generation = 0;
  #pushed = 0;
  #read = 0;
  #failedSweeps = 0;
  #cancelSweep: () => void = () => undefined;
  #reconciling: Promise<void> = Promise.resolve();
  #replacing: Promise<void> | undefined;
  #replaceNotBefore = 0;
  #ended: Promise<void> | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    const { host, intake, oldest, onPassedOver, problems, random } = options;
    this.#reader = new ConversationReader({
      host,
      random,
      intake,
      oldest,
      onPassedOver,
      problems,
      signal: this.#abort.signal,
      session: () => this.#session,
      onRead: (count) => {
        this.#read += count;
        this.#replaceWhenFull();
      },
      onGone: (conversationSid) => {
        this.#forget(conversationSid);
      },
    });
  }

  /** Aborted when its end is asked for. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The present client, once there is one. */
  get session(): ClientSession | undefined {
    return this.#session;
  }

  /** How many clients this run has had. */
  get generation(): number {
    return this.#generation;
  }

  /** Messages that the present client has in memory, at least: most are first pushed and then read. */
  get seen(): number {
    return Math.max(this.#pushed, this.#read);
  }

  /** Whether its end was asked for. */
  get isEnding(): boolean {
    return this.#ended !== undefined;
  }

  get pendingReads(): number {
    return this.#reader.pending;
  }

  /** Resolves when connected; reading goes on from there. @throws ConnectorError */
  async begin(): Promise<void> {
    const { config, time } = this.#options;
    this.#provider = new TwilioTokenProvider(config, () => time.now());
    const session = await this.#open(this.#provider);
    if (this.#abort.signal.aborted) {
      await session.close();
      throw new ConnectorError('NOT_CONNECTED', 'the start was given up');
    }
    this.#session = session;
    void this.#sweep();
  }

  /** Says that a conversation may have news. */
  wake(conversationSid: string): void {
    this.#reader.wake(conversationSid);
  }

  /** Idempotent; resolves within 4 seconds, never rejects. Nothing is published any more. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.#abort.abort();
    this.#cancelSweep();
    await this.#reader.stop();
    await Promise.all([this.#putAway(this.#session), this.#replacing, this.#reconciling]);
  }

  async #open(provider: TwilioTokenProvider): Promise<ClientSession> {
    const { config, host, joiner, onConnected, onFailed, onReconnecting, time } = this.#options;
    const opened: { session?: ClientSession } = {};
    // Until it has taken over, a session is nobody's: the one before it still speaks.
    const isCurrent = (): boolean => this.#session !== undefined && this.#session === opened.session;
    const events: SessionEvents = {
      onWake: (conversationSid) => {
        this.wake(conversationSid);
      },
      onPushed: () => {
        if (!isCurrent()) return;
        this.#pushed += 1;
        this.#replaceWhenFull();
      },
      onJoined: (conversationSid) => {
        joiner.remember(conversationSid);
      },
      onGone: (conversationSid) => {
        if (!isCurrent()) return;
        this.#forget(conversationSid);
      },
      onConnected: () => {
        if (!isCurrent()) return;
        onConnected();
        this.#reader.reconnected();
        void this.#sweep();
      },
      onReconnecting: (error) => {
        if (isCurrent()) onReconnecting(error);
      },
      onFailed: (error) => {
        if (isCurrent()) onFailed(error);
      },
    };
    const { clock, logger } = host;
    const { conversationsWsUrl: wsUrl, watchdogSeconds } = config;
    const refreshTime = (): Promise<void> => time.refresh();
    const options = { provider, refreshTime, wsUrl, watchdogMs: watchdogSeconds * 1000, clock, logger };
    opened.session = await ClientSession.open(options, events, this.#abort.signal);
    this.#generation += 1;
    return opened.session;
  }

  #forget(conversationSid: string): void {
    this.#options.joiner.left(conversationSid);
    this.#reader.forget(conversationSid);
  }

  /** While the bus is away nothing is read, but what people write is pushed all the same. */
  #replaceWhenFull(): void {
    if (this.seen >= this.#options.config.replaceClientAfterMessages) this.#replace();
  }

  /** Looks at all conversations now and, from then on, at regular intervals: what no event has told is found here. */
  async #sweep(): Promise<void> {
    this.#cancelSweep();
    const session = this.#session;
    const { config, host, onFailed } = this.#options;
    try {
      if (session?.isConnected === true) {
        for (const conversationSid of await session.subscribedConversations()) this.wake(conversationSid);
        this.#failedSweeps = 0;
        this.#reconcile(session);
      }
    } catch (reason) {
      const error = toConnectorError(reason);
      host.logger.warn('twilio.sweep-failed', { code: error.code, reason: error.message });
      if (session?.isConnected === true) this.#failedSweeps += 1;
    }
    if (this.#abort.signal.aborted) return;
    if (this.#failedSweeps >= MAX_FAILED_SWEEPS) {
      onFailed(new ConnectorError('UPSTREAM_UNAVAILABLE', 'the conversations cannot be listed any more'));
      return;
    }
    this.#cancelSweep();
    this.#cancelSweep = host.clock.setTimeout(() => void this.#sweep(), config.sweepSeconds * 1000);
  }

  /** Joins what no webhook has told of. Apart from the sweep: it takes another road, and its failures say nothing about the client. */
  #reconcile(session: ClientSession): void {
    const { joiner, onMissing, onSwept, reconciler } = this.#options;
    const { signal } = this.#abort;
    if (signal.aborted) return;
    const isJoined = (conversationSid: string): boolean =>
      session.isJoined(conversationSid) || joiner.isJoined(conversationSid);
    this.#reconciling = reconciler.run({ isJoined, onMissing, signal }).then(() => {
      if (!signal.aborted) onSwept(session);
    });
  }

  /** A new client takes over while the old one still works; then the old one goes. */
  #replace(): void {
    const { clock, logger } = this.#options.host;
    if (this.#replacing !== undefined || clock.monotonic() < this.#replaceNotBefore) return;
    this.#replacing = this.#openAndSwap()
      .catch((reason: unknown) => {
        const error = toConnectorError(reason);
        if (!this.#abort.signal.aborted) {
          logger.warn('twilio.replace-failed', { code: error.code, reason: error.message });
        }
        this.#replaceNotBefore = clock.monotonic() + REPLACE_RETRY_MS;
      })
      .finally(() => {
        this.#replacing = undefined;
      });
  }

  async #openAndSwap(): Promise<void> {
    const { provider, old } = { provider: this.#provider, old: this.#session };
    if (provider === undefined) return;
    const next = await this.#open(provider);
    if (this.#abort.signal.aborted) {
      await this.#putAway(next);
      return;
    }
    const { host, onConnected, sendsEnded } = this.#options;
    host.logger.info('twilio.client-replaced', { generation: this.#generation, messages: this.seen });
    this.#session = next;
    this.#pushed = 0;
    this.#read = 0;
    if (old?.isConnected === false) onConnected();
    this.#reader.retryNow();
    await this.#sweep();
    // Cutting off an answer would make a message that was sent look lost.
    await Promise.race([sendsEnded(), sleep(host.clock, SEND_LIMIT_MS, this.#abort.signal)]);
    await this.#putAway(old);
  }

  async #putAway(session: ClientSession | undefined): Promise<void> {
    if (session === undefined) return;
    const closed = session.close();
    this.#options.onPutAway(closed);
    await closed;
  }
}
