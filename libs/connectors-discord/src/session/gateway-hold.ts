import { ConnectorError } from '@bitbrat/connectors-core';
import { type BackoffPolicy, backoffMs, type Clock, sleep, Timers } from '@bitbrat/foundation';
import { type WebSocketOptions } from 'discord.js';
import { toGatewayUrl } from './gateway-url.js';

/** The manager inside discord.js that connects to the gateway. */
export type GatewayManager = Parameters<NonNullable<WebSocketOptions['buildStrategy']>>[0];
type GatewaySession = NonNullable<Awaited<ReturnType<GatewayManager['options']['retrieveSessionInfo']>>>;
type GatewayStrategy = ReturnType<NonNullable<WebSocketOptions['buildStrategy']>>;

/** Waits between connection attempts that reached nobody, beside the 500 ms of the SDK: by itself it would try twice a second for ever. */
const BACKOFF: BackoffPolicy = { baseMs: 500, maxMs: 20_000 };

/** Milliseconds for the upgrade, and for HELLO. The SDK's own are 30 and 60 seconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const HELLO_TIMEOUT_MS = 15_000;

/** Attempts at the address that Discord gave for RESUME; the next ones go to the gateway's own, which takes a RESUME, too. */
const MAX_RESUME_URL_ATTEMPTS = 2;

/** Milliseconds after which the SDK has forgotten to connect again, as it does after close code 4200. */
const STUCK_MS = 30_000;

/** Milliseconds for the answer to a close frame. */
const CLOSE_TIMEOUT_MS = 2_000;

/** What the manager's events carry, as far as it is used. */
interface Payload {
  readonly code?: number;
  readonly message?: string;
}

export interface GatewayHoldOptions {
  /** Whether the gateway must be reached by `wss`. */
  readonly isSecure: boolean;
  readonly clock: Clock;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
  /** The socket is closed; codes that Discord sends, or 1006. */
  readonly onClosed: (closeCode: number) => void;
  /** The SDK does not connect again. */
  readonly onStuck: () => void;
  /** What the SDK threw at an event of the gateway. */
  readonly onBroken: (error: unknown) => void;
}

/**
 * What discord.js leaves undone between its connections.
 *
 * It drops the session after one refused attempt, which loses every message until it is back: the session is kept unless Discord itself
 * ended it. It knows one address only: after some attempts the gateway's own is taken. It tries again without back-off: attempts are spaced. It is polite to a dead socket: that is cut. And it cannot be stopped while it connects: after `forbidAttempts` no socket is
 * opened any more, and those that are there can be cut.
 */
export class GatewayHold {
  readonly #options: GatewayHoldOptions;
  readonly #ended = new AbortController();
  readonly #sockets = new Set<Socket>();
  #strategy: GatewayStrategy | undefined;
  /** Whether HELLO was seen on the present socket, and on the one before. */
  #isOpen = false;
  #wasOpen = false;
  #attempts = 0;
  /** The gateway's own address; undefined until Discord has named it. */
  #mainUrl: string | undefined;
  /** The address for RESUME has failed and the gateway's own has not. */
  #isResumeUrlBad = false;
  #sessionId: string | undefined;
  readonly #timers: Timers<'stuck'>;

  constructor(options: GatewayHoldOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
  }

  /** Connection attempts since Discord was last heard. */
  get attempts(): number {
    return this.#attempts;
  }

