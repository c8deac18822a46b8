import { ConnectorError, Opening, toConnectorError } from '@bitbrat/connectors-core';
import { sleep, withTimeout } from '@bitbrat/foundation';
import { ChannelJoiner, type ChannelView, type JoinerOptions } from './channel-joiner.js';
import { channelOf, type ChatLine } from '../platform/chat-line.js';
import { toStanding } from './chat-standing.js';
import { toLoginError } from '../platform/errors.js';
import { createSdkClient, type SdkClient, type SdkClientOptions } from './sdk-client.js';
import { Watchdog } from './watchdog.js';

/** Milliseconds from the first byte to a finished login. */
const CONNECT_TIMEOUT_MS = 15_000;

/** Milliseconds that a start waits for the first channel. */
const JOIN_WAIT_MS = 15_000;

/** Milliseconds that it waits for the others when the bot is in one: what is written there could be answered. */
const MORE_JOINS_MS = 3_000;

export interface SessionOptions
  extends
    Omit<SdkClientOptions, 'onLine' | 'onLost'>,
    Pick<JoinerOptions, 'absences' | 'channels' | 'joins' | 'onRefused'> {
  readonly watchdogMs: number;
}

/** What a session reports; none may throw. */
export interface SessionEvents {
  /** Somebody has written, or Twitch says something about a channel. */
  onLine(line: ChatLine, session: ClientSession): void;
  /** As `JoinerOptions.onJoined`. */
  onJoined(channel: string, outSince: number | undefined, session: ClientSession): void;
  /** Twitch will close the connection soon (RECONNECT), once at most. Not reported before `open` has resolved. */
  onLeaving(session: ClientSession): void;
  /** Final, once at most: only a new session helps. Not reported before `open` has resolved. */
  onLost(error: ConnectorError, session: ClientSession): void;
}

/** One connection to the chat, from its login to its end, with its channels, its watchdog and the traps of tmi.js. */
export class ClientSession {
  readonly #joiner: ChannelJoiner;
  readonly #watchdog: Watchdog;
  #phase: 'opening' | 'open' | 'lost' | 'closed' = 'opening';
  #failure: ConnectorError | undefined;
  #botId: string | undefined;
  #isLeaving = false;
  #opening: Opening | undefined;
  #onFirstJoin: () => void = () => undefined;
  #sdk: SdkClient | undefined;

