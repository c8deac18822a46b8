import { ConnectorError, toConnectorError } from '@bitbrat/connectors-core';
import { type Clock, type Logger, sleep, withTimeout } from '@bitbrat/foundation';
import { z } from 'zod';
import { type TwitchConfig } from '../config.js';
import { toAuthError, toTwitchError } from '../platform/errors.js';
import { readText, toJson } from './token-answer.js';
import { untilAborted } from '../platform/until-aborted.js';

/** Milliseconds for an answer of the token endpoints. */
const REQUEST_TIMEOUT_MS = 10_000;

/** A token is refreshed so long before its end, in milliseconds, or in the last tenth of a shorter life. */
const REFRESH_BEFORE_MS = 10 * 60_000;

/** Milliseconds between two validations: once an hour is what Twitch demands ("Validating Tokens"). */
export const VALIDATE_EVERY_MS = 60 * 60_000;

/** The longest life that is believed, in seconds. A longer one would not fit into a date. */
const MAX_LIFE_SECONDS = 10 * 365 * 24 * 3_600;

const REQUIRED_SCOPES = ['chat:read', 'chat:edit'] as const;

/** The token is written into a line of its own, so nothing that could end the line is taken. */
const token = z.string().regex(/^[!-~]{1,1024}$/);
/** What cannot be believed is as good as absent. */
const life = z.number().nonnegative().max(MAX_LIFE_SECONDS).optional().catch(undefined);
const tokensSchema = z.object({
  access_token: token,
  refresh_token: token.optional().catch(undefined),
  expires_in: life,
});
const validationSchema = z.object({
  login: z.string(),
  // Twitch has been seen to answer `null` for tokens that work.
  scopes: z.array(z.string()).nullish(),
  expires_in: life,
});
const refusalSchema = z.object({ message: z.string() });

type TokenSettings = Pick<TwitchConfig, 'accessToken' | 'authUrl' | 'botUsername' | 'refresh'>;

/** Whether Twitch has said that the access token is not good any more: the one word that ends it. */
export function saysEnded(error: unknown): boolean {
  return error instanceof ConnectorError && error.code === 'AUTH_FAILED' && error.nativeCode === '401';
}

/**
 * Keeps the bot's user access token good: validates it, as Twitch demands at the start and hourly, and refreshes it where it can.
 * A token is good until Twitch says that it has ended. Whatever else the endpoints answer, it stays in use.
 *
 * A refresh token that Twitch has replaced lives in memory only; no secret is stored. The configured one stays good for confidential
 * clients, which this is: it has a client secret ("Refreshing Access Tokens"). Never logs a token.
 */
export class TwitchTokenProvider {
  readonly #settings: TokenSettings;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #accessToken: string | undefined;
  #refreshToken: string | undefined;
  #expiresAt: number | undefined;
  #refreshAt: number | undefined;
  /** By the monotonic clock. */
  #validatedAt = -Infinity;
  #hasEnded = false;
  #refreshing: Promise<string> | undefined;

  constructor(settings: TokenSettings, clock: Clock, logger: Logger) {
    this.#settings = settings;
    this.#clock = clock;
    this.#logger = logger;
    this.#accessToken = settings.accessToken;
    this.#refreshToken = settings.refresh?.refreshToken;
  }

  /** Whether a new token can be had without a person. */
  get canRefresh(): boolean {
    return this.#settings.refresh !== undefined;
  }

  /** End of the token's life in milliseconds since 1970; undefined: not known yet, or it has none. */
  get expiresAt(): number | undefined {
    return this.#expiresAt;
  }

  /** When it should be refreshed, in milliseconds since 1970; undefined: it cannot be, or need not. */
  get refreshAt(): number | undefined {
    return this.canRefresh ? this.#refreshAt : undefined;
  }

