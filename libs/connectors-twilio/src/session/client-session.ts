import { ConnectorError, Opening, toConnectorError } from '@bitbrat/connectors-core';
import { Timers, withTimeout } from '@bitbrat/foundation';
import { type Client, type Conversation } from '@twilio/conversations';
import { ConversationList } from './conversation-list.js';
import { saysTokenRefused, toConnectionError, toTwilioError } from '../platform/errors.js';
import { createSdkClient, type SdkClient } from './sdk-client.js';
import { type SessionEvents, type SessionOptions } from './session-contract.js';
import { TokenKeeper } from './token-keeper.js';
import { type MintedToken } from './token-provider.js';
import { Watchdog } from './watchdog.js';

/** Milliseconds from the first connection attempt to the SDK's `initialized`. */
const CONNECT_TIMEOUT_MS = 20_000;

/** Milliseconds without a connection after which a new client is the better bet than the SDK's own attempts, 2 minutes apart at the end. */
const RECONNECT_LIMIT_MS = 60_000;

/** Milliseconds: the SDK emits what belongs to one refusal (state, expiry, code) one after the other. */
const SETTLE_MS = 50;

/** One client of the SDK from its making to its end, with its token, its watchdog and its traps. */
export class ClientSession {
  readonly #client: Client;
  readonly #conversations: ConversationList;
  readonly #tokens: TokenKeeper;
  readonly #watchdog: Watchdog;
  readonly #timers: Timers<'settle' | 'limit'>;
  #phase: 'opening' | 'open' | 'failed' | 'closed' = 'opening';
  #isConnected = false;
  /** Fresh tokens since the platform has refused one. */
  #renewals = 0;
  #lastError: unknown;
  #opening: Opening | undefined;

  private constructor(
    private readonly sdk: SdkClient,
    token: MintedToken,
    private readonly options: SessionOptions,
    private readonly events: SessionEvents,
  ) {
    this.#client = sdk.client;
    this.#conversations = new ConversationList(sdk.client, options.clock, sdk.toldWait);
    this.#timers = new Timers(options.clock);
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
   * Resolves when the SDK is connected and has loaded all conversations. A token that is refused is replaced by a fresh one
   * once, dated by the platform's clock as it is then known.
   * @param signal aborted when the caller gives up
   * @throws ConnectorError; nothing is left behind then
   */
  static async open(
    options: SessionOptions,
    events: SessionEvents,
    signal: AbortSignal,
  ): Promise<ClientSession> {
    try {
      return await ClientSession.#openOnce(options, events, signal);
    } catch (reason) {
      const error = toConnectorError(reason);
      if (signal.aborted || !saysTokenRefused(error)) throw error;
    }
    await options.refreshTime();
    return ClientSession.#openOnce(options, events, signal);
  }

  static async #openOnce(
    options: SessionOptions,
    events: SessionEvents,
    signal: AbortSignal,
  ): Promise<ClientSession> {
    const token = options.provider.mint();
    const sdk = await createSdkClient(token.jwt, options.wsUrl, options.clock, (reason) => {
      options.logger.error('twilio.event-unhandled', { reason: toConnectorError(reason).message });
    });
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
    return this.#conversations.size;
  }

  /** Milliseconds since 1970. */
  get tokenExpiresAt(): number {
    return this.#tokens.expiresAt;
  }

  /** When the watchdog's question was last answered, in milliseconds since 1970. */
  get lastAnswerAt(): number | undefined {
    return this.#watchdog.lastAnswerAt;
  }

  /** As `ToldWait.remainingMs`. */
  get toldWaitMs(): number | undefined {
    return this.sdk.toldWait.remainingMs;
  }

  /** Whether the bot is in the conversation, as far as the SDK knows. */
  isJoined(conversationSid: string): boolean {
    return this.#conversations.has(conversationSid);
  }

  /** As `ConversationList.find`. @throws ConnectorError TARGET_NOT_FOUND, TIMEOUT */
  conversation(conversationSid: string): Promise<Conversation> {
    return this.#conversations.find(conversationSid);
  }