  /** To be called from the SDK's `ws.buildStrategy`. */
  attach(manager: GatewayManager, strategy: GatewayStrategy): void {
    this.#strategy = strategy;
    const { options } = manager;
    options.handshakeTimeout = HANDSHAKE_TIMEOUT_MS;
    options.helloTimeout = HELLO_TIMEOUT_MS;
    const retrieve = options.retrieveSessionInfo.bind(options);
    const update = options.updateSessionInfo.bind(options);
    // The SDK asks for the session before each attempt, and while no socket is open at no other time.
    options.retrieveSessionInfo = async (shardId) => {
      if (!this.#isOpen) await this.#beforeAttempt();
      if (this.#ended.signal.aborted) return neverAgain();
      if (this.#isOpen) return retrieve(shardId);
      const session = await retrieve(shardId);
      return session === null ? null : this.#route(session);
    };
    options.updateSessionInfo = async (shardId, session) => {
      if (session === null && !this.#isOpen && !this.#wasOpen) return;
      // READY waits for this: with more promises in between, the events behind it would overtake it.
      await update(shardId, session === null ? null : this.#withSafeUrl(session));
    };
    const fetchInformation = manager.fetchGatewayInformation.bind(manager);
    manager.fetchGatewayInformation = async (force) => {
      const information = await fetchInformation(force);
      const url = toGatewayUrl(information.url, this.#options.isSecure);
      if (url === undefined) {
        throw new ConnectorError(
          'UPSTREAM_UNAVAILABLE',
          'Discord names an address of the gateway that is none',
          {
            unlisted: true,
          },
        );
      }
      this.#mainUrl = url;
      return { ...information, url };
    };
    // The SDK handles an event while it is told of it; what it throws then would become an unhandled rejection.
    const emit = manager.emit.bind(manager);
    const guarded: unknown = (...event: Parameters<typeof emit>) => {
      try {
        return emit(...event);
      } catch (error) {
        this.#options.onBroken(error);
        return true;
      }
    };
    Reflect.set(manager, 'emit', guarded);
    this.#listen(manager);
  }

  /** From now on an attempt of the SDK never goes on. Call it before the SDK is shut down: afterwards its sockets cannot be found. */
  forbidAttempts(): void {
    this.#ended.abort();
    this.#timers.cancelAll();
    this.#collectSockets();
  }

  /** Cuts the sockets that are there. */
  cut(): void {
    this.#collectSockets();
    for (const socket of this.#sockets) socket.terminate();
  }

  #collectSockets(): void {
    for (const socket of socketsOf(this.#strategy)) {
      if (this.#sockets.has(socket)) continue;
      this.#sockets.add(socket);
      // Cutting a socket while it connects is an error event, which nobody else may be listening for any more.
      socket.on('error', () => undefined);
    }
  }

  #listen(manager: GatewayManager): void {
    // The SDK's names are an enum that only the loaded SDK has.
    const on = (event: string, listener: (payload: Payload) => void): void => {
      Reflect.apply(Reflect.get(manager, 'on'), manager, [event, listener]);
    };
    on('hello', () => {
      this.#isOpen = true;
      if (this.#attempts > MAX_RESUME_URL_ATTEMPTS) this.#isResumeUrlBad = true;
      this.#attempts = 0;
    });
    on('debug', ({ message }) => {
      if (message?.includes('Zombie connection') === true) this.#cutLater();
    });
    on('closed', ({ code = 1006 }) => {
      this.#wasOpen = this.#isOpen;
      this.#isOpen = false;
      if (!this.#ended.signal.aborted) this.#timers.set('stuck', STUCK_MS, this.#options.onStuck);
      this.#options.onClosed(code);
    });
  }

  #withSafeUrl(session: GatewaySession): GatewaySession {
    if (session.sessionId !== this.#sessionId) this.#isResumeUrlBad = false;
    this.#sessionId = session.sessionId;
    if (this.#mainUrl === undefined) return session;
    const resumeURL = toGatewayUrl(session.resumeURL, this.#mainUrl.startsWith('wss:')) ?? this.#mainUrl;
    return { ...session, resumeURL };
  }

  /** Where the next attempt goes. */
  #route(session: GatewaySession): GatewaySession {
    const isWorn = this.#isResumeUrlBad || this.#attempts > MAX_RESUME_URL_ATTEMPTS;
    return isWorn && this.#mainUrl !== undefined ? { ...session, resumeURL: this.#mainUrl } : session;
  }

  /** The SDK closes a dead socket politely and waits 30 seconds for an answer that cannot come. */
  #cutLater(): void {
    const sockets = socketsOf(this.#strategy);
    void sleep(this.#options.clock, CLOSE_TIMEOUT_MS, this.#ended.signal).then(() => {
      for (const socket of sockets) socket.terminate();
    });
  }

  async #beforeAttempt(): Promise<void> {
    const { clock, random } = this.#options;
    this.#timers.cancel('stuck');
    if (this.#attempts > 0)
      await sleep(clock, backoffMs(BACKOFF, this.#attempts, random), this.#ended.signal);
    this.#attempts += 1;
  }
}

interface Socket {
  on(event: 'error', listener: () => void): unknown;
  terminate(): void;
}

/** The sockets of the strategy's shards. There is no public way to them; where they are not found nothing happens. */
function socketsOf(strategy: GatewayStrategy | undefined): Socket[] {
  const shards: unknown = strategy === undefined ? undefined : Reflect.get(strategy, 'shards');
  if (!(shards instanceof Map)) return [];
  return [...shards.values()].flatMap((shard: unknown) => {
    const socket: unknown =
      typeof shard === 'object' && shard !== null ? Reflect.get(shard, 'connection') : undefined;
    return isSocket(socket) ? [socket] : [];
  });
}

function isSocket(value: unknown): value is Socket {
  return (
    typeof value === 'object' &&
    value !== null &&
    'terminate' in value &&
    typeof value.terminate === 'function'
  );
}

function neverAgain(): Promise<never> {
  return new Promise(() => undefined);
}
