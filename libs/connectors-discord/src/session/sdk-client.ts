import { setMaxListeners } from 'node:events';
import { type Clock, linkAbort, withTimeout } from '@bitbrat/foundation';
import { type CacheFactory, type Client, type GuildMember, type RateLimitData, type User } from 'discord.js';
import { Departure } from './departure.js';
import { GatewayHold } from './gateway-hold.js';
import { boundWaits } from '../platform/rate-limit-headers.js';
import type * as sdkTypes from './sdk.js';

/** Milliseconds that the SDK gets to say good-bye before its socket is cut. */
const GRACE_MS = 1_000;

/** Milliseconds that the SDK may wait inside a request for a rate limit; longer ones are an error. A channel's window is 5 seconds. */
const MAX_RATE_LIMIT_WAIT_MS = 10_000;

/** What we use of the SDK. */
type SdkClasses = typeof sdkTypes;

export interface SdkClientOptions {
  readonly apiUrl: string;
  readonly intents: number;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
}

/** What the SDK's own events do not tell. */
export interface SdkListeners {
  /** The gateway's socket is closed. */
  readonly onClosed: (closeCode: number) => void;
  /**
   * A gateway session is about to begin; it waits until this resolves.
   * @param signal aborted when the socket is closed; to be rejected then
   */
  readonly beforeIdentify: (signal: AbortSignal) => Promise<void>;
  /** The SDK does not connect again by itself. */
  readonly onStuck: () => void;
  /** What the SDK threw at an event of the gateway. */
  readonly onBroken: (error: unknown) => void;
}

/** An SDK client whose sockets are ours to end. */
export interface SdkClient {
  readonly client: Client;
  /** Attempts to reach the gateway since it was last heard. */
  readonly attempts: number;
  /** To be called once, before the login. */
  listen(listeners: SdkListeners): void;
  readonly leaveBefore: Departure['before'];
  /** Shuts it down whatever state it is in; resolves after 2 seconds at the latest, without gateway socket; never rejects. */
  close(): Promise<void>;
}

/**
 * Makes a client of discord.js, not connected yet, with small caches: messages are read from the gateway's events as they come, so only
 * guilds, channels and roles need be remembered.
 *
 * Its own retries are switched off: it repeats requests at once, and the sender knows better when.
 */
export async function createSdkClient(options: SdkClientOptions): Promise<SdkClient> {
  const sdk = await import('./sdk.js');
  const { Client: SdkConstructor, DefaultRestOptions, SimpleIdentifyThrottler, SimpleShardingStrategy } = sdk;
  const { apiUrl, clock, intents, random, requestTimeoutMs } = options;
  let listeners: SdkListeners | undefined;
  const hold = new GatewayHold({
    isSecure: apiUrl.startsWith('https:'),
    clock,
    random,
    onClosed: (closeCode) => {
      listeners?.onClosed(closeCode);
    },
    onStuck: () => {
      listeners?.onStuck();
    },
    onBroken: (error) => {
      listeners?.onBroken(error);
    },
  });
  const departure = new Departure(clock);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const client = new SdkConstructor({
    intents,
    makeCache: smallCaches(sdk),
    rest: {
      api: apiUrl,
      timeout: requestTimeoutMs,
      retries: 0,
      rejectOnRateLimit: (limit) => isTooLong(limit, departure.leftMs),
      makeRequest: async (url, init) => {
        const abort = linkAbort(init.signal, closing.signal);
        try {
          const dispatcher = departure.dispatcher(sdk) ?? init.dispatcher;
          const request = {
            ...init,
            signal: abort.signal,
            ...(dispatcher === undefined ? {} : { dispatcher }),
          };
          const answer = await DefaultRestOptions.makeRequest(url, request);
          boundWaits(answer.headers);
          return answer;
        } finally {
          abort.release();
        }
      },
    },
    ws: {
      buildIdentifyThrottler: async (manager) => {
        const { session_start_limit: limit } = await manager.fetchGatewayInformation();
        const throttler = new SimpleIdentifyThrottler(limit.max_concurrency);
        return {
          waitForIdentify: async (shardId, signal) => {
            await throttler.waitForIdentify(shardId, signal);
            await listeners?.beforeIdentify(signal);
          },
        };
      },
      buildStrategy: (manager) => {
        const strategy = new SimpleShardingStrategy(manager);
        hold.attach(manager, strategy);
        return strategy;
      },
    },
  });
  // Without a listener an error event is an exception.
  client.on('error', () => undefined);
  client.on('shardError', () => undefined);
  return {
    client,
    get attempts() {
      return hold.attempts;
    },
    leaveBefore: (expiresAt, work) => departure.before(expiresAt, work),
    listen: (given) => {
      listeners = given;
    },
    close: async () => {
      closing.abort();
      hold.forbidAttempts();
      const destroyed = client.destroy().catch(() => undefined);
      await withTimeout(clock, destroyed, GRACE_MS, () => new Error('time is up')).catch(() => undefined);
      hold.cut();
      client.removeAllListeners();
      client.ws.removeAllListeners();
      client.on('error', () => undefined);
    },
  };
}

/** The SDK knows its classes by name, and a bundler may give them another: a limit under the wrong one is passed over in silence. */
export function smallCaches({
  GuildMemberManager,
  MessageManager,
  Options,
  PresenceManager,
  ReactionManager,
  UserManager,
}: SdkClasses): CacheFactory {
  const isOwn = ({ client, id }: GuildMember | User): boolean => id === client.user.id;
  return Options.cacheWithLimits({
    ...Options.DefaultMakeCacheSettings,
    [MessageManager.name]: 0,
    [PresenceManager.name]: 0,
    [ReactionManager.name]: 0,
    // The bot's own member tells its rights in each channel.
    [GuildMemberManager.name]: { maxSize: 200, keepOverLimit: isOwn },
    [UserManager.name]: { maxSize: 200, keepOverLimit: isOwn },
  });
}

/**
 * Whether a rate limit is ours to report. One without a delay would be tried again at once, in a tight loop.
 * @param leftMs in which the request may still leave
 */
function isTooLong({ retryAfter, sublimitTimeout, timeToReset }: RateLimitData, leftMs: number): boolean {
  const waitMs = Math.max(retryAfter, sublimitTimeout, timeToReset);
  return retryAfter <= 0 || waitMs > MAX_RATE_LIMIT_WAIT_MS || waitMs >= leftMs;
}
