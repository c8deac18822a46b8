import { ConnectorError, type ErrorRule as Rule, ruleOfStatus } from '@bitbrat/connectors-core';

const RIGHTS =
  'give the bot View Channel, Send Messages, Read Message History and Attach Files in the channel';

/** Discord's own codes ("JSON Error Codes"), where they say more than the HTTP status. */
const BY_NATIVE_CODE: Readonly<Record<string, Rule>> = {
  10003: { code: 'TARGET_NOT_FOUND', hint: 'check the destination: a channel, thread or direct channel id' },
  10004: { code: 'TARGET_NOT_FOUND' },
  10013: { code: 'TARGET_NOT_FOUND' },
  20016: { code: 'RATE_LIMITED', hint: 'the channel is in slow mode: wait, or exempt the bot from it' },
  20028: { code: 'RATE_LIMITED' },
  20029: { code: 'RATE_LIMITED' },
  40005: { code: 'PAYLOAD_INVALID', hint: 'send smaller attachments' },
  50001: { code: 'FORBIDDEN', hint: RIGHTS },
  50006: { code: 'PAYLOAD_INVALID' },
  50007: {
    code: 'RECIPIENT_OPTED_OUT',
    hint: 'the recipient must allow direct messages from the guild, or unblock the bot',
  },
  50008: { code: 'UNSUPPORTED', hint: 'choose a channel that takes text' },
  50013: { code: 'FORBIDDEN', hint: RIGHTS },
  50278: {
    code: 'RECIPIENT_OPTED_OUT',
    hint: 'the bot and the recipient share no guild: invite the bot to one of theirs',
  },
  50035: { code: 'PAYLOAD_INVALID' },
  50083: { code: 'FORBIDDEN', hint: 'the thread is archived: open it again' },
  160005: { code: 'FORBIDDEN', hint: 'the thread is locked: unlock it' },
  200000: {
    code: 'FORBIDDEN',
    hint: "the guild's AutoMod blocked the text: change the text or exempt the bot",
  },
  240000: { code: 'PAYLOAD_INVALID', hint: 'Discord blocks a link in the text' },
};

/** Those that concern Discord as a whole, whatever was asked for. */
const BY_GENERAL_CODE: Readonly<Record<string, Rule>> = {
  40004: { code: 'UPSTREAM_UNAVAILABLE', hint: 'wait: Discord has switched sending off for now' },
  40062: { code: 'RATE_LIMITED' },
  40333: { code: 'UPSTREAM_UNAVAILABLE', hint: 'wait: the network in front of Discord blocks the request' },
  130000: { code: 'UPSTREAM_UNAVAILABLE' },
  TokenInvalid: { code: 'AUTH_FAILED', hint: 'check DISCORD_BOT_TOKEN' },
};

/** What the status says beside a code of Discord's that is not in the table. */
const BY_STATUS: Readonly<Record<number, Rule>> = {
  400: { code: 'PAYLOAD_INVALID' },
  403: { code: 'FORBIDDEN', hint: RIGHTS },
  404: { code: 'TARGET_NOT_FOUND' },
};

/** What the status says without any code. All else may come from a proxy or from the network in front of Discord. */
const BY_STATUS_ALONE: Readonly<Record<number, Rule>> = {
  401: { code: 'AUTH_FAILED', hint: 'check DISCORD_BOT_TOKEN: it was refused' },
  413: { code: 'PAYLOAD_INVALID', hint: 'send smaller attachments' },
};

/**
 * What a request is about. `channel`: a channel, a message, a guild or a person, any of which Discord may refuse by itself. `bot`: the bot and
 * the gateway; there only a 401 is a definite refusal ("Gateway", "Opcodes and Status Codes").
 */
export type RequestScope = 'channel' | 'bot';

/** The SDK and the network tell these apart by words alone. */
const BY_MESSAGE: readonly (readonly [RegExp, Rule])[] = [
  // One 401 makes the SDK forget the token; until it has been checked the request never leaves.
  [/expected token to be set/i, { code: 'NOT_CONNECTED' }],
  [/not enough sessions remaining/i, { code: 'RATE_LIMITED' }],
  [/abort|timed? ?out|timeout/i, { code: 'TIMEOUT' }],
  [
    /ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|socket|fetch failed|other side closed/i,
    { code: 'UPSTREAM_UNAVAILABLE' },
  ],
];