  private constructor(
    private readonly options: SessionOptions,
    private readonly events: SessionEvents,
  ) {
    this.#joiner = new ChannelJoiner({
      ...options,
      send: (line) => {
        this.#sendOrFail(line);
      },
      onJoined: (channel, outSince) => {
        this.#onFirstJoin();
        events.onJoined(channel, outSince, this);
      },
    });
    this.#watchdog = new Watchdog({
      clock: options.clock,
      intervalMs: options.watchdogMs,
      ask: () => {
        this.#sendOrFail('PING');
      },
      onDead: (error) => {
        this.#fail(error);
      },
    });
  }

  /**
   * Resolves when logged in and in the channels, as far as Twitch lets the bot in; channels beyond the rate limit follow.
   * @param signal aborted when the caller gives up
   * @throws ConnectorError; nothing is left behind then
   */
  static async open(
    options: SessionOptions,
    events: SessionEvents,
    signal: AbortSignal,
  ): Promise<ClientSession> {
    const session = new ClientSession(options, events);
    try {
      await session.#open(signal);
      return session;
    } catch (error) {
      await session.close();
      throw toConnectorError(error);
    }
  }

  /** Why it was lost, if it was. */
  get failure(): ConnectorError | undefined {
    return this.#failure;
  }

  get isConnected(): boolean {
    return this.#phase === 'open';
  }

  /** The bot's numeric user id, once Twitch has told it. */
  get botId(): string | undefined {
    return this.#botId;
  }

  /** As `Watchdog.heardUntil`. */
  get heardUntil(): number {
    return this.#watchdog.heardUntil;
  }

  /** When the last line came, in milliseconds since 1970. */
  get lastHeardAt(): number {
    return this.#watchdog.lastHeardAt;
  }

  get channels(): ReadonlyMap<string, ChannelView> {
    return this.#joiner.views;
  }

  /** Whether Twitch has asked for a new connection in its place. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** As `ChannelJoiner.absences`; at the end of the connection they stay as they were. */
  get absences(): ReadonlyMap<string, number | undefined> {
    return this.#joiner.absences;
  }

  /** As `ChannelJoiner.noteAbsence`. */
  noteAbsence(channel: string, outSince: number): void {
    this.#joiner.noteAbsence(channel, outSince);
  }

  /** Asks for a sign of life now, so that `heardUntil` moves when the answer comes. */
  ask(): void {
    if (this.#phase === 'open') this.#watchdog.askNow();
  }

  /** @throws ConnectorError NOT_CONNECTED */
  send(line: string): void {
    if (this.#phase !== 'open' || this.#sdk === undefined) {
      throw new ConnectorError('NOT_CONNECTED', 'the connection to Twitch is not open');
    }
    this.#sdk.send(line);
  }

  /** Idempotent; resolves within a second, never rejects. No event comes any more. */
  async close(): Promise<void> {
    const isDead = this.#phase !== 'open';
    this.#phase = 'closed';
    this.#watchdog.stop();
    this.#joiner.stop();
    await this.#sdk?.close({ isDead });
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    const opening = (this.#opening = new Opening(signal));
    const joinWait = new AbortController();
    try {
      const sdk = await opening.race(this.#createSdk());
      const connected = opening.race(sdk.connect());
      await withTimeout(clock, connected, CONNECT_TIMEOUT_MS, () => {
        return new ConnectorError('TIMEOUT', `not logged in after ${CONNECT_TIMEOUT_MS} ms`);
      });
      this.#watchdog.start();
      const firstJoin = new Promise<void>((resolve) => {
        this.#onFirstJoin = resolve;
      });
      const waited = sleep(clock, JOIN_WAIT_MS, joinWait.signal);
      const enough = firstJoin.then(() => sleep(clock, MORE_JOINS_MS, joinWait.signal));
      await opening.race(Promise.race([this.#joiner.start(), waited, enough]));
      this.#checkChannels();
      this.#phase = 'open';
      if (this.#isLeaving) this.events.onLeaving(this);
    } finally {
      joinWait.abort();
      opening.end();
    }
  }

  async #createSdk(): Promise<SdkClient> {
    const sdk = await createSdkClient({
      ...this.options,
      onLine: (line) => {
        this.#onLine(line);
      },
      onLost: (error) => {
        this.#fail(error);
      },
    });
    this.#sdk = sdk;
    return sdk;
  }

  /** A connection without a single channel hears nothing. */
  #checkChannels(): void {
    const errors = [...this.#joiner.views.values()].flatMap((view) =>
      view.status === 'refused' ? [view.error] : [],
    );
    if (errors.length < this.#joiner.views.size) return;
    const error = errors.find(({ retryable }) => retryable) ?? errors[0];
    if (error !== undefined) throw error;
  }

  #onLine(line: ChatLine): void {
    if (this.#phase === 'closed' || this.#phase === 'lost') return;
    this.#watchdog.heard(line);
    const channel = channelOf(line);
    switch (line.command) {
      case 'GLOBALUSERSTATE':
        this.#botId = line.tags['user-id'];
        break;
      case 'ROOMSTATE':
        if (channel !== undefined) this.#joiner.onJoined(channel);
        break;
      case 'USERSTATE':
        if (channel !== undefined) this.#joiner.onStanding(channel, toStanding(line));
        break;
      case 'PART':
        // It says nothing of when it was sent: only up to when nothing is missing is certain.
        if (channel !== undefined && line.source === this.options.login)
          this.#joiner.onParted(channel, this.heardUntil);
        break;
      case 'NOTICE':
        this.#onNotice(line, channel);
        break;
      case 'RECONNECT':
        this.#leave();
        break;
      default:
    }
    this.events.onLine(line, this);
  }

  /** The connection goes on delivering until Twitch closes it. */
  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (this.#phase === 'open') this.events.onLeaving(this);
  }

  #onNotice({ params: [, text = ''], tags }: ChatLine, channel: string | undefined): void {
    if (channel !== undefined) this.#joiner.onNotice(channel, tags['msg-id'] ?? '', text);
    // Without a channel and an id: the login was refused.
    else if (tags['msg-id'] === undefined && this.#phase === 'opening') this.#fail(toLoginError(text));
  }

  #sendOrFail(line: string): void {
    try {
      this.#sdk?.send(line);
    } catch (error) {
      this.#fail(toConnectorError(error));
    }
  }

  #fail(error: ConnectorError): void {
    if (this.#phase === 'opening') {
      this.#opening?.fail(error);
    } else if (this.#phase === 'open') {
      this.#phase = 'lost';
      this.#failure = error;
      this.#watchdog.stop();
      this.#joiner.stop();
      this.events.onLost(error, this);
    }
  }
}
