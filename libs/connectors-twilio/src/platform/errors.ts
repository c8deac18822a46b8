import {
  CONNECTOR_ERRORS,
  ConnectorError,
  type ErrorRule,
  maskPhoneNumbers,
  ruleOfStatus,
} from '@bitbrat/connectors-core';
import { type ErrorInfo } from '@bitbrat/envelope';
import { propertyOf } from './property.js';

const CREDENTIALS = 'check TWILIO_API_KEY, TWILIO_API_SECRET and TWILIO_ACCOUNT_SID';
const GRANT = 'check TWILIO_CHAT_SERVICE_SID: it must be a service of the same account as the API key';
const KEY_KIND =
  'check that TWILIO_API_KEY is a standard or main key: a restricted key cannot sign access tokens';
const CLOCK = "check this machine's clock: the platform refuses the times in the access token";
const LIFE = "check this machine's clock, and lower TWILIO_TOKEN_TTL_SECONDS";
const NOT_IN_IT = 'add the bot to the conversation';
const NO_ROOM = 'the conversation has no room for a further participant';

/** Twilio's own codes (error dictionary), where they say more than the HTTP status. */
const BY_NATIVE_CODE: Readonly<Record<number, ErrorRule>> = {
  20003: { code: 'AUTH_FAILED', hint: 'check TWILIO_API_KEY and TWILIO_API_SECRET' },
  20101: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  20102: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  20103: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  // The SDK gets a new token, so the refusal passes; refused again and again it is the clock.
  20104: { code: 'UPSTREAM_UNAVAILABLE', hint: "wait for a new token; check this machine's clock" },
  20105: { code: 'AUTH_FAILED', hint: CLOCK },
  20106: { code: 'AUTH_FAILED', hint: GRANT },
  20107: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  20155: { code: 'AUTH_FAILED', hint: CLOCK },
  20156: { code: 'UPSTREAM_UNAVAILABLE', hint: "wait for a new token; check this machine's clock" },
  20157: { code: 'AUTH_FAILED', hint: LIFE },
  20160: { code: 'AUTH_FAILED', hint: KEY_KIND },
  20404: { code: 'TARGET_NOT_FOUND' },
  20429: { code: 'RATE_LIMITED' },
  21610: { code: 'RECIPIENT_OPTED_OUT' },
  21617: { code: 'PAYLOAD_INVALID', hint: 'shorten the text: 1,600 characters is the limit' },
  30034: { code: 'FORBIDDEN', hint: 'register the number for A2P messaging' },
  30035: { code: 'FORBIDDEN', hint: 'wait until the A2P registration of the number is complete' },
  30044: { code: 'FORBIDDEN', hint: 'a trial account has limits: upgrade it' },
  50063: { code: 'RATE_LIMITED' },
  50074: { code: 'RATE_LIMITED' },
  50214: {
    code: 'FORBIDDEN',
    hint: 'close old conversations, by state timers of the service: the identity is in as many as Twilio allows (1,000)',
  },
  50350: { code: 'TARGET_NOT_FOUND' },
  50377: {
    code: 'TARGET_NOT_FOUND',
    hint: 'the conversation is closed for good: the next message of the person opens another one',
  },
  50400: { code: 'FORBIDDEN', hint: NOT_IN_IT },
  50417: { code: 'FORBIDDEN', hint: NO_ROOM },
  50430: { code: 'FORBIDDEN', hint: NOT_IN_IT },
  50432: { code: 'FORBIDDEN', hint: NOT_IN_IT },
  50434: {
    code: 'FORBIDDEN',
    hint: 'give the bot a projected address of its own: a group conversation takes no identity without one',
  },
  50435: {
    code: 'FORBIDDEN',
    hint: 'the group conversation cannot be activated: check its participants and numbers',
  },
  50436: { code: 'FORBIDDEN', hint: NO_ROOM },
  50438: { code: 'FORBIDDEN', hint: 'close the other conversation that has the same participants' },
  50452: { code: 'FORBIDDEN', hint: 'ask Twilio to enable group messaging for the account' },
  51101: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  51102: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  51103: { code: 'AUTH_FAILED', hint: GRANT },
  51104: { code: 'AUTH_FAILED', hint: GRANT },
  51105: { code: 'AUTH_FAILED', hint: 'check TWILIO_IDENTITY' },
  51106: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  51118: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  51119: { code: 'UPSTREAM_UNAVAILABLE', hint: "wait for a new token; check this machine's clock" },
  51120: { code: 'AUTH_FAILED', hint: CLOCK },
  51121: { code: 'AUTH_FAILED', hint: LIFE },
  51122: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  51130: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  51131: { code: 'AUTH_FAILED', hint: CREDENTIALS },
  54009: { code: 'RATE_LIMITED' },
  63014: { code: 'FORBIDDEN', hint: 'the recipient has blocked the sender on WhatsApp' },
  63018: { code: 'RATE_LIMITED' },
};

