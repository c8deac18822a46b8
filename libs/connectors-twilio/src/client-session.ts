import { type Client, type Conversation } from '@twilio/conversations';
import { ConnectorError, toConnectorError, withTimeout } from '@bitbrat/connectors-core';
import { toTwilioError } from './errors.js';
import { createSdkClient, type SdkClient } from './sdk-client.js';
import { type SessionEvents, type SessionOptions } from './session-contract.js';
import { TokenKeeper } from './token-keeper.js';
import { type MintedToken } from './token-provider.js';
import { Watchdog } from './watchdog.js';

/** Milliseconds from the first connection attempt to the SDK's `initialized`. */
const CONNECT_TIMEOUT_MS = 20_000;

/** Milliseconds for the SDK to load all conversations: 1,000 of them, an identity's limit, take up to 10 seconds. */
const LOAD_TIMEOUT_MS = 35_000;

/** Milliseconds without a connection after which a new client is the better bet than the SDK's own attempts, 2 minutes apart at the end. */
const RECONNECT_LIMIT_MS = 60_000;

/** Milliseconds for finding a conversation. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Milliseconds for which a conversation that the platform does not know is not listed, though the SDK goes on listing it. */
const GONE_MS = 10 * 60_000;

/** Milliseconds: the SDK emits what belongs to one refusal (state, expiry, code) one after the other. */
const SETTLE_MS = 50;

/** One client of the SDK from its making to its end, with its token, its watchdog and its traps. */
export class ClientSession {
  readonly #client: Client;
  readonly #joined = new Map<string, Conversation>();
  /** Deleted, and no event has told: until when they are left alone. */
  readonly #gone = new Map<string, number>();
  readonly #tokens: TokenKeeper;
  readonly #watchdog: Watchdog;
  readonly #cancelTimers = new Map<'settle' | 'limit', () => void>();
  #phase: 'opening' | 'open' | 'failed' | 'closed' = 'opening';
  #isConnected = false;
  #tokenExpired = false;
  #renewals = 0;
  #lastError: unknown;
  #rejectOpening: (error: ConnectorError) => void = () => undefined;

