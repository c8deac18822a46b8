import { z } from 'zod';

/** What an access token is refreshed with. */
export interface TwitchRefreshSettings {
  readonly clientId: string;
  /** Secret. */
  readonly clientSecret: string;
  /** Secret. */
  readonly refreshToken: string;
}

/** Settings of an enabled Twitch connector. At least one of `accessToken` and `refresh` is there. */
export interface TwitchConfig {
  readonly enabled: true;
  /** The bot's login, lower case. */
  readonly botUsername: string;
  /** Names of the channels, lower case, without `#`. */
  readonly channels: readonly string[];
  /** Secret: a user access token of the bot, without `oauth:`. */
  readonly accessToken: string | undefined;
  /** Undefined: the access token cannot be refreshed. */
  readonly refresh: TwitchRefreshSettings | undefined;
  /** WebSocket endpoint of the chat. */
  readonly ircUrl: string;
  /** Base of the token endpoints, without a slash at its end. */
  readonly authUrl: string;
  /** The most messages that may wait for the bus. */
  readonly bufferMessages: number;
  /** Seconds within which Twitch must confirm or refuse a message. */
  readonly confirmSeconds: number;
  /** Seconds that a message may wait for its turn under Twitch's rate limit before it is given back as `RATE_LIMITED`. */
  readonly maxSendWaitSeconds: number;
  /** Seconds between two questions that find out whether the socket still answers. */
  readonly watchdogSeconds: number;
}

export type TwitchSettings = TwitchConfig | { readonly enabled: false };

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

const endpoint = (protocol: RegExp, expected: string): z.ZodString =>
  z.string().refine((value) => isEndpoint(value, protocol), `expected ${expected}`);

function isEndpoint(value: string, protocol: RegExp): boolean {
  if (!URL.canParse(value)) return false;
  const { hash, protocol: found, username } = new URL(value);
  return protocol.test(found) && username === '' && hash === '';
}

const CHANNELS = 'a comma-separated list of channel names: letters, digits and underscores, 25 at most each';

// The secrets travel on a line of their own, so nothing that could end it is let in.
const variablesSchema = z.object({
  TWITCH_BOT_USERNAME: text(/^\w{1,25}$/, "the bot's login: letters, digits and underscores, 25 at most"),
  TWITCH_CHANNELS: z
    .string({ error: `expected ${CHANNELS}` })
    .transform((list) => list.split(',').flatMap((entry) => entry.trim().replace(/^#/, '') || []))
    .refine((names) => names.length > 0 && names.every((name) => /^\w{1,25}$/.test(name)), {
      error: `expected ${CHANNELS}`,
    }),
  TWITCH_ACCESS_TOKEN: text(
    /^(?:oauth:)?[!-9;-~]+$/i,
    'a user access token, with or without oauth:',
  ).optional(),
  TWITCH_CLIENT_ID: text(/^[!-~]+$/, "the application's client id").optional(),
  TWITCH_CLIENT_SECRET: text(/^[!-~]+$/, "the application's client secret").optional(),
  TWITCH_REFRESH_TOKEN: text(/^[!-~]+$/, "the bot's refresh token").optional(),
  TWITCH_IRC_URL: endpoint(/^wss?:$/, 'a ws(s) URL').default('wss://irc-ws.chat.twitch.tv'),
  TWITCH_AUTH_URL: endpoint(/^https?:$/, 'an http(s) URL').default('https://id.twitch.tv/oauth2'),
  TWITCH_BUFFER_MESSAGES: wholeNumber(1, 1_000_000, 10_000, 'messages'),
  TWITCH_CONFIRM_SECONDS: wholeNumber(1, 60, 10, 'seconds'),
  TWITCH_MAX_SEND_WAIT_SECONDS: wholeNumber(0, 60, 10, 'seconds'),
  TWITCH_WATCHDOG_SECONDS: wholeNumber(5, 3_600, 30, 'seconds'),
});

const REFRESH_VARIABLES = ['TWITCH_CLIENT_ID', 'TWITCH_CLIENT_SECRET', 'TWITCH_REFRESH_TOKEN'] as const;

/**
 * Reads the connector's environment variables; the one place that knows their names.
 *
 * Unless `TWITCH_ENABLED` is `true` the result is `{ enabled: false }`, whatever else is set. Of an enabled connector every fault is
 * reported, by variable and with what was expected, never with the value.
 */
export const twitchConfigSchema: z.ZodType<TwitchSettings> = z
  .record(z.string(), z.unknown())
  .transform((environment, context): TwitchSettings => {
    const flag = environment['TWITCH_ENABLED'] ?? 'false';
    if (flag === 'false') return { enabled: false };
    if (flag !== 'true') {
      context.addIssue({ code: 'custom', path: ['TWITCH_ENABLED'], message: 'expected true or false' });
    }
    const parsed = variablesSchema.safeParse(environment);
    const missing = missingCredentials(environment);
    for (const { path, message } of [...(parsed.error?.issues ?? []), ...missing]) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    return flag === 'true' && parsed.success && missing.length === 0 ? toConfig(parsed.data) : z.NEVER;
  });

function missingCredentials(environment: Readonly<Record<string, unknown>>): {
  readonly path: readonly string[];
  readonly message: string;
}[] {
  const absent = REFRESH_VARIABLES.filter((name) => environment[name] === undefined);
  if (absent.length === 0) return [];
  if (absent.length === REFRESH_VARIABLES.length) {
    if (environment['TWITCH_ACCESS_TOKEN'] !== undefined) return [];
    const message = `expected a user access token, or all of ${REFRESH_VARIABLES.join(', ')}`;
    return [{ path: ['TWITCH_ACCESS_TOKEN'], message }];
  }
  const message = `expected a value: ${REFRESH_VARIABLES.join(', ')} belong together`;
  return absent.map((name) => ({ path: [name], message }));
}

function toConfig(variables: z.infer<typeof variablesSchema>): TwitchConfig {
  return {
    enabled: true,
    botUsername: variables.TWITCH_BOT_USERNAME.toLowerCase(),
    channels: [...new Set(variables.TWITCH_CHANNELS.map((name) => name.toLowerCase()))],
    accessToken: variables.TWITCH_ACCESS_TOKEN?.replace(/^oauth:/i, ''),
    refresh: toRefreshSettings(variables),
    ircUrl: variables.TWITCH_IRC_URL,
    authUrl: variables.TWITCH_AUTH_URL.replace(/\/+$/, ''),
    bufferMessages: variables.TWITCH_BUFFER_MESSAGES,
    confirmSeconds: variables.TWITCH_CONFIRM_SECONDS,
    maxSendWaitSeconds: variables.TWITCH_MAX_SEND_WAIT_SECONDS,
    watchdogSeconds: variables.TWITCH_WATCHDOG_SECONDS,
  };
}

function toRefreshSettings({
  TWITCH_CLIENT_ID: clientId,
  TWITCH_CLIENT_SECRET: clientSecret,
  TWITCH_REFRESH_TOKEN: refreshToken,
}: z.infer<typeof variablesSchema>): TwitchRefreshSettings | undefined {
  if (clientId === undefined || clientSecret === undefined || refreshToken === undefined) return undefined;
  return { clientId, clientSecret, refreshToken };
}
