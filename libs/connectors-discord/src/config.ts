import {
  connectorSettings,
  endpointVariable,
  textVariable,
  wholeNumberVariable,
} from '@bitbrat/connectors-core';
import { z } from 'zod';
import { isSnowflake } from './platform/snowflake.js';

/** Whom a message of ours may ping. */
export type AllowedMentions = 'none' | 'users';

/** Settings of an enabled Discord connector. */
export interface DiscordConfig {
  readonly enabled: true;
  /** Secret: the bot's token, without `Bot `. */
  readonly botToken: string;
  /** Guilds whose messages are read; one at least. */
  readonly guildIds: readonly string[];
  /** Channels that are read, their threads included. Empty: all channels of the guilds. */
  readonly channelIds: readonly string[];
  readonly directMessages: boolean;
  readonly allowedMentions: AllowedMentions;
  /** Hosts (`files.example`, `127.0.0.1:4010`) that attachments may come from though they are private or speak plain http. */
  readonly attachmentHosts: readonly string[];
  /** Base of the REST API without its version and without a slash at its end; the gateway's address comes from there. */
  readonly apiUrl: string;
  /** No login while fewer of the day's session starts are left: Discord resets the token of a bot that uses them all up. */
  readonly sessionFloor: number;
  /** Missed messages older than this are not read any more. */
  readonly historyHours: number;
  /** Seconds from the start to a session with all guilds. */
  readonly connectTimeoutSeconds: number;
  /** Seconds for one REST request, and for fetching the attachments of one message. */
  readonly requestTimeoutSeconds: number;
}

export type DiscordSettings = DiscordConfig | { readonly enabled: false };

const list = (isEntry: (entry: string) => boolean, expected: string): z.ZodType<readonly string[], string> =>
  z
    .string({ error: `expected ${expected}` })
    .transform((entries) => [...new Set(entries.split(',').flatMap((entry) => entry.trim() || []))])
    .refine((entries) => entries.every(isEntry), `expected ${expected}`);

const oneOf = <T extends string>(words: readonly [T, ...T[]], fallback: T): z.ZodType<T> =>
  z
    .string()
    .refine((value): value is T => words.some((word) => word === value), `expected ${words.join(' or ')}`)
    .default(fallback);

/** A host as a URL shows it, with a port where it is not the protocol's own. */
function isHost(entry: string): boolean {
  return URL.canParse(`https://${entry}`) && new URL(`https://${entry}`).host === entry;
}

const API_URL = 'an http(s) URL without user, query and fragment';

const variablesSchema = z.object({
  DISCORD_BOT_TOKEN: textVariable(/^\S+$/, "the bot's token, without Bot in front"),
  DISCORD_GUILD_ID: list(
    isSnowflake,
    'one guild id or a comma-separated list of them, 17 to 20 digits each',
  ).refine((ids) => ids.length > 0, 'expected one guild id at least'),
  DISCORD_CHANNELS: list(isSnowflake, 'a comma-separated list of channel ids, 17 to 20 digits each').default(
    [],
  ),
  DISCORD_DIRECT_MESSAGES: oneOf(['true', 'false'], 'true'),
  DISCORD_ALLOWED_MENTIONS: oneOf(['none', 'users'], 'none'),
  DISCORD_ATTACHMENT_HOSTS: list(
    isHost,
    'a comma-separated list of hosts: files.example, 127.0.0.1:4010',
  ).default([]),
  DISCORD_API_URL: endpointVariable(/^https?:$/, API_URL)
    .refine((url) => !url.includes('?'), `expected ${API_URL}`)
    .default('https://discord.com/api'),
  DISCORD_SESSION_FLOOR: wholeNumberVariable(0, 1_000, 20, 'session starts'),
  DISCORD_HISTORY_HOURS: wholeNumberVariable(1, 8_760, 24, 'hours'),
  DISCORD_CONNECT_TIMEOUT_SECONDS: wholeNumberVariable(5, 300, 30, 'seconds'),
  DISCORD_REQUEST_TIMEOUT_SECONDS: wholeNumberVariable(1, 120, 15, 'seconds'),
});

/** The connector's environment variables; the one place that knows their names. */
export const discordConfigSchema: z.ZodType<DiscordSettings> = connectorSettings('DISCORD_ENABLED', {
  variables: variablesSchema,
  toConfig,
});

function toConfig(variables: z.infer<typeof variablesSchema>): DiscordConfig {
  return {
    enabled: true,
    botToken: variables.DISCORD_BOT_TOKEN,
    guildIds: variables.DISCORD_GUILD_ID,
    channelIds: variables.DISCORD_CHANNELS,
    directMessages: variables.DISCORD_DIRECT_MESSAGES === 'true',
    allowedMentions: variables.DISCORD_ALLOWED_MENTIONS,
    attachmentHosts: variables.DISCORD_ATTACHMENT_HOSTS,
    apiUrl: variables.DISCORD_API_URL.replace(/\/+$/, ''),
    sessionFloor: variables.DISCORD_SESSION_FLOOR,
    historyHours: variables.DISCORD_HISTORY_HOURS,
    connectTimeoutSeconds: variables.DISCORD_CONNECT_TIMEOUT_SECONDS,
    requestTimeoutSeconds: variables.DISCORD_REQUEST_TIMEOUT_SECONDS,
  };
}
