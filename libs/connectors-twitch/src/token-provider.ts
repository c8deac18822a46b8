import { type Clock, ConnectorError, type Logger, withTimeout } from '@bitbrat/connectors-core';
import { z } from 'zod';
import { type TwitchConfig } from './config.js';
import { toAuthError, toTwitchError } from './errors.js';

/** Milliseconds for an answer of the token endpoints. */
const REQUEST_TIMEOUT_MS = 10_000;

/** A token is refreshed so long before its end, in milliseconds, or in the last tenth of a shorter life. */
const REFRESH_BEFORE_MS = 10 * 60_000;

const REQUIRED_SCOPES = ['chat:read', 'chat:edit'] as const;

const tokensSchema = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  expires_in: z.number().optional(),
});
const validationSchema = z.object({
  login: z.string(),
  user_id: z.string(),
  scopes: z.array(z.string()).nullable(),
  expires_in: z.number(),
});
const refusalSchema = z.object({ message: z.string() });

type TokenSettings = Pick<TwitchConfig, 'accessToken' | 'authUrl' | 'botUsername' | 'refresh'>;

/**
 * Keeps the bot's user access token good: validates it, as Twitch demands at the start and hourly, and refreshes it where it can.
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

  /**
   * A token that is good as far as Twitch could be asked; refreshed first where it is about to end or is refused.
   * @param signal aborted when nobody waits any more
   * @throws ConnectorError AUTH_FAILED where only a person can help; others where there is no token and none can be had now
   */
  async goodToken(signal: AbortSignal): Promise<string> {
    const isDue = this.refreshAt !== undefined && this.refreshAt <= this.#clock.now();
    const token = isDue || this.#accessToken === undefined ? await this.refresh(signal) : this.#accessToken;
    try {
      await this.validate(token, signal);
      return token;
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error;
      if (error.nativeCode === '401' && this.canRefresh) return this.#refreshAndValidate(signal);
      if (error.code === 'AUTH_FAILED' || signal.aborted) throw error;
      // The chat's own login will tell whether the token is good.
      this.#logger.warn('twitch.token-not-validated', { code: error.code, reason: error.message });
      return token;
    }
  }

  /**
   * A new token. Concurrent calls share one request, and the first one's signal.
   * @throws ConnectorError AUTH_FAILED where Twitch refuses or there is nothing to refresh with
   */
  refresh(signal: AbortSignal): Promise<string> {
    this.#refreshing ??= this.#refresh(signal).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refreshAndValidate(signal: AbortSignal): Promise<string> {
    const token = await this.refresh(signal);
    try {
      await this.validate(token, signal);
    } catch (error) {
      // Twitch has just given it, so it was ended meanwhile: the next one may do. A grant that was taken back fails at the refresh.
      if (!(error instanceof ConnectorError) || error.nativeCode !== '401') throw error;
      throw new ConnectorError('UPSTREAM_UNAVAILABLE', 'a token that Twitch has just given is refused', {
        cause: error,
      });
    }
    return token;
  }

  async #refresh(signal: AbortSignal): Promise<string> {
    const { refresh } = this.#settings;
    if (refresh === undefined || this.#refreshToken === undefined) {
      throw new ConnectorError('AUTH_FAILED', 'the access token is refused and cannot be refreshed', {
        hint: 'set a new TWITCH_ACCESS_TOKEN, or TWITCH_CLIENT_ID, TWITCH_CLIENT_SECRET and TWITCH_REFRESH_TOKEN',
      });
    }
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: refresh.clientId,
      client_secret: refresh.clientSecret,
      refresh_token: this.#refreshToken,
    });
    const answer = await this.#request(
      '/token',
      { method: 'POST', body, signal },
      'refresh the access token',
    );
    const tokens = tokensSchema.safeParse(answer);
    if (!tokens.success) {
      throw new ConnectorError('UPSTREAM_UNAVAILABLE', 'refresh the access token: the answer holds no token');
    }
    const { access_token: accessToken, expires_in: life, refresh_token: refreshToken } = tokens.data;
    this.#accessToken = accessToken;
    this.#refreshToken = refreshToken ?? this.#refreshToken;
    this.#noteLife(life);
    this.#logger.info('twitch.token-refreshed', { lifeSeconds: life });
    return accessToken;
  }

  /**
   * Resolves when Twitch takes the token, it is the bot's, and it has the rights that the connector needs.
   * @throws ConnectorError AUTH_FAILED with native code 401 where the token has ended, without where it is another's or lacks a right
   */
  async validate(token: string, signal: AbortSignal): Promise<void> {
    const doing = 'validate the access token';
    const headers = { authorization: `OAuth ${token}` };
    const answer = await this.#request('/validate', { headers, signal }, doing);
    const validation = validationSchema.safeParse(answer);
    if (!validation.success) {
      throw new ConnectorError('UPSTREAM_UNAVAILABLE', `${doing}: the answer cannot be read`);
    }
    const { expires_in: life, login, scopes } = validation.data;
    if (login.toLowerCase() !== this.#settings.botUsername) {
      throw new ConnectorError('AUTH_FAILED', `${doing}: it belongs to ${login}`, {
        hint: `authorize as ${this.#settings.botUsername}, or correct TWITCH_BOT_USERNAME`,
      });
    }
    const missing = REQUIRED_SCOPES.filter((scope) => scopes?.includes(scope) !== true);
    if (missing.length > 0) {
      throw new ConnectorError('AUTH_FAILED', `${doing}: it lacks ${missing.join(' and ')}`, {
        hint: `authorize the bot again with the scopes ${REQUIRED_SCOPES.join(' and ')}`,
      });
    }
    this.#noteLife(life);
  }

  /** @param seconds 0: Twitch's word for a token without end */
  #noteLife(seconds: number | undefined): void {
    if (seconds === undefined || seconds <= 0) return;
    const life = seconds * 1_000;
    this.#expiresAt = this.#clock.now() + life;
    this.#refreshAt = this.#expiresAt - Math.min(REFRESH_BEFORE_MS, life / 10);
  }

  async #request(
    path: string,
    init: RequestInit & { readonly signal: AbortSignal },
    doing: string,
  ): Promise<unknown> {
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, init.signal]);
    const work = async (): Promise<unknown> => {
      const response = await fetch(`${this.#settings.authUrl}${path}`, {
        ...init,
        redirect: 'error',
        signal,
      });
      const body = await response.text();
      if (!response.ok) throw toAuthError(response.status, refusalIn(body) ?? response.statusText, doing);
      return toJson(body);
    };
    try {
      return await withTimeout(this.#clock, work(), REQUEST_TIMEOUT_MS, () => {
        return new ConnectorError('TIMEOUT', `${doing}: no answer after ${REQUEST_TIMEOUT_MS} ms`);
      });
    } catch (error) {
      if (init.signal.aborted) throw new ConnectorError('NOT_CONNECTED', `${doing}: given up`);
      throw toTwitchError(error, doing);
    } finally {
      abort.abort();
    }
  }
}

function refusalIn(body: string): string | undefined {
  return refusalSchema.safeParse(toJson(body)).data?.message;
}

function toJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