  private constructor(
    private readonly sdk: SdkClient,
    token: MintedToken,
    private readonly options: SessionOptions,
    private readonly events: SessionEvents,
  ) {
    this.#client = sdk.client;
    this.#tokens = new TokenKeeper(token, {
      provider: options.provider,
      clock: options.clock,
      logger: options.logger,
      update: (jwt) => this.#client.updateToken(jwt),
      isConnected: () => this.#isConnected,
      onBroken: (error) => {
        this.#fail(error);
      },
    });
    this.#watchdog = new Watchdog({
      clock: options.clock,
      intervalMs: options.watchdogMs,
      ask: () => this.#askSomething(),
      isConnected: () => this.#isConnected,
      onDead: (error) => {
        this.#fail(error);
      },
    });
    this.#listen();
  }

  /**
   * Resolves when the SDK is connected and has loaded all conversations.
   * @param signal aborted when the caller gives up
   * @throws ConnectorError; nothing is left behind then
   */
  static async open(
    options: SessionOptions,
    events: SessionEvents,
    signal: AbortSignal,
  ): Promise<ClientSession> {
    const token = options.provider.mint();
    const sdk = await createSdkClient(token.jwt, options.wsUrl, options.clock);
    const session = new ClientSession(sdk, token, options, events);
    try {
      await session.#open(signal);
      return session;
    } catch (error) {
      await session.close();
      throw toConnectorError(error);
    }
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get conversationCount(): number {
    return this.#joined.size;
  }

  /** Milliseconds since 1970. */
  get tokenExpiresAt(): number {
    return this.#tokens.expiresAt;
  }

  /** When the watchdog's question was last answered, in milliseconds since 1970. */
  get lastAnswerAt(): number | undefined {
    return this.#watchdog.lastAnswerAt;
  }

  /** Whether the bot is in the conversation, as far as the SDK knows. */
  isJoined(conversationSid: string): boolean {
    return this.#joined.has(conversationSid);
  }

  /** Known ones at once; others are looked for on the server. @throws ConnectorError TARGET_NOT_FOUND, TIMEOUT */
  async conversation(conversationSid: string): Promise<Conversation> {
    const known = this.#joined.get(conversationSid);
    if (known !== undefined) return known;
    const doing = `find ${conversationSid}`;
    return this.#answer(this.#client.getConversationBySid(conversationSid), doing);
  }

  /**
   * The platform does not know the conversation, or the bot is not in it: what should have told the SDK was lost. It is not listed for ten
   * minutes, unless an event says that the bot is in it again; `conversation` still finds it.
   */
  forget(conversationSid: string): void {
    this.#joined.delete(conversationSid);
    this.#gone.set(conversationSid, this.options.clock.monotonic() + GONE_MS);
  }

  /** SIDs of all conversations that the bot is in, over all pages; loads those that the SDK has dropped. @throws ConnectorError */
  async subscribedConversations(): Promise<string[]> {
    const doing = 'list the conversations';
    const sids: string[] = [];
    const unlisted = new Set(this.#joined.keys());
    let page = await this.#answer(this.#client.getSubscribedConversations(), doing, LOAD_TIMEOUT_MS);
    for (;;) {
      for (const conversation of page.items) {
        if (conversation.status !== 'joined' || this.#isGone(conversation.sid)) continue;
        this.#joined.set(conversation.sid, conversation);
        unlisted.delete(conversation.sid);
        sids.push(conversation.sid);
      }
      // Of one that was deleted while the SDK loaded it, the SDK may say that it is joined after it has said that it is gone.
      if (!page.hasNextPage) {
        for (const sid of unlisted) this.#joined.delete(sid);
        return sids;
      }
      page = await this.#answer(page.nextPage(), doing, LOAD_TIMEOUT_MS);
    }
  }

  /** Idempotent; resolves within 2 seconds, never rejects. No event comes any more. */
  async close(): Promise<void> {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#isConnected = false;
    this.#tokens.stop();
    this.#watchdog.stop();
    for (const cancel of this.#cancelTimers.values()) cancel();
    await this.sdk.close();
  }

  async #open(signal: AbortSignal): Promise<void> {
    const opening = new Promise<never>((_, reject) => {
      this.#rejectOpening = reject;
    });
    const abort = (): void => {
      this.#rejectOpening(new ConnectorError('NOT_CONNECTED', 'the start was given up'));
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      const initialized = new Promise<void>((resolve) => {
        this.#client.on('initialized', resolve);
      });
      const { clock } = this.options;
      await withTimeout(clock, Promise.race([initialized, opening]), CONNECT_TIMEOUT_MS, () =>
        this.#lastError === undefined
          ? new ConnectorError('TIMEOUT', `not connected after ${CONNECT_TIMEOUT_MS} ms`)
          : toTwilioError(this.#lastError, 'connect'),
      );
      await Promise.race([this.subscribedConversations(), opening]);
      this.#isConnected = this.#client.connectionState === 'connected';
      this.#phase = 'open';
      this.#watchdog.start();
    } finally {
      signal.removeEventListener('abort', abort);
      opening.catch(() => undefined);
    }
  }

  #listen(): void {
    const client = this.#client;
    const { events } = this;
    client.on('connectionStateChanged', (state: string) => {
      this.#onConnectionState(state);
    });
    client.on('connectionError', (error) => {
      this.#lastError = error;
      if (error.terminal) this.#settle();
    });
    client.on('initFailed', ({ error }) => {
      this.#lastError ??= error;
      this.#settle();
    });
    client.on('tokenAboutToExpire', () => {
      if (this.#isConnected) void this.#tokens.renew();
    });
    client.on('tokenExpired', () => {
      this.#tokenExpired = true;
    });
    client.on('messageAdded', (message) => {
      events.onPushed();
      events.onWake(message.conversation.sid);
    });
    client.on('conversationJoined', (conversation) => {
      this.#gone.delete(conversation.sid);
      this.#joined.set(conversation.sid, conversation);
      events.onJoined(conversation.sid);
      events.onWake(conversation.sid);
    });
    for (const event of ['conversationLeft', 'conversationRemoved'] as const) {
      client.on(event, (conversation) => {
        this.#joined.delete(conversation.sid);
        events.onGone(conversation.sid);
      });
    }
  }

  /** @param state the SDK has one, `retrying`, that its types do not name */
  #onConnectionState(state: string): void {
    if (this.#phase === 'closed' || this.#phase === 'failed') return;
    switch (state) {
      case 'connected':
        this.#onConnected();
        break;
      case 'denied':
      case 'disconnected':
        // Final for the SDK. What it means follows from the events that come with it.
        this.#onLost();
        this.#settle();
        break;
      default:
        this.#onLost();
    }
  }

  #onConnected(): void {
    this.#clear('settle');
    this.#clear('limit');
    this.#lastError = undefined;
    this.#tokenExpired = false;
    this.#renewals = 0;
    if (this.#phase !== 'open' || this.#isConnected) return;
    this.#isConnected = true;
    this.#tokens.onConnected();
    this.events.onConnected();
  }

  #onLost(): void {
    if (this.#phase !== 'open') return;
    if (this.#isConnected) {
      this.#isConnected = false;
      const error = this.#lastError;
      this.events.onReconnecting(error === undefined ? undefined : toTwilioError(error, 'stay connected'));
    }
    if (this.#cancelTimers.has('limit')) return;
    this.#after('limit', RECONNECT_LIMIT_MS, () => {
      this.#fail(
        new ConnectorError('UPSTREAM_UNAVAILABLE', `no connection for ${RECONNECT_LIMIT_MS} ms`, {
          cause: this.#lastError,
        }),
      );
    });
  }

  /** Judges a refusal when all that belongs to it has been emitted. */
  #settle(): void {
    if (this.#phase === 'closed' || this.#phase === 'failed') return;
    this.#after('settle', SETTLE_MS, () => {
      const state: string = this.#client.connectionState;
      if (this.#phase === 'opening') {
        this.#fail(this.#toFailure('connect'));
      } else if (state === 'denied' || state === 'disconnected') {
        // A new token that is refused as expired, too, is a matter of clocks: a new client asks again with back-off.
        if (this.#tokenExpired && this.#renewals === 0) this.#renewExpired();
        else this.#fail(this.#toFailure('stay connected'));
      }
    });
  }

  /** The one way back from these states that the SDK has: a different token, and not before it has let go of the old socket. */
  #renewExpired(): void {
    this.#renewals += 1;
    this.#tokenExpired = false;
    this.#lastError = undefined;
    void this.#tokens.renew();
  }

  #toFailure(doing: string): ConnectorError {
    const error = toTwilioError(this.#lastError ?? new Error('closed for good'), doing);
    // A refusal that the table does not know is the platform's, not a fault of ours.
    return error.code === 'INTERNAL' ? new ConnectorError('UPSTREAM_UNAVAILABLE', error.message) : error;
  }

  #fail(error: ConnectorError): void {
    if (this.#phase === 'opening') {
      this.#rejectOpening(error);
    } else if (this.#phase === 'open') {
      this.#phase = 'failed';
      this.#isConnected = false;
      this.events.onFailed(error);
    }
  }

  #isGone(conversationSid: string): boolean {
    const until = this.#gone.get(conversationSid);
    if (until === undefined || until > this.options.clock.monotonic()) return until !== undefined;
    this.#gone.delete(conversationSid);
    return false;
  }

  /** A question that costs the platform little, whatever conversations there are. */
  #askSomething(): Promise<unknown> {
    const [some] = this.#joined.values();
    return some === undefined
      ? this.#client.getConversationByUniqueName('watchdog')
      : some.getMessagesCount();
  }

  async #answer<T>(work: Promise<T>, doing: string, limitMs = ANSWER_TIMEOUT_MS): Promise<T> {
    try {
      return await withTimeout(
        this.options.clock,
        work,
        limitMs,
        () => new ConnectorError('TIMEOUT', `${doing}: no answer after ${limitMs} ms`),
      );
    } catch (error) {
      throw toTwilioError(error, doing);
    }
  }

  #after(timer: 'settle' | 'limit', ms: number, callback: () => void): void {
    this.#clear(timer);
    this.#cancelTimers.set(
      timer,
      this.options.clock.setTimeout(() => {
        this.#cancelTimers.delete(timer);
        callback();
      }, ms),
    );
  }

  #clear(timer: 'settle' | 'limit'): void {
    this.#cancelTimers.get(timer)?.();
    this.#cancelTimers.delete(timer);
  }
}
