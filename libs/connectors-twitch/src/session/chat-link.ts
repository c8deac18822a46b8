import { ConnectorError, type IngressGap, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger, sleep } from '@bitbrat/foundation';
import { LRUCache } from 'lru-cache';
import { JOIN_LIMIT } from './channel-joiner.js';
import { type ChatLine } from '../platform/chat-line.js';
import { ClientSession } from './client-session.js';
import { type TwitchConfig } from '../config.js';
import { toGap } from './presence.js';
import { SlidingWindow } from './rate-limit.js';
import { type TwitchTokenProvider } from './token-provider.js';

/** Twitch takes 20 logins in 10 seconds ("Twitch Chat Rate Limits"); two and a second are left for the way there. */
const LOGIN_LIMIT = { count: 18, windowMs: 11_000 } as const;

/** Milliseconds of the waits between tries to open a second connection while the first one lives. */
const RETRY_MS = { first: 1_000, longest: 30_000 } as const;

/** Milliseconds for which both connections are read at least, so that what was on its way by the old one arrives. */
const MIN_OVERLAP_MS = 3_000;

/** Milliseconds for which they are read at most: 100 channels are joined in a minute. */
const MAX_OVERLAP_MS = 120_000;

/** Milliseconds between two looks whether the old connection can be closed. */
const STEP_MS = 250;

/** Messages that are remembered while two connections deliver them. */
const MAX_SEEN = 20_000;

/** Milliseconds that a line may be behind one that was sent later, by another road. */
const BEHIND_MS = 2_000;

export interface LinkOptions {
  readonly config: TwitchConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tokens: TwitchTokenProvider;
  /** Whether a message waits for an answer by this session. */
  readonly isAwaited: (session: ClientSession) => boolean;
}

/** What a link reports; none may throw. */
export interface LinkEvents {
  /** As `SessionEvents.onLine`. */
  onLine(line: ChatLine, session: ClientSession): void;
  /** The bot is in a channel. */
  onJoined(channel: string): void;
  /** It was not since this moment, in milliseconds since 1970; undefined: since the link is open. The others were heard. */
  onJoinedLate(channel: string, outSince: number | undefined): void;
  /** As `JoinerOptions.onRefused`. */
  onRefused(channel: string, error: ConnectorError, retryAt: number): void;
  /**
   * The chat is not heard any more.
   * @param isComingBack a new connection is being opened: `onBack` or `onFailed` follows
   */
  onLost(error: ConnectorError, session: ClientSession, isComingBack: boolean): void;
  onBack(session: ClientSession): void;
  onFailed(error: ConnectorError): void;
  /** A new connection took over from one that is closed now. @param gap in which lines may have been missed */
  onReplaced(old: ClientSession, gap: IngressGap | undefined): void;
}

