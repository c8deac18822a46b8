import { type PrivilegedIntent } from './wire/intents.js';

/** How the local Discord is set up. Everything has a default, see `discordDefaults`. */
export interface DiscordSandboxOptions {
  /** The bot's token, without `Bot `. */
  readonly token: string;
  /** The application's id, which is the bot user's id too. */
  readonly applicationId: string;
  readonly botUsername: string;
  /** The guild that exists from the start; more can be added. */
  readonly guildId: string;
  readonly guildName: string;
  /** The guild's text channels; messages go to the first unless they name another. */
  readonly channels: readonly { readonly id: string; readonly name: string }[];
  /** Privileged intents that are switched on for the application. Asking for another ends in close code 4014. */
  readonly privilegedIntents: readonly PrivilegedIntent[];
  /** Milliseconds between heartbeats, told in HELLO; a socket silent for twice as long is closed with 4009. */
  readonly heartbeatIntervalMs: number;
  /** Milliseconds that a session without a socket can be resumed. Discord names no number; minutes, as observed. */
  readonly sessionTtlMs: number;
  /** Events kept per session for RESUME. Discord names no number. */
  readonly sessionBufferSize: number;
  /** IDENTIFYs per day; 1,000 as in Discord's "Gateway: Session Start Limit". One more resets the token. */
  readonly sessionStartLimit: number;
  /** Least milliseconds between two IDENTIFYs, answered with op 9 when too early. 5,000 at Discord; 0 switches it off. */
  readonly identifyIntervalMs: number;
  /** Messages per channel and window; 5 per 5 s as observed, Discord publishes no number. */
  readonly channelLimit: number;
  /** Milliseconds of that window. */
  readonly channelWindowMs: number;
  /** Requests per second over all routes; 50 as in Discord's "Rate Limits: Global Rate Limit". */
  readonly globalLimit: number;
  /** Answers of 401, 403 and 429 within ten minutes that end in a ban; 10,000 as in "Rate Limits: Invalid Request Limit". */
  readonly invalidRequestLimit: number;
  /** Milliseconds that an enforced nonce is remembered: "the past few minutes" in Discord's "Create Message". */
  readonly nonceTtlMs: number;
  /** Largest upload in bytes; 10 MiB as in Discord's "Uploading Files". */
  readonly maxUploadBytes: number;
  /** Messages kept per channel; the oldest go first, and nobody is told. */
  readonly historyLimit: number;
  /** Seed of the random numbers behind faults with a `probability`. */
  readonly seed: number;
}

/** Credentials that nobody can take for real ones, and Discord's own limits. */
export const discordDefaults: DiscordSandboxOptions = {
  token: 'sandbox-discord-bot-token',
  applicationId: '1000000000000000001',
  botUsername: 'bitbrat',
  guildId: '1000000000000000002',
  guildName: 'Sandbox Guild',
  channels: [
    { id: '1000000000000000003', name: 'general' },
    { id: '1000000000000000004', name: 'support' },
  ],
  privilegedIntents: ['GUILD_MEMBERS', 'GUILD_PRESENCES', 'MESSAGE_CONTENT'],
  heartbeatIntervalMs: 41_250,
  sessionTtlMs: 180_000,
  sessionBufferSize: 10_000,
  sessionStartLimit: 1_000,
  identifyIntervalMs: 0,
  channelLimit: 5,
  channelWindowMs: 5_000,
  globalLimit: 50,
  invalidRequestLimit: 10_000,
  nonceTtlMs: 300_000,
  maxUploadBytes: 10 * 1024 * 1024,
  historyLimit: 100_000,
  seed: 1,
};