/** "Gateway Close Event Codes" after which Discord wants no further connection. */
const BY_CLOSE_CODE: Readonly<Record<number, Rule & { readonly reason: string }>> = {
  4004: { code: 'AUTH_FAILED', reason: 'the token was refused', hint: 'check DISCORD_BOT_TOKEN' },
  4010: {
    code: 'CONFIG_INVALID',
    reason: 'the shard is invalid',
    hint: 'update the connector: Discord refuses its shard',
  },
  4011: {
    code: 'UNSUPPORTED',
    reason: 'sharding is required',
    hint: 'the bot is in too many guilds for one connection: use a bot of its own',
  },
  4012: {
    code: 'UNSUPPORTED',
    reason: 'the API version is not spoken any more',
    hint: 'update the connector',
  },
  4013: {
    code: 'CONFIG_INVALID',
    reason: 'the intents are invalid',
    hint: 'update the connector: Discord refuses its intents',
  },
  4014: {
    code: 'FORBIDDEN',
    reason: 'an intent is not allowed',
    hint: 'switch on MESSAGE CONTENT INTENT in the Discord developer portal, under Bot, Privileged Gateway Intents',
  },
};

/** Milliseconds to wait where Discord limits without saying for how long. */
const UNTOLD_WAIT_MS = 5_000;

/** The error of a close code that ends the connection for good; undefined for codes after which a new connection helps. */
export function toCloseError(closeCode: number): ConnectorError | undefined {
  const rule = BY_CLOSE_CODE[closeCode];
  if (rule === undefined) return undefined;
  const nativeCode = String(closeCode);
  return new ConnectorError(rule.code, `the gateway closed the connection: ${rule.reason}`, {
    hint: rule.hint,
    nativeCode,
  });
}

/** Close codes that Discord documents, and those of WebSocket itself (RFC 6455, 7.4.1). */
export function isListedCloseCode(closeCode: number): boolean {
  return (closeCode >= 1000 && closeCode <= 1015) || (closeCode >= 4000 && closeCode <= 4014);
}

/**
 * The one way from an error of discord.js to ours.
 * @param doing what was tried, for people: `send to 123…`
 */
export function toDiscordError(
  error: unknown,
  doing: string,
  scope: RequestScope = 'channel',
): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const facts = factsOf(error);
  const waitMs = waitOf(error);
  const rule: Rule = waitMs === undefined ? ruleOf(facts, scope) : { code: 'RATE_LIMITED' };
  const native = facts.code ?? (facts.status === undefined ? undefined : String(facts.status));
  const retryAfterMs = waitMs ?? (rule.code === 'RATE_LIMITED' ? UNTOLD_WAIT_MS : undefined);
  return new ConnectorError(rule.code, `${doing}: ${facts.message}`, {
    cause: error,
    hint: rule.hint,
    nativeCode: native,
    retryAfterMs,
    unlisted: rule.unlisted,
  });
}

interface NativeFacts {
  readonly message: string;
  readonly status?: number;
  /** Discord's JSON error code, the SDK's own, or the system's. */
  readonly code?: string;
}

function factsOf(error: unknown): NativeFacts {
  if (!(error instanceof Error)) return { message: String(error) };
  const status: unknown = Reflect.get(error, 'status');
  const code: unknown = Reflect.get(error, 'code');
  // 0 is Discord's "general error": the status says more.
  const isCode = (typeof code === 'number' && code !== 0) || (typeof code === 'string' && code !== '');
  return {
    message: error.message === '' ? error.name : error.message,
    ...(typeof status === 'number' ? { status } : {}),
    ...(isCode ? { code: String(code) } : {}),
  };
}

/** How long the SDK's RateLimitError asks to wait, in milliseconds; undefined for any other error. */
function waitOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('retryAfter' in error) || !('timeToReset' in error)) return undefined;
  const { retryAfter, timeToReset } = error;
  const waitMs = Math.max(Number(retryAfter), retryAfter === 0 ? 0 : Number(timeToReset));
  return Number.isFinite(waitMs) && waitMs > 0 ? waitMs : UNTOLD_WAIT_MS;
}

function ruleOf({ code, status, message }: NativeFacts, scope: RequestScope): Rule {
  const byCode = code === undefined ? undefined : ruleOfCode(code, scope);
  if (status !== undefined) {
    const isRefusal = scope === 'channel' && code !== undefined;
    const byStatus = BY_STATUS_ALONE[status] ?? (isRefusal ? BY_STATUS[status] : undefined);
    return ruleOfStatus(status, { byCode, byStatus });
  }
  if (byCode !== undefined) return byCode;
  const words = `${code ?? ''} ${message}`;
  return BY_MESSAGE.find(([pattern]) => pattern.test(words))?.[1] ?? { code: 'INTERNAL' };
}

function ruleOfCode(code: string, scope: RequestScope): Rule | undefined {
  const general = Object.hasOwn(BY_GENERAL_CODE, code) ? BY_GENERAL_CODE[code] : undefined;
  if (general !== undefined || scope === 'bot') return general;
  return Object.hasOwn(BY_NATIVE_CODE, code) ? BY_NATIVE_CODE[code] : undefined;
}
