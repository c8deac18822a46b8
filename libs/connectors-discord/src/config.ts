import { z } from 'zod';
import { isSnowflake } from './snowflake.js';

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
  /** Seconds for one REST request, and for fetching one attachment. */
  readonly requestTimeoutSeconds: number;
}

export type DiscordSettings = DiscordConfig | { readonly enabled: false };

const text = (pattern: RegExp, expected: string): z.ZodString =>
  z.string({ error: `expected ${expected}` }).regex(pattern, `expected ${expected}`);

const wholeNumber = (min: number, max: number, fallback: number, what: string): z.ZodType<number> => {
  const expected = `expected ${what}, a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, expected)
    .transform(Number)
    .refine((value) => value >= min && value <= max, expected)
    .default(fallback);
};

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

function isEndpoint(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { hash, protocol, search, username } = new URL(value);
  return /^https?:$/.test(protocol) && username === '' && hash === '' && search === '';
}

/** A host as a URL shows it, with a port where it is not the protocol's own. */
function isHost(entry: string): boolean {
  return URL.canParse(`https://${entry}`) && new URL(`https://${entry}`).host === entry;
}

const variablesSchema = z.object({
  DISCORD_BOT_TOKEN: text(/^\S+$/, "the bot's token, without Bot in front"),
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
  DISCORD_API_URL: z
    .string()
    .refine(isEndpoint, 'expected an http(s) URL without user, query and fragment')
    .default('https://discord.com/api'),
  DISCORD_SESSION_FLOOR: wholeNumber(0, 1_000, 20, 'session starts'),
  DISCORD_HISTORY_HOURS: wholeNumber(1, 8_760, 24, 'hours'),
  DISCORD_CONNECT_TIMEOUT_SECONDS: wholeNumber(5, 300, 30, 'seconds'),
  DISCORD_REQUEST_TIMEOUT_SECONDS: wholeNumber(1, 120, 15, 'seconds'),
});

/**
 * Reads the connector's environment variables; the one place that knows their names.
 *
 * Unless `DISCORD_ENABLED` is `true` the result is `{ enabled: false }`, whatever else is set. Of an enabled connector every fault is
 * reported, by variable and with what was expected, never with the value.
 */
export const discordConfigSchema: z.ZodType<DiscordSettings> = z
  .record(z.string(), z.unknown())
  .transform((environment, context): DiscordSettings => {
    const flag = environment['DISCORD_ENABLED'] ?? 'false';
    if (flag === 'false') return { enabled: false };
    if (flag !== 'true') {
      context.addIssue({ code: 'custom', path: ['DISCORD_ENABLED'], message: 'expected true or false' });
    }
    const parsed = variablesSchema.safeParse(environment);
    for (const { path, message } of parsed.error?.issues ?? []) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    return flag === 'true' && parsed.success ? toConfig(parsed.data) : z.NEVER;
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
