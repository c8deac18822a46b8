import { type MessageLimits, type RateLimit } from './model/rate-limits.js';

/** How the local Twitch is set up. Everything has a default, see `twitchDefaults`. */
export interface TwitchSandboxOptions {
  /** The bot's login; `environment()` hands it out as TWITCH_BOT_USERNAME. */
  readonly botLogin: string;
  /** Decimal digits. */
  readonly botUserId: string;
  /** The channels that `environment()` names in TWITCH_CHANNELS. Any other channel is made when it is first used. */
  readonly channels: readonly string[];
  /** The application; the token endpoint accepts this one alone. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** The bot's tokens at the start. Lower case: tmi.js writes its password in lower case. */
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly scopes: readonly string[];
  /** Life of an access token in milliseconds; about four hours at Twitch ("Refreshing Access Tokens"). */
  readonly tokenLifeMs: number;
  /** Whether a refresh token ends when it is used, as those of public clients do ("Refreshing Access Tokens"). */
  readonly singleUseRefreshTokens: boolean;
  /** 20 or 100 messages in 30 s, then an hour of silence; 1 message a second to a channel: "Twitch Chat Rate Limits". */
  readonly messageLimits: MessageLimits;
  /** JOINs per account, 20 in 10 s: "Chat rate limits". */
  readonly joinLimit: RateLimit;
  /** Logins per account, 20 in 10 s: "Chat rate limits". */
  readonly loginLimit: RateLimit;
  /** Milliseconds within which a user cannot repeat a text in a channel: NOTICE id `msg_duplicate`. */
  readonly duplicateWindowMs: number;
  /** Characters that are dropped from what clients write, before anything else is done with it. Global. */
  readonly dropped: RegExp;
  /** Milliseconds between the server's PINGs; who has not answered by the next one is cut off. */
  readonly pingIntervalMs: number;
  /** Messages kept per channel; the oldest go first. */
  readonly historyLimit: number;
  /** Seed of the random numbers behind faults with a `probability`. */
  readonly seed: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Credentials that nobody can take for real ones. */
export const twitchDefaults: TwitchSandboxOptions = {
  botLogin: 'bitbrat_bot',
  botUserId: '777000777',
  channels: ['bitbrat'],
  clientId: 'sandbox-twitch-client-id',
  clientSecret: 'sandbox-twitch-client-secret',
  accessToken: 'sandbox0twitch0access0token000',
  refreshToken: 'sandbox0twitch0refresh0token00',
  scopes: ['chat:read', 'chat:edit', 'whispers:read'],
  tokenLifeMs: 4 * 60 * 60_000,
  singleUseRefreshTokens: false,
  messageLimits: { windowMs: 30_000, ordinary: 20, privileged: 100, muteMs: 60 * 60_000, spacingMs: 1_000 },
  dropped: /[\u200b\u2060\ufeff\u{e0000}-\u{e0fff}]/gu,
  joinLimit: { count: 20, windowMs: 10_000 },
  loginLimit: { count: 20, windowMs: 10_000 },
  duplicateWindowMs: 30_000,
  pingIntervalMs: 5 * 60_000,
  historyLimit: 100_000,
  seed: 1,
  now: Date.now,
};
