import {
  CONNECTOR_ERRORS,
  ConnectorError,
  type ConnectorErrorCode,
  maskPhoneNumbers,
} from '@bitbrat/connectors-core';
import { type ErrorInfo } from '@bitbrat/envelope';
import { propertyOf } from './property.js';

interface Rule {
  readonly code: ConnectorErrorCode;
  readonly hint?: string;
}

/** Twilio's own codes (error dictionary), where they say more than the HTTP status. */
const BY_NATIVE_CODE: Readonly<Record<number, Rule>> = {
  20003: { code: 'AUTH_FAILED', hint: 'check TWILIO_API_KEY and TWILIO_API_SECRET' },
  20101: { code: 'AUTH_FAILED', hint: 'check TWILIO_API_KEY, TWILIO_API_SECRET and TWILIO_ACCOUNT_SID' },
  // The SDK gets a new token, so the refusal passes; refused again and again it is the clock.
  20104: { code: 'UPSTREAM_UNAVAILABLE', hint: "wait for a new token; check this machine's clock" },
  20404: { code: 'TARGET_NOT_FOUND' },
  20429: { code: 'RATE_LIMITED' },
  21610: { code: 'RECIPIENT_OPTED_OUT' },
  21617: { code: 'PAYLOAD_INVALID', hint: 'shorten the text: 1,600 characters is the limit' },
  30034: { code: 'FORBIDDEN', hint: 'register the number for A2P messaging' },
  30035: { code: 'FORBIDDEN', hint: 'wait until the A2P registration of the number is complete' },
  30044: { code: 'FORBIDDEN', hint: 'a trial account has limits: upgrade it' },
  50063: { code: 'RATE_LIMITED' },
  50214: { code: 'FORBIDDEN', hint: 'close old conversations: the identity is in too many (1,000)' },
  50350: { code: 'TARGET_NOT_FOUND' },
  50417: { code: 'FORBIDDEN', hint: 'the conversation has no room for a further participant' },
  50430: { code: 'FORBIDDEN', hint: 'add the bot to the conversation' },
  50436: { code: 'FORBIDDEN', hint: 'the conversation has no room for a further participant' },
  54009: { code: 'RATE_LIMITED' },
  63014: { code: 'FORBIDDEN', hint: 'the recipient has blocked the sender on WhatsApp' },
  63018: { code: 'RATE_LIMITED' },
};

const BY_STATUS: Readonly<Record<number, Rule>> = {
  400: { code: 'PAYLOAD_INVALID' },
  401: { code: 'AUTH_FAILED' },
  403: { code: 'FORBIDDEN', hint: 'check the rights of the API key and of the bot in the conversation' },
  404: { code: 'TARGET_NOT_FOUND' },
  408: { code: 'TIMEOUT' },
  413: { code: 'PAYLOAD_INVALID' },
  429: { code: 'RATE_LIMITED' },
};

/** The SDK tells these apart by its message alone. */
const BY_MESSAGE: readonly (readonly [RegExp, Rule])[] = [
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
    retryAfterMs: told ?? (rule.code === 'RATE_LIMITED' ? UNTOLD_WAIT_MS : undefined),
    ...(native === undefined ? {} : { nativeCode: String(native) }),
  });
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

function ruleOf({ code, status, message }: NativeFacts): Rule {
  const byCode = code === undefined ? undefined : BY_NATIVE_CODE[code];
  if (byCode !== undefined) return byCode;
  // 0 stands for "no answer" in the SDK's Sync errors.
  if (status !== undefined && status > 0) {
    const fallback: ConnectorErrorCode =
      status >= 500 || status === 409 ? 'UPSTREAM_UNAVAILABLE' : 'INTERNAL';
    return BY_STATUS[status] ?? { code: fallback };
  }
  return BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? { code: 'INTERNAL' };
}

function numberIn(value: object, key: string): number | undefined {
  const found = propertyOf(value, key);
  return typeof found === 'number' ? found : undefined;
}