/** Refusals that say that the bot is not in the conversation. */
const NOT_PARTICIPANT: ReadonlySet<string> = new Set(['50400', '50430', '50432']);

/** Refusals of an access token because its life is over. */
const EXPIRED: ReadonlySet<string> = new Set(['20104', '20156', '51119']);

const BY_STATUS: Readonly<Record<number, ErrorRule>> = {
  400: { code: 'PAYLOAD_INVALID' },
  401: { code: 'AUTH_FAILED' },
  403: { code: 'FORBIDDEN', hint: 'check the rights of the API key and of the bot in the conversation' },
  404: { code: 'TARGET_NOT_FOUND' },
  409: { code: 'UPSTREAM_UNAVAILABLE', hint: 'wait: something else changes the same at the platform' },
  413: { code: 'PAYLOAD_INVALID' },
};

/** The SDK tells these apart by its message alone. */
const BY_MESSAGE: readonly (readonly [RegExp, ErrorRule])[] = [
  [/unable to connect/i, { code: 'NOT_CONNECTED' }],
  [/timed? ?out|request timeout|aborted due to timeout/i, { code: 'TIMEOUT' }],
  [/disconnected|socket|ECONN|EPIPE|fetch failed|fetch resource|network/i, { code: 'UPSTREAM_UNAVAILABLE' }],
];

/**
 * Milliseconds to wait where Twilio limits without saying for how long. Its error pages ask for back-off and name no number; this is the longest
 * wait of its own SDK between tries of a read that was refused with 429 (`MAXIMUM_RETRY_DELAY` of `@twilio/conversations`), which repeats no
 * send. Without it the jitter of our back-off would allow the next try at once.
 */
const UNTOLD_WAIT_MS = 4_000;

/** What an error of Twilio's REST API, WebSocket or media service says, whatever shape it has. */
export interface NativeFacts {
  readonly message: string;
  readonly status?: number;
  readonly code?: number;
}

/** Reads the fields that Twilio's various errors have. */
export function nativeFactsOf(error: unknown): NativeFacts {
  if (typeof error !== 'object' || error === null) return { message: String(error) };
  const status = numberIn(error, 'status') ?? numberIn(error, 'httpStatusCode');
  const body = 'body' in error && typeof error.body === 'object' && error.body !== null ? error.body : {};
  const code = numberIn(body, 'code') ?? numberIn(error, 'errorCode') ?? numberIn(error, 'code');
  const message = 'message' in error && typeof error.message === 'string' ? error.message : 'no message';
  const detail = 'message' in body && typeof body.message === 'string' ? body.message : message;
  return {
    message: detail,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
  };
}

/**
 * The one way from an error of the platform to ours.
 * @param doing what was tried, for people: `send to CH…`
 * @param retryAfterMs as the platform asked for it; kept where waiting helps
 */
