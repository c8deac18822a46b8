import {
  connectorSettings,
  endpointVariable,
  textVariable,
  type VariablesFault,
  wholeNumberVariable,
} from '@bitbrat/connectors-core';
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

const CHANNELS = 'a comma-separated list of channel names: letters, digits and underscores, 25 at most each';

// The secrets travel on a line of their own, so nothing that could end it is let in.
const variablesSchema = z.object({
  TWITCH_BOT_USERNAME: textVariable(
    /^\w{1,25}$/,
    "the bot's login: letters, digits and underscores, 25 at most",
  ),
  TWITCH_CHANNELS: z
    .string({ error: `expected ${CHANNELS}` })
    .transform((list) => list.split(',').flatMap((entry) => entry.trim().replace(/^#/, '') || []))
    .refine((names) => names.length > 0 && names.every((name) => /^\w{1,25}$/.test(name)), {
      error: `expected ${CHANNELS}`,
    }),
  TWITCH_ACCESS_TOKEN: textVariable(
    /^(?:oauth:)?[!-9;-~]+$/i,
    'a user access token, with or without oauth:',
  ).optional(),
  TWITCH_CLIENT_ID: textVariable(/^[!-~]+$/, "the application's client id").optional(),
  TWITCH_CLIENT_SECRET: textVariable(/^[!-~]+$/, "the application's client secret").optional(),
  TWITCH_REFRESH_TOKEN: textVariable(/^[!-~]+$/, "the bot's refresh token").optional(),
  TWITCH_IRC_URL: endpointVariable(/^wss?:$/, 'a ws(s) URL').default('wss://irc-ws.chat.twitch.tv'),
  TWITCH_AUTH_URL: endpointVariable(/^https?:$/, 'an http(s) URL').default('https://id.twitch.tv/oauth2'),
  TWITCH_BUFFER_MESSAGES: wholeNumberVariable(1, 1_000_000, 10_000, 'messages'),
  TWITCH_CONFIRM_SECONDS: wholeNumberVariable(1, 60, 10, 'seconds'),
  TWITCH_MAX_SEND_WAIT_SECONDS: wholeNumberVariable(0, 60, 10, 'seconds'),
  TWITCH_WATCHDOG_SECONDS: wholeNumberVariable(5, 3_600, 30, 'seconds'),
});

const REFRESH_VARIABLES = ['TWITCH_CLIENT_ID', 'TWITCH_CLIENT_SECRET', 'TWITCH_REFRESH_TOKEN'] as const;

/** The connector's environment variables; the one place that knows their names. */
export const twitchConfigSchema: z.ZodType<TwitchSettings> = connectorSettings('TWITCH_ENABLED', {
  variables: variablesSchema,
  check: missingCredentials,
  toConfig,
});

function missingCredentials(environment: Readonly<Record<string, unknown>>): VariablesFault[] {
  const absent = REFRESH_VARIABLES.filter((name) => environment[name] === undefined);
  if (absent.length === 0) return [];
  if (absent.length === REFRESH_VARIABLES.length) {
    if (environment['TWITCH_ACCESS_TOKEN'] !== undefined) return [];
    const expected = `expected a user access token, or all of ${REFRESH_VARIABLES.join(', ')}`;
    return [{ variable: 'TWITCH_ACCESS_TOKEN', expected }];
  }
  const expected = `expected a value: ${REFRESH_VARIABLES.join(', ')} belong together`;
  return absent.map((variable) => ({ variable, expected }));
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
