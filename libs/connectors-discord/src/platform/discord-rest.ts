import { ConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger } from '@bitbrat/foundation';
import { type RawFile, type REST } from 'discord.js';
import { z } from 'zod';
import { type Departure } from '../session/departure.js';
import { type RequestScope, toDiscordError } from './errors.js';
import { type NativeMessage, toNativeMessage } from './native-message.js';
import { compareSnowflakes, newerSnowflake } from './snowflake.js';

/** Milliseconds that the clock may drift between two requests without having been set. */
const DRIFT_MS = 1_000;

const gatewaySchema = z.object({
  session_start_limit: z.object({ remaining: z.number(), reset_after: z.number().min(0) }),
});

const idSchema = z.object({ id: z.string().regex(/^\d{1,20}$/) });

/** A request to the REST API. */
export interface RestRequest {
  readonly method: 'GET' | 'POST';
  /** Behind `/api/v10`. */
  readonly path: `/${string}`;
  readonly query?: URLSearchParams;
  readonly body?: unknown;
  readonly files?: RawFile[];
  readonly signal?: AbortSignal;
  /** The request does not leave at this time or later, in milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** A page of a channel's history. */
export interface HistoryPage {
  /** Oldest first; without those that cannot be read. */
  readonly messages: readonly NativeMessage[];
  /** How many Discord gave, those that cannot be read included. */
  readonly count: number;
  /** The youngest id of them all: the next page stands behind it. Undefined where Discord gave none. */
  readonly lastId: string | undefined;
}

export interface RestOptions {
  readonly api: Pick<REST, 'get' | 'globalReset' | 'handlers' | 'post' | 'setToken'>;
  readonly leaveBefore: Departure['before'];
  readonly token: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Discord does not take the token any more. */
  readonly onTokenRefused: (error: ConnectorError) => void;
}

/** The REST calls that the connector needs, by the SDK's REST client, which minds the rate limits. */
export class DiscordRest {
  readonly #options: RestOptions;
  /** By how much the clock is ahead of the time that nobody sets. */
  #ahead: number;
  #tokenCheck: Promise<boolean> | undefined;

  constructor(options: RestOptions) {
    this.#options = options;
    this.#ahead = aheadOf(options.clock);
  }

  /** @param doing what for, for people @throws ConnectorError */
  async request(request: RestRequest, doing: string): Promise<unknown> {
    try {
      return await this.#ask(request);
    } catch (reason) {
      const error = toDiscordError(reason, doing, scopeOf(request));
      if (error.code !== 'AUTH_FAILED' || !(await this.#isTokenGood())) throw error;
      const message = `${doing}: refused once, although the token is good`;
      throw new ConnectorError('NOT_CONNECTED', message, { cause: reason });
    }
  }

  /** The messages behind `after`. @param guildId undefined: a direct channel @throws ConnectorError */
  async history(
    channelId: string,
    after: string,
    limit: number,
    guildId: string | undefined,
  ): Promise<HistoryPage> {
    const query = new URLSearchParams({ after, limit: String(limit) });
    const path = `/channels/${channelId}/messages` as const;
    const doing = `read ${channelId}`;
    const page = await this.request({ method: 'GET', path, query }, doing);
    const wires: readonly unknown[] | undefined = Array.isArray(page) ? page : undefined;
    const lastId = wires?.map((wire) => idSchema.safeParse(wire).data?.id).reduce(newerSnowflake, undefined);
    if (wires === undefined || (wires.length > 0 && lastId === undefined)) {
      throw new ConnectorError('UPSTREAM_UNAVAILABLE', `${doing}: the answer is unreadable`);
    }
    const messages = wires.flatMap((wire) => {
      const message = toNativeMessage(wire, guildId);
      if (message === undefined) this.#options.logger.error('discord.message-unreadable', { channelId });
      return message ?? [];
    });
    messages.sort((a, b) => compareSnowflakes(a.id, b.id));
    return { messages, count: wires.length, lastId };
  }

  /** @returns undefined where it cannot be read @throws ConnectorError */
  async message(
    channelId: string,
    messageId: string,
    guildId: string | undefined,
  ): Promise<NativeMessage | undefined> {
    const path = `/channels/${channelId}/messages/${messageId}` as const;
    return toNativeMessage(await this.request({ method: 'GET', path }, `read message ${messageId}`), guildId);
  }

  /**
   * How many of the day's session starts are left.
   * @throws ConnectorError RATE_LIMITED where there are fewer than `floor`: a restart loop must not use them up, Discord would reset the token
   */
  async sessionStartsLeft(floor: number): Promise<number> {
    const answer = await this.#ask({ method: 'GET', path: '/gateway/bot' }).catch((error: unknown) => {
      throw toDiscordError(error, 'ask for the gateway', 'bot');
    });
    const parsed = gatewaySchema.safeParse(answer);
    if (!parsed.success) {
      throw new ConnectorError('UPSTREAM_UNAVAILABLE', 'ask for the gateway: the answer is unreadable');
    }
    const { remaining, reset_after: retryAfterMs } = parsed.data.session_start_limit;
    if (remaining >= floor) return remaining;
    const minutes = Math.ceil(retryAfterMs / 60_000);
    throw new ConnectorError(
      'RATE_LIMITED',
      `${remaining} session starts are left for today, ${floor} are kept in reserve`,
      {
        retryAfterMs,
        hint: `find out what restarts so often; it goes on in ${minutes} minutes, or at once with a lower DISCORD_SESSION_FLOOR`,
      },
    );
  }