  /** As `ConversationList.forget`. */
  forget(conversationSid: string): void {
    this.#conversations.forget(conversationSid);
  }

  /** As `ConversationList.load`. @throws ConnectorError */
  subscribedConversations(): Promise<string[]> {
    return this.#conversations.load();
  }

  /** Idempotent; resolves within 3 seconds, never rejects. No event comes any more. */
  async close(): Promise<void> {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#isConnected = false;
    this.#tokens.stop();
    this.#watchdog.stop();
    this.#timers.cancelAll();
    await this.sdk.close();
  }

  async #open(signal: AbortSignal): Promise<void> {
    const opening = (this.#opening = new Opening(signal));
    try {
      const initialized = new Promise<void>((resolve) => {
        this.#client.on('initialized', resolve);
      });
      const { clock } = this.options;
      await withTimeout(clock, opening.race(initialized), CONNECT_TIMEOUT_MS, () =>
        this.#lastError === undefined
          ? new ConnectorError('TIMEOUT', `not connected after ${CONNECT_TIMEOUT_MS} ms`)
          : toConnectionError(this.#lastError, 'connect'),
      );
      await opening.race(this.subscribedConversations());
      this.#isConnected = this.#client.connectionState === 'connected';
      this.#phase = 'open';
      this.#watchdog.start();
    } finally {
      opening.end();
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
    client.on('messageAdded', (message) => {
      events.onPushed();
      events.onWake(message.conversation.sid);
    });
    client.on('conversationJoined', (conversation) => {
      this.#conversations.add(conversation);
      events.onJoined(conversation.sid);
      events.onWake(conversation.sid);
    });
    for (const event of ['conversationLeft', 'conversationRemoved'] as const) {
      client.on(event, (conversation) => {
        this.#conversations.remove(conversation.sid);
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
    this.#timers.cancelAll();
    this.#lastError = undefined;
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
    if (this.#timers.has('limit')) return;
    this.#timers.set('limit', RECONNECT_LIMIT_MS, () => {
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
    this.#timers.set('settle', SETTLE_MS, () => {
      const state: string = this.#client.connectionState;
      if (this.#phase === 'opening') {
        this.#fail(this.#toFailure('connect'));
      } else if (state === 'denied' || state === 'disconnected') {
        // The first refusal of a token is answered with a fresh one, whatever it says: it may be the token's age, or the
        // platform's mistake. One that is refused, too, is a matter of clocks or credentials.
        const error = this.#toFailure('stay connected');
        const isAboutToken = this.#lastError === undefined || saysTokenRefused(error);
        if (isAboutToken && this.#renewals === 0) void this.#renewToken();
        else this.#fail(error.unlisted ? asTransient(error) : error);
      }
    });
  }

  /** The one way back from these states that the SDK has: a different token, and not before it has let go of the old socket. */
  async #renewToken(): Promise<void> {
    this.#renewals += 1;
    await this.options.refreshTime();
    if (this.#phase !== 'open') return;
    this.#lastError = undefined;
    await this.#tokens.renew();
  }

  #toFailure(doing: string): ConnectorError {
    return toConnectionError(this.#lastError ?? new Error('closed for good'), doing);
  }

  #fail(error: ConnectorError): void {
    if (this.#phase === 'opening') {
      this.#opening?.fail(error);
    } else if (this.#phase === 'open') {
      this.#phase = 'failed';
      this.#isConnected = false;
      this.events.onFailed(error);
    }
  }

  /** A question that costs the platform little, whatever conversations there are. */
  #askSomething(): Promise<unknown> {
    const { some } = this.#conversations;
    return some === undefined
      ? this.#client.getConversationByUniqueName('watchdog')
      : some.getMessagesCount();
  }
}

/** A client that was connected: whether the platform refuses the next one, too, is to be found out soon. */
function asTransient({ cause, hint, message, nativeCode }: ConnectorError): ConnectorError {
  return new ConnectorError('UPSTREAM_UNAVAILABLE', message, { cause, hint, nativeCode });
}
