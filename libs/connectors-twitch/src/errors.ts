import { ConnectorError, type ConnectorErrorCode } from '@bitbrat/connectors-core';

interface Rule {
  readonly code: ConnectorErrorCode;
  readonly hint?: string;
  /** Milliseconds. */
  readonly retryAfterMs?: number;
}

/** NOTICE ids that say that a message was not taken, or a channel cannot be joined ("IRC Concepts", NOTICE message ids). */
const BY_NOTICE: Readonly<Record<string, Rule>> = {
  msg_bad_characters: { code: 'PAYLOAD_INVALID' },
  msg_banned: { code: 'FORBIDDEN', hint: 'ask the broadcaster to unban the bot' },
  msg_channel_blocked: { code: 'FORBIDDEN', hint: 'the broadcaster has blocked the bot' },
  msg_channel_suspended: { code: 'TARGET_NOT_FOUND', hint: 'the channel does not exist or is suspended' },
  msg_duplicate: { code: 'PAYLOAD_INVALID', hint: 'the same text was sent less than 30 seconds ago' },
  msg_emoteonly: { code: 'FORBIDDEN', hint: 'the room is in emote-only mode: make the bot a moderator' },
  msg_followersonly: { code: 'FORBIDDEN', hint: 'let the bot follow the channel, or make it a moderator' },
  msg_followersonly_followed: { code: 'FORBIDDEN', hint: 'the bot follows the channel not long enough yet' },
  msg_followersonly_zero: { code: 'FORBIDDEN', hint: 'let the bot follow the channel' },
  msg_r9k: { code: 'PAYLOAD_INVALID', hint: 'the room is in unique-chat mode: make the bot a moderator' },
  // The window of the limit; who goes on writing within it is ignored for half an hour.
  msg_ratelimit: { code: 'RATE_LIMITED', retryAfterMs: 30_000 },
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
  msg_timedout: { code: 'FORBIDDEN', hint: 'a moderator has timed the bot out' },
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
    retryAfterMs: rule.code === 'RATE_LIMITED' ? (secondsIn(text) ?? rule.retryAfterMs) : undefined,
  });
}

/** What the NOTICE means with which Twitch refuses a login. */
export function toLoginError(text: string): ConnectorError {
  const rule = BY_LOGIN_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? { code: 'UPSTREAM_UNAVAILABLE' };
  return new ConnectorError(rule.code, `log in: ${text}`, rule);
}

/** What a refusal of the token endpoints means. */
export function toAuthError(status: number, message: string, doing: string): ConnectorError {
  const code: ConnectorErrorCode =
    status === 429 ? 'RATE_LIMITED' : status >= 400 && status < 500 ? 'AUTH_FAILED' : 'UPSTREAM_UNAVAILABLE';
  return new ConnectorError(code, `${doing}: ${message}`, {
    nativeCode: String(status),
    hint:
      code === 'AUTH_FAILED'
        ? 'authorize the bot again; check TWITCH_CLIENT_ID, TWITCH_CLIENT_SECRET, TWITCH_REFRESH_TOKEN and TWITCH_ACCESS_TOKEN'
        : undefined,
  });
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

function secondsIn(text: string): number | undefined {
  const [, seconds] = /(\d+) (?:more )?seconds?/.exec(text) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