  async #ask(request: RestRequest): Promise<unknown> {
    const ahead = this.#forgetLimitsOfAnotherTime();
    try {
      return await this.#send(request);
    } catch (error) {
      const isLimited = toDiscordError(error, '').code === 'RATE_LIMITED';
      if (!isLimited || isAbout(this.#forgetLimitsOfAnotherTime(), ahead)) throw error;
      // The clock was set while the request waited for its turn: it was not sent.
      return this.#send(request);
    }
  }

  #send({ expiresAt, method, path, ...request }: RestRequest): Promise<unknown> {
    const { api, leaveBefore, token } = this.#options;
    // One 401 makes the SDK forget it.
    api.setToken(token);
    // as: undici describes query and signal by types of its own, for the same classes
    const data = request as Parameters<REST['get']>[1];
    return leaveBefore(expiresAt, () => (method === 'GET' ? api.get(path, data) : api.post(path, data)));
  }

  /**
   * The SDK notes the end of a rate limit by the clock, so one that was set back would make it wait that much longer. Discord tells the limits
   * anew with each answer.
   * @returns by how much the clock is ahead
   */
  #forgetLimitsOfAnotherTime(): number {
    const { api, clock } = this.#options;
    const ahead = aheadOf(clock);
    if (isAbout(ahead, this.#ahead)) return ahead;
    this.#ahead = ahead;
    api.handlers.clear();
    api.globalReset = -1;
    return ahead;
  }

  /** One 401 may be a fault of Discord's; only a second one means that the token is refused. */
  #isTokenGood(): Promise<boolean> {
    this.#tokenCheck ??= this.#checkToken().finally(() => {
      this.#tokenCheck = undefined;
    });
    return this.#tokenCheck;
  }

  async #checkToken(): Promise<boolean> {
    try {
      await this.#ask({ method: 'GET', path: '/users/@me' });
      return true;
    } catch (reason) {
      const error = toDiscordError(reason, 'check the token', 'bot');
      if (error.code !== 'AUTH_FAILED') return true;
      this.#options.onTokenRefused(error);
      return false;
    }
  }
}

function scopeOf({ path }: RestRequest): RequestScope {
  return /^\/(?:channels|guilds)\//.test(path) ? 'channel' : 'bot';
}

function aheadOf(clock: Clock): number {
  return clock.now() - clock.monotonic();
}

function isAbout(some: number, other: number): boolean {
  return Math.abs(some - other) <= DRIFT_MS;
}
