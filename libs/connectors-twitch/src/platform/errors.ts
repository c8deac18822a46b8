import { ConnectorError, type ErrorRule, ruleOfStatus } from '@bitbrat/connectors-core';

type Rule = ErrorRule;

/** NOTICE ids that say that a message was not taken, or a channel cannot be joined ("IRC Concepts", NOTICE message ids). */
const BY_NOTICE: Readonly<Record<string, Rule>> = {
  msg_bad_characters: { code: 'PAYLOAD_INVALID' },
  msg_banned: { code: 'FORBIDDEN', hint: 'ask the broadcaster to unban the bot' },
  msg_channel_blocked: { code: 'FORBIDDEN', hint: 'the broadcaster has blocked the bot' },
  msg_channel_suspended: { code: 'TARGET_NOT_FOUND', hint: 'the channel does not exist or is suspended' },
  msg_duplicate: { code: 'RATE_LIMITED', retryAfterMs: 31_000 },
  msg_emoteonly: { code: 'FORBIDDEN', hint: 'the room is in emote-only mode: make the bot a moderator' },
  msg_followersonly: { code: 'FORBIDDEN', hint: 'let the bot follow the channel, or make it a moderator' },
  msg_followersonly_followed: { code: 'FORBIDDEN', hint: 'the bot follows the channel not long enough yet' },
  msg_followersonly_zero: { code: 'FORBIDDEN', hint: 'let the bot follow the channel' },
  msg_r9k: { code: 'PAYLOAD_INVALID', hint: 'the room is in unique-chat mode: make the bot a moderator' },
  // One message a second in each channel for ordinary users; 1.2 leaves leeway. Crossing the account's limit is not answered.
  msg_ratelimit: { code: 'RATE_LIMITED', retryAfterMs: 1_200 },
  // Moderators may still let it through, so trying again could show it twice.
  msg_rejected: { code: 'PAYLOAD_INVALID', hint: 'AutoMod holds the message for the moderators' },
  msg_rejected_mandatory: {
    code: 'PAYLOAD_INVALID',
    hint: "the channel's moderation settings forbid the text",
  },
  msg_requires_verified_phone_number: { code: 'FORBIDDEN', hint: "verify the bot's phone number at Twitch" },
  msg_room_not_found: { code: 'TARGET_NOT_FOUND' },
  msg_slowmode: { code: 'RATE_LIMITED' },
  msg_subsonly: { code: 'FORBIDDEN', hint: 'the room is in subscribers-only mode: make the bot a moderator' },
  msg_suspended: { code: 'FORBIDDEN', hint: "the bot's account is suspended" },
  msg_timedout: { code: 'RATE_LIMITED', hint: 'a moderator has timed the bot out', retryAfterMs: 60_000 },
  msg_verified_email: { code: 'FORBIDDEN', hint: "verify the bot's e-mail address at Twitch" },
  no_permission: { code: 'FORBIDDEN', hint: 'authorize the bot with the scope chat:edit' },
  tos_ban: { code: 'TARGET_NOT_FOUND', hint: 'Twitch has closed the channel' },
  unrecognized_cmd: { code: 'PAYLOAD_INVALID', hint: 'Twitch took the text for a command' },
};

/** The NOTICEs of a failed login have no id. */
const BY_LOGIN_TEXT: readonly (readonly [RegExp, Rule])[] = [
  [
    /login authentication failed|improperly formatted auth|invalid nick/i,
    {
      code: 'AUTH_FAILED',
      hint: 'give the bot named by TWITCH_BOT_USERNAME a new token with the scopes chat:read and chat:edit',
    },
  ],
  // 20 logins in 10 seconds are the limit ("Chat rate limits").
  [/login unsuccessful/i, { code: 'RATE_LIMITED', retryAfterMs: 10_000 }],
];

/**
 * What a NOTICE about a channel says; undefined where it refuses nothing (a room's new mode, an answer to a command).
 * @param doing what was tried, for people: `send to #…`
 */
export function toNoticeError(msgId: string, text: string, doing: string): ConnectorError | undefined {
  const known = Object.hasOwn(BY_NOTICE, msgId) ? BY_NOTICE[msgId] : undefined;
  if (known === undefined && !msgId.startsWith('msg_')) return undefined;
  const rule = known ?? { code: 'PAYLOAD_INVALID' };
  return new ConnectorError(rule.code, `${doing}: ${text}`, {
    nativeCode: msgId,
    hint: rule.hint,
    retryAfterMs: rule.code === 'RATE_LIMITED' ? (waitIn(text) ?? rule.retryAfterMs) : undefined,
  });
}

/** What the NOTICE means with which Twitch refuses a login. */
export function toLoginError(text: string): ConnectorError {
  const rule = BY_LOGIN_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? { code: 'UPSTREAM_UNAVAILABLE' };
  return new ConnectorError(rule.code, `log in: ${text}`, rule);
}

const AUTHORIZE_AGAIN =
  'authorize the bot again and set TWITCH_REFRESH_TOKEN or TWITCH_ACCESS_TOKEN to what you get';

const CHECK_CLIENT = 'check TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET';

/** Answers of the token endpoints that say something definite ("Refreshing Access Tokens", "Validating Tokens"). */
const BY_AUTH_ANSWER: readonly (readonly [number, RegExp, Rule])[] = [
  [400, /invalid refresh token/i, { code: 'AUTH_FAILED', hint: AUTHORIZE_AGAIN }],
  [400, /(?:invalid|missing) client/i, { code: 'AUTH_FAILED', hint: CHECK_CLIENT }],
  [401, /(?:)/, { code: 'AUTH_FAILED', hint: AUTHORIZE_AGAIN }],
  [403, /invalid client secret/i, { code: 'AUTH_FAILED', hint: CHECK_CLIENT }],
];

/**
 * What a refusal of the token endpoints means. Only an answer of the table speaks about the credentials. Any other comes
 * from the edge or from an overloaded service, and says nothing about them.
 */
export function toAuthError(status: number, message: string, doing: string): ConnectorError {
  const isAnswer = ([of, pattern]: (typeof BY_AUTH_ANSWER)[number]): boolean =>
    of === status && pattern.test(message);
  const rule = ruleOfStatus(status, { byCode: BY_AUTH_ANSWER.find(isAnswer)?.[2] });
  return new ConnectorError(rule.code, `${doing}: ${message}`, { ...rule, nativeCode: String(status) });
}

/**
 * The one way from anything else that is thrown to ours: the network, and tmi.js, which rejects with strings.
 * @param doing what was tried, for people: `connect`
 */
export function toTwitchError(error: unknown, doing: string): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  const told = [message, reason].filter((part) => part !== '').join(': ');
  return new ConnectorError(
    'UPSTREAM_UNAVAILABLE',
    `${doing}: ${told === '' ? 'the connection ended' : told}`,
    {
      cause: error,
    },
  );
}

/** Milliseconds. */
function waitIn(text: string): number | undefined {
  const [, seconds] = /(?<!\d)(\d{1,9}) (?:more )?seconds?/.exec(text) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