  /** Whether Twitch has said that the access token has ended, and no new one has been had since. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * A token for a login. Asks Twitch only if the last validation is an hour old or the token is about to end: the chat is
   * deaf meanwhile.
   * @param signal aborted when nobody waits any more
   * @throws ConnectorError AUTH_FAILED where only a person can help; others where there is no token and none can be had now
   */
  async goodToken(signal: AbortSignal): Promise<string> {
    const present = this.#accessToken ?? (await this.refresh(signal));
    const refreshed = this.#isDue ? await this.#refreshEarly(present, signal) : present;
    if (this.#clock.monotonic() < this.#validatedAt + VALIDATE_EVERY_MS) return refreshed;
    try {
      return await this.#validated(refreshed, signal);
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.code === 'AUTH_FAILED' || signal.aborted) throw error;
      if (this.#hasEnded) throw error;
      // The chat's own login will tell whether the token is good.
      this.#logger.warn('twitch.token-not-validated', { code: error.code, reason: error.message });
      return refreshed;
    }
  }

  /**
   * Validates the token now, and refreshes it if it is about to end or has ended.
   * @throws ConnectorError why that could not be done. `hasEnded` tells whether the token is good nevertheless
   */
  async renew(signal: AbortSignal): Promise<void> {
    const present = this.#accessToken ?? (await this.refresh(signal));
    let early: unknown;
    if (this.#isDue) {
      await this.refresh(signal).catch((error: unknown) => {
        early = error;
      });
    }
    await this.#validated(this.#accessToken ?? present, signal);
    if (early !== undefined) throw toConnectorError(early);
  }

  /**
   * A token in place of one that the chat has refused.
   * @throws ConnectorError AUTH_FAILED where that one has really ended and there is no other, else why that is not known
   */
  async replace(refused: string, signal: AbortSignal): Promise<string> {
    // Another caller may have replaced it meanwhile.
    if (this.#accessToken !== undefined && this.#accessToken !== refused) return this.#accessToken;
    if (this.canRefresh) return this.refresh(signal);
    await this.validate(refused, signal);
    return refused;
  }

  /**
   * A new token. Concurrent calls share one request, which goes on if its callers give up: its answer may hold a new
   * refresh token, and the old one may be void.
   * @throws ConnectorError AUTH_FAILED where Twitch refuses or there is nothing to refresh with
   */
  refresh(signal: AbortSignal): Promise<string> {
    if (this.#refreshing === undefined) {
      this.#refreshing = this.#refresh().finally(() => {
        this.#refreshing = undefined;
      });
      this.#refreshing.catch(() => undefined);
    }
    return untilAborted(this.#refreshing, signal, () => givenUp('refresh the access token'));
  }

  /** Resolves when no refresh is in flight, or after `limitMs`; never rejects. */
  async idle(limitMs: number): Promise<void> {
    if (this.#refreshing === undefined) return;
    const done = new AbortController();
    await Promise.race([this.#refreshing.catch(() => undefined), sleep(this.#clock, limitMs, done.signal)]);
    done.abort();
  }

  get #isDue(): boolean {
    return this.refreshAt !== undefined && this.refreshAt <= this.#clock.now();
  }

  /** A new token, or the present one, which lives on for a while, if none can be had now. */
  async #refreshEarly(present: string, signal: AbortSignal): Promise<string> {
    try {
      return await this.refresh(signal);
    } catch (reason) {
      if (signal.aborted || this.#hasEnded) throw reason;
      const error = toConnectorError(reason);
      this.#logger.warn('twitch.token-refresh-failed', { code: error.code, reason: error.message });
      return present;
    }
  }

  /** The token, or a new one if it has ended. */
  async #validated(present: string, signal: AbortSignal): Promise<string> {
    try {
      await this.validate(present, signal);
      return present;
    } catch (error) {
      if (!saysEnded(error) || !this.canRefresh) throw error;
    }
    const next = await this.replace(present, signal);
    try {
      await this.validate(next, signal);
    } catch (error) {
      // Twitch has just given it, so it was ended meanwhile: the next one may do. A grant that was taken back fails at the refresh.
      if (!saysEnded(error)) throw error;
      throw new ConnectorError('UPSTREAM_UNAVAILABLE', 'a token that Twitch has just given is refused', {
        cause: error,
      });
    }
    return next;
  }

  async #refresh(): Promise<string> {
    const { refresh } = this.#settings;
    if (refresh === undefined || this.#refreshToken === undefined) {
      throw new ConnectorError('AUTH_FAILED', 'the access token is refused and cannot be refreshed', {
        hint: 'set a new TWITCH_ACCESS_TOKEN, or TWITCH_CLIENT_ID, TWITCH_CLIENT_SECRET and TWITCH_REFRESH_TOKEN',
      });
    }
    const candidates = [...new Set([this.#refreshToken, refresh.refreshToken])];
    for (;;) {
      const refreshToken = candidates.shift() ?? refresh.refreshToken;
      try {
        return await this.#refreshWith(refreshToken, refresh);
      } catch (error) {
        // The configured one stays good when the one that replaced it has ended.
        if (candidates.length === 0 || toConnectorError(error).code !== 'AUTH_FAILED') throw error;
      }
    }
  }

  async #refreshWith(
    refreshToken: string,
    { clientId, clientSecret }: NonNullable<TokenSettings['refresh']>,
  ): Promise<string> {
    const doing = 'refresh the access token';
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      client_secret: clientSecret,
      refresh_token: refreshToken,
    });
    const answer = await this.#request('/token', { method: 'POST', body }, doing);
    const tokens = tokensSchema.safeParse(answer);
    if (!tokens.success) throw unreadable(`${doing}: the answer holds no token`);
    const { access_token: accessToken, expires_in: seconds, refresh_token: next } = tokens.data;
    this.#accessToken = accessToken;
    this.#refreshToken = next ?? refreshToken;
    this.#hasEnded = false;
    this.#validatedAt = -Infinity;
    this.#noteLife(seconds);
    this.#logger.info('twitch.token-refreshed', { lifeSeconds: seconds });
    return accessToken;
  }

  /**
   * Resolves when Twitch takes the token, it is the bot's, and it has the rights that the connector needs.
   * @throws ConnectorError AUTH_FAILED with native code 401 where the token has ended, without where it is another's or lacks a right
   */
  async validate(token: string, signal: AbortSignal): Promise<void> {
    const doing = 'validate the access token';
    let answer: unknown;
    try {
      answer = await this.#request(
        '/validate',
        { headers: { authorization: `OAuth ${token}` }, signal },
        doing,
      );
    } catch (error) {
      if (saysEnded(error) && token === this.#accessToken) this.#hasEnded = true;
      throw error;
    }
    const validation = validationSchema.safeParse(answer);
    if (!validation.success) throw unreadable(`${doing}: the answer cannot be read`);
    const { expires_in: seconds, login, scopes } = validation.data;
    if (login.toLowerCase() !== this.#settings.botUsername) {
      throw new ConnectorError('AUTH_FAILED', `${doing}: it belongs to ${login}`, {
        hint: `authorize as ${this.#settings.botUsername}, or correct TWITCH_BOT_USERNAME`,
      });
    }
    const missing = REQUIRED_SCOPES.filter((scope) => scopes?.includes(scope) === false);
    if (missing.length > 0) {
      throw new ConnectorError('AUTH_FAILED', `${doing}: it lacks ${missing.join(' and ')}`, {
        hint: `authorize the bot again with the scopes ${REQUIRED_SCOPES.join(' and ')}`,
      });
    }
    if (token !== this.#accessToken) return;
    this.#hasEnded = false;
    this.#validatedAt = this.#clock.monotonic();
    this.#noteLife(seconds);
  }

  /** @param seconds 0: Twitch's word for a token without end */
  #noteLife(seconds: number | undefined): void {
    if (seconds === undefined || seconds <= 0) return;
    const lifeMs = seconds * 1_000;
    this.#expiresAt = this.#clock.now() + lifeMs;
    this.#refreshAt = this.#expiresAt - Math.min(REFRESH_BEFORE_MS, lifeMs / 10);
  }

  async #request(path: string, init: RequestInit, doing: string): Promise<unknown> {
    const abort = new AbortController();
    const caller = init.signal ?? undefined;
    const signal = caller === undefined ? abort.signal : AbortSignal.any([abort.signal, caller]);
    const work = async (): Promise<unknown> => {
      const url = `${this.#settings.authUrl}${path}`;
      const response = await fetch(url, { ...init, redirect: 'manual', signal });
      const body = await readText(response);
      if (!response.ok) throw toAuthError(response.status, refusalIn(body) ?? response.statusText, doing);
      return toJson(body);
    };
    try {
      return await withTimeout(this.#clock, work(), REQUEST_TIMEOUT_MS, () => {
        return new ConnectorError('TIMEOUT', `${doing}: no answer after ${REQUEST_TIMEOUT_MS} ms`);
      });
    } catch (error) {
      if (caller?.aborted === true) throw givenUp(doing);
      throw toTwitchError(error, doing);
    } finally {
      abort.abort();
    }
  }
}

/** What the endpoint says in words, cut and without what could forge a line of a log. */
function refusalIn(body: string): string | undefined {
  const message = refusalSchema.safeParse(toJson(body)).data?.message;
  return message?.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 200);
}

function unreadable(message: string): ConnectorError {
  return new ConnectorError('UPSTREAM_UNAVAILABLE', message);
}

function givenUp(doing: string): ConnectorError {
  return new ConnectorError('NOT_CONNECTED', `${doing}: given up`);
}