/** The connection to the chat, which is replaced without a gap when Twitch announces that it will close it. */
export class ChatLink {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #joins: SlidingWindow;
  readonly #logins: SlidingWindow;
  #current: ClientSession | undefined;
  /** What the current one replaces, while it is read, too. */
  #leaving: ClientSession | undefined;
  #replacing: Promise<void> | undefined;
  /** By which connection each message came, while there are two. */
  #seen: LRUCache<string, object> | undefined;
  #run = new AbortController();
  /** Aborted when the current connection is lost. */
  #lost = new AbortController();

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#joins = new SlidingWindow(JOIN_LIMIT.windowMs, options.clock);
    this.#logins = new SlidingWindow(LOGIN_LIMIT.windowMs, options.clock);
  }

  /** The connection that is used, or was used last. */
  get session(): ClientSession | undefined {
    return this.#current;
  }

  /** The channels that are not heard, each with since when, as `onJoinedLate` would report. */
  get absences(): ReadonlyMap<string, number | undefined> {
    const absences = [...(this.#current?.absences ?? [])];
    return new Map(absences.filter(([channel]) => !this.#isHeardByOld(channel)));
  }

  /** Whether a message has come by another connection already. @param via the session that it came by now */
  isRepeat(messageId: string, via: object): boolean {
    const first = this.#seen?.get(messageId);
    if (first === undefined) this.#seen?.set(messageId, via);
    return first !== undefined && first !== via;
  }

  /**
   * Resolves when logged in and in the channels, as far as Twitch lets the bot in.
   * @throws ConnectorError; nothing is left behind then
   */
  async open(signal: AbortSignal): Promise<ClientSession> {
    this.#run = new AbortController();
    const session = await this.#openSession(AbortSignal.any([signal, this.#run.signal]));
    this.#current = session;
    if (session.isLeaving) this.#replace(session);
    return session;
  }

  /** Idempotent; resolves within two seconds, never rejects. No event comes any more. */
  async close(): Promise<void> {
    this.#run.abort();
    const sessions = [this.#current, this.#leaving].filter((session) => session !== undefined);
    await Promise.all(sessions.map((session) => session.close()));
    await this.#replacing;
    this.#leaving = undefined;
  }

  async #openSession(
    signal: AbortSignal,
    absences?: ReadonlyMap<string, number | undefined>,
  ): Promise<ClientSession> {
    const { tokens } = this.#options;
    const token = await tokens.goodToken(signal);
    try {
      return await this.#logIn(token, signal, absences);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    // It may have ended since it was validated.
    const next = await tokens.replace(token, signal);
    try {
      return await this.#logIn(next, signal, absences);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { hint, message } = error;
      throw new ConnectorError('UPSTREAM_UNAVAILABLE', `${message}, though Twitch calls the token good`, {
        cause: error,
        hint,
      });
    }
  }

  async #logIn(
    token: string,
    signal: AbortSignal,
    absences?: ReadonlyMap<string, number | undefined>,
  ): Promise<ClientSession> {
    const { clock, config, logger } = this.#options;
    await this.#loginTurn(signal);
    const options = {
      url: config.ircUrl,
      login: config.botUsername,
      token,
      channels: config.channels,
      joins: this.#joins,
      watchdogMs: config.watchdogSeconds * 1_000,
      clock,
      logger,
      onRefused: this.#events.onRefused.bind(this.#events),
      ...(absences === undefined ? {} : { absences }),
    };
    const session = await ClientSession.open(
      options,
      {
        onLine: (line, by) => {
          this.#events.onLine(line, by);
        },
        onJoined: (channel, outSince, by) => {
          this.#onJoined(channel, outSince, by);
        },
        onLeaving: (by) => {
          if (by === this.#current) this.#replace(by);
        },
        onLost: (error, by) => {
          this.#onLost(error, by);
        },
      },
      signal,
    );
    if (session.failure === undefined && !signal.aborted) return session;
    await session.close();
    throw session.failure ?? givenUp();
  }

  async #loginTurn(signal: AbortSignal): Promise<void> {
    for (;;) {
      if (signal.aborted) throw givenUp();
      const waitMs = this.#logins.waitMs(LOGIN_LIMIT.count);
      if (waitMs <= 0) break;
      await sleep(this.#options.clock, waitMs, signal);
    }
    this.#logins.add();
  }

  #onJoined(channel: string, outSince: number | undefined, session: ClientSession): void {
    this.#events.onJoined(channel);
    if (session === this.#current && !this.#isHeardByOld(channel)) {
      this.#events.onJoinedLate(channel, outSince);
    }
  }

  #onLost(error: ConnectorError, session: ClientSession): void {
    if (session !== this.#current) return;
    const old = this.#leaving;
    if (old?.isConnected === true) {
      // The old one goes on until another try succeeds.
      this.#current = old;
      this.#leaving = undefined;
      this.#events.onReplaced(session, undefined);
      return;
    }
    this.#lost.abort();
    const isComingBack = this.#replacing !== undefined && old === undefined;
    this.#events.onLost(error, session, isComingBack);
  }

  #isHeardByOld(channel: string): boolean {
    return this.#leaving?.isConnected === true && isIn(this.#leaving, channel);
  }

  #replace(old: ClientSession): void {
    const { signal } = this.#run;
    this.#replacing ??= this.#replaceNow(old, signal)
      .catch((error: unknown) => {
        this.#options.logger.error('twitch.replacement-failed', { reason: String(error) });
      })
      .finally(() => {
        this.#replacing = undefined;
        this.#seen = undefined;
        const session = this.#current;
        if (!signal.aborted && session?.isConnected === true && session.isLeaving) this.#replace(session);
      });
  }

  async #replaceNow(old: ClientSession, signal: AbortSignal): Promise<void> {
    this.#options.logger.info('twitch.reconnect-asked', {});
    this.#seen = new LRUCache({ max: MAX_SEEN });
    this.#lost = new AbortController();
    for (;;) {
      const next = await this.#openReplacement(old, signal);
      if (next === undefined) return;
      this.#current = next;
      if (!old.isConnected) {
        this.#events.onBack(next);
        return;
      }
      this.#leaving = old;
      const joinedAt = this.#options.clock.now();
      await this.#overlap(old, next, signal);
      if (signal.aborted) return;
      if (this.#current === next) {
        await this.#leave(old, next, joinedAt);
        return;
      }
      await sleep(this.#options.clock, RETRY_MS.first, AbortSignal.any([signal, this.#lost.signal]));
    }
  }

  async #leave(old: ClientSession, next: ClientSession, joinedAt: number): Promise<void> {
    const gap = this.#gapBetween(old, joinedAt);
    for (const channel of this.#options.config.channels) {
      if (isIn(old, channel) && !isIn(next, channel)) next.noteAbsence(channel, old.heardUntil);
    }
    this.#leaving = undefined;
    this.#events.onReplaced(old, gap);
    await old.close();
  }

  /** Tries as long as the old connection lives, and once more if it ends. Undefined: there is none, which is reported. */
  async #openReplacement(old: ClientSession, signal: AbortSignal): Promise<ClientSession | undefined> {
    const { clock, logger } = this.#options;
    const isOver = (): boolean => signal.aborted;
    for (let waitMs: number = RETRY_MS.first; ; waitMs = Math.min(waitMs * 2, RETRY_MS.longest)) {
      const wasConnected = old.isConnected;
      try {
        return await this.#openSession(signal, old.absences);
      } catch (reason) {
        if (isOver()) return undefined;
        const error = toConnectorError(reason);
        if (!wasConnected) {
          this.#events.onFailed(error);
          return undefined;
        }
        logger.warn('twitch.replacement-failed', { code: error.code, reason: error.message, waitMs });
      }
      await sleep(clock, waitMs, AbortSignal.any([signal, this.#lost.signal]));
      if (isOver()) return undefined;
    }
  }

  /** Resolves when nothing more is expected by the old connection. */
  async #overlap(old: ClientSession, next: ClientSession, signal: AbortSignal): Promise<void> {
    const { clock, config, isAwaited } = this.#options;
    const begunAt = clock.monotonic();
    const isNeeded = (): boolean =>
      isAwaited(old) ||
      config.channels.some(
        (channel) => isIn(old, channel) && next.channels.get(channel)?.status === 'joining',
      );
    old.ask();
    for (;;) {
      const ms = clock.monotonic() - begunAt;
      const isDone = ms >= MAX_OVERLAP_MS || (ms >= MIN_OVERLAP_MS && !isNeeded());
      if (isDone || signal.aborted || !old.isConnected || !next.isConnected) return;
      await sleep(clock, STEP_MS, signal);
    }
  }

  /** What may have been on its way by the old connection when it was lost. */
  #gapBetween(old: ClientSession, joinedAt: number): IngressGap | undefined {
    const since = Math.max(0, old.heardUntil - BEHIND_MS);
    if (old.isConnected || since >= joinedAt) return undefined;
    return toGap({ since, reason: 'Twitch closed the connection while it was replaced' }, joinedAt);
  }
}

function isIn(session: ClientSession, channel: string): boolean {
  return session.channels.get(channel)?.status === 'joined';
}

function isRefusal(error: unknown): error is ConnectorError {
  return error instanceof ConnectorError && error.code === 'AUTH_FAILED';
}

function givenUp(): ConnectorError {
  return new ConnectorError('NOT_CONNECTED', 'the start was given up');
}
