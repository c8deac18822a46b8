import {
  connectorSettings,
  endpointVariable,
  textVariable,
  wholeNumberVariable,
} from '@bitbrat/connectors-core';
import { z } from 'zod';

/** Settings of an enabled Twilio connector. */
export interface TwilioConfig {
  readonly enabled: true;
  readonly accountSid: string;
  /** Secret: key of the webhook signatures. */
  readonly authToken: string;
  readonly apiKey: string;
  /** Secret: signs access tokens and REST requests. */
  readonly apiSecret: string;
  readonly chatServiceSid: string;
  /** The bot's identity in each conversation. */
  readonly identity: string;
  readonly tokenTtlSeconds: number;
  /** Authors that are let in: `+15550100`, `whatsapp:+15550100`, `chat:agent`. Empty: everybody. */
  readonly allowedSenders: readonly string[];
  /** Messages older than this are not read when the bot sees a conversation for the first time. */
  readonly historyHours: number;
  /** The public URL that Twilio calls, exactly as it is set there; undefined: no webhook. */
  readonly webhookUrl: string | undefined;
  /** WebSocket endpoint; undefined: the SDK's own. */
  readonly conversationsWsUrl: string | undefined;
  /** Origin of the REST API, without a slash at its end. */
  readonly restUrl: string;
  /** Seconds between two looks at all conversations. */
  readonly sweepSeconds: number;
  /** Seconds between two questions that find out whether the socket still answers. */
  readonly watchdogSeconds: number;
  /** Messages after which the SDK's client is replaced, because it never frees one (about 4.5 KiB each). */
  readonly replaceClientAfterMessages: number;
}

export type TwilioSettings = TwilioConfig | { readonly enabled: false };

const SENDER = /^(?:(?:whatsapp:)?\+[1-9]\d{1,14}|chat:\S+)$/;

const variablesSchema = z.object({
  TWILIO_ACCOUNT_SID: textVariable(/^AC[0-9a-fA-F]{32}$/, 'an account SID: AC and 32 hexadecimal digits'),
  TWILIO_AUTH_TOKEN: textVariable(/^\S+$/, "the account's auth token"),
  TWILIO_API_KEY: textVariable(/^SK[0-9a-fA-F]{32}$/, 'an API key SID: SK and 32 hexadecimal digits'),
  TWILIO_API_SECRET: textVariable(/^\S+$/, "the API key's secret"),
  TWILIO_CHAT_SERVICE_SID: textVariable(
    /^IS[0-9a-fA-F]{32}$/,
    'a conversation service SID: IS and 32 hexadecimal digits',
  ),
  // 256: identity limit of the Conversations limits page.
  TWILIO_IDENTITY: textVariable(/^\S(?:.{0,254}\S)?$/u, "the bot's identity, 256 characters at most"),
  // 24 hours is the longest life that Twilio accepts for an access token.
  TWILIO_TOKEN_TTL_SECONDS: wholeNumberVariable(180, 86_400, 3_600, 'seconds'),
  TWILIO_ALLOWED_SENDERS: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((entry) => entry.trim() || []))
    .refine(
      (entries) => entries.every((entry) => SENDER.test(entry)),
      'expected a comma-separated list of +15550100, whatsapp:+15550100 or chat:identity',
    ),
  TWILIO_HISTORY_HOURS: wholeNumberVariable(1, 87_600, 24, 'hours'),
  TWILIO_WEBHOOK_URL: endpointVariable(
    /^https?:$/,
    'the public http(s) URL of the webhook, without user and fragment',
  ).optional(),
  TWILIO_CONVERSATIONS_WS_URL: endpointVariable(/^wss?:$/, 'a ws(s) URL').optional(),
  TWILIO_REST_URL: endpointVariable(/^https?:$/, 'an http(s) URL').default(
    'https://conversations.twilio.com',
  ),
  TWILIO_SWEEP_SECONDS: wholeNumberVariable(5, 3_600, 60, 'seconds'),
  TWILIO_WATCHDOG_SECONDS: wholeNumberVariable(5, 3_600, 60, 'seconds'),
  TWILIO_REPLACE_CLIENT_AFTER_MESSAGES: wholeNumberVariable(100, 1_000_000, 10_000, 'messages'),
});

/** The connector's environment variables; the one place that knows their names. */
export const twilioConfigSchema: z.ZodType<TwilioSettings> = connectorSettings('TWILIO_ENABLED', {
  variables: variablesSchema,
  toConfig,
});

function toConfig(variables: z.infer<typeof variablesSchema>): TwilioConfig {
  return {
    enabled: true,
    accountSid: variables.TWILIO_ACCOUNT_SID,
    authToken: variables.TWILIO_AUTH_TOKEN,
    apiKey: variables.TWILIO_API_KEY,
    apiSecret: variables.TWILIO_API_SECRET,
    chatServiceSid: variables.TWILIO_CHAT_SERVICE_SID,
    identity: variables.TWILIO_IDENTITY,
    tokenTtlSeconds: variables.TWILIO_TOKEN_TTL_SECONDS,
    allowedSenders: variables.TWILIO_ALLOWED_SENDERS,
    historyHours: variables.TWILIO_HISTORY_HOURS,
    webhookUrl: variables.TWILIO_WEBHOOK_URL,
    conversationsWsUrl: variables.TWILIO_CONVERSATIONS_WS_URL,
    restUrl: variables.TWILIO_REST_URL.replace(/\/+$/, ''),
    sweepSeconds: variables.TWILIO_SWEEP_SECONDS,
    watchdogSeconds: variables.TWILIO_WATCHDOG_SECONDS,
    replaceClientAfterMessages: variables.TWILIO_REPLACE_CLIENT_AFTER_MESSAGES,
  };
}
