import { randomBytes } from 'node:crypto';
import { type TwitchUser } from './users.js';

/** What an access token stands for. */
export interface AccessGrant {
  readonly user: TwitchUser;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What a refresh, or the control API, hands out. */
export interface TokenPair extends AccessGrant {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** How a pair is made; what is left out is chosen by the store. */
export interface TokenRequest {
  readonly scopes: readonly string[];
  /** Milliseconds. */
  readonly lifeMs: number;
  readonly accessToken?: string | undefined;
  readonly refreshToken?: string | undefined;
}

interface RefreshGrant {
  readonly user: TwitchUser;
  readonly scopes: readonly string[];
}

/** Access and refresh tokens: 30 lower-case characters, as Twitch makes them and as tmi.js needs them. */
export class TokenStore {
  readonly #access = new Map<string, AccessGrant>();
  readonly #refresh = new Map<string, RefreshGrant>();

  /** @param now milliseconds since the epoch. */
  constructor(private readonly now: () => number) {}

  /** Makes a pair; older tokens of the user stay as they are. */
  issue(user: TwitchUser, request: TokenRequest): TokenPair {
    const { scopes, lifeMs, accessToken = newToken(), refreshToken = newToken() } = request;
    const grant = { user, scopes, expiresAt: this.now() + lifeMs };
    this.#access.set(accessToken, grant);
    this.#refresh.set(refreshToken, { user, scopes });
    return { ...grant, accessToken, refreshToken };
  }

  /** What the token stands for; undefined when it is unknown, revoked or expired. */
  check(accessToken: string): AccessGrant | undefined {
    const grant = this.#access.get(accessToken);
    return grant !== undefined && this.now() < grant.expiresAt ? grant : undefined;
  }

  /**
   * Trades a refresh token for a new pair; undefined when it is unknown or revoked.
   * @param singleUse whether the refresh token ends with this
   */
  refresh(refreshToken: string, lifeMs: number, singleUse: boolean): TokenPair | undefined {
    const grant = this.#refresh.get(refreshToken);
    if (grant === undefined) return undefined;
    if (singleUse) this.#refresh.delete(refreshToken);
    return this.issue(grant.user, { scopes: grant.scopes, lifeMs });
  }

  /** Ends one access token. Returns whether it was good. */
  revoke(accessToken: string): boolean {
    const good = this.check(accessToken) !== undefined;
    this.#access.delete(accessToken);
    return good;
  }

  /** Ends the access tokens of one user, or of all, and the refresh tokens too if asked. Returns how many ended. */
  expire(login: string | undefined, refreshTokens: boolean): number {
    const access = endAll(this.#access, login);
    return access + (refreshTokens ? endAll(this.#refresh, login) : 0);
  }
}

function endAll(grants: Map<string, RefreshGrant>, login: string | undefined): number {
  let ended = 0;
  for (const [token, { user }] of grants) {
    if (login === undefined || user.login === login.toLowerCase()) {
      grants.delete(token);
      ended += 1;
    }
  }
  return ended;
}

function newToken(): string {
  return randomBytes(15).toString('hex');
}