export function toTwilioError(error: unknown, doing: string, retryAfterMs?: number): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const facts = nativeFactsOf(error);
  const rule = ruleOf(facts);
  const native = facts.code ?? facts.status;
  const told = CONNECTOR_ERRORS[rule.code].retryable ? retryAfterMs : undefined;
  return new ConnectorError(rule.code, `${doing}: ${maskPhoneNumbers(facts.message)}`, {
    cause: error,
    hint: rule.hint,
    unlisted: rule.unlisted,
    retryAfterMs: told ?? (rule.code === 'RATE_LIMITED' ? UNTOLD_WAIT_MS : undefined),
    ...(native === undefined ? {} : { nativeCode: String(native) }),
  });
}

/**
 * An error of `toTwilioError` that ends the connection, as its cause. A status that is about one message or conversation
 * elsewhere says nothing listed about a connection.
 */
export function toConnectionError(error: unknown, doing: string): ConnectorError {
  const known = toTwilioError(error, doing);
  if (known.code !== 'INTERNAL' && known.code !== 'PAYLOAD_INVALID' && known.code !== 'TARGET_NOT_FOUND') {
    return known;
  }
  const { cause, message, nativeCode } = known;
  return new ConnectorError('UPSTREAM_UNAVAILABLE', message, {
    cause,
    nativeCode,
    unlisted: known.code !== 'INTERNAL',
  });
}

/** Whether the platform has refused because the bot is not in the conversation. */
export function saysNotParticipant({ failureClass, nativeCode }: ConnectorError): boolean {
  return failureClass !== 'transient' && nativeCode !== undefined && NOT_PARTICIPANT.has(nativeCode);
}

/** Whether the platform has refused an access token; a fresh one, dated by the platform's clock, may be accepted. */
export function saysTokenRefused({ code, nativeCode }: ConnectorError): boolean {
  if (code === 'AUTH_FAILED' || code === 'FORBIDDEN') return true;
  return nativeCode !== undefined && EXPIRED.has(nativeCode);
}

/** Whether a conversation is deleted or closed, or the bot is not in it. */
export function saysGone(error: ConnectorError): boolean {
  return error.code === 'TARGET_NOT_FOUND' || saysNotParticipant(error);
}

/**
 * Why a message that Twilio had accepted did not arrive. Never retryable: the same message would be a second one.
 * @param code of the delivery receipt; 0 or undefined where Twilio gave none
 */
export function toDeliveryError(code: number | undefined): ErrorInfo {
  const rule = code === undefined ? undefined : BY_NATIVE_CODE[code];
  const hint = rule?.hint === undefined ? '' : `: ${rule.hint}`;
  const named = code === undefined || code === 0 ? 'no error code given' : `Twilio error ${code}`;
  return {
    code: rule?.code ?? 'UNDELIVERED',
    message: `not delivered (${named})${hint}`,
    retryable: false,
    ...(code === undefined || code === 0 ? {} : { nativeCode: String(code) }),
  };
}

/** The row that applies: a passing status first, then Twilio's code, then the status, then the SDK's words. */
function ruleOf({ code, status, message }: NativeFacts): ErrorRule {
  const byCode = code === undefined ? undefined : BY_NATIVE_CODE[code];
  // 0 stands for "no answer" in the SDK's Sync errors. Errors of the media service have the status as their code.
  const answered = status !== undefined && status > 0 ? status : isHttpStatus(code) ? code : undefined;
  if (answered !== undefined) {
    const rule: ErrorRule = ruleOfStatus(answered, { byCode, byStatus: BY_STATUS[answered] });
    const isCodeUnknown = code !== undefined && code !== answered && byCode === undefined;
    return isCodeUnknown && !CONNECTOR_ERRORS[rule.code].retryable ? { ...rule, unlisted: true } : rule;
  }
  if (byCode !== undefined) return byCode;
  const byMessage = BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1];
  if (byMessage !== undefined) return byMessage;
  return code === undefined ? { code: 'INTERNAL' } : { code: 'UPSTREAM_UNAVAILABLE', unlisted: true };
}

function isHttpStatus(code: number | undefined): code is number {
  return code !== undefined && code >= 400 && code <= 599;
}

function numberIn(value: object, key: string): number | undefined {
  const found = propertyOf(value, key);
  return typeof found === 'number' ? found : undefined;
}
