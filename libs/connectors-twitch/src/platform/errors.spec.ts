import { ConnectorError } from '@bitbrat/connectors-core';
import { toAuthError, toLoginError, toNoticeError, toTwitchError } from './errors.js';

describe('toNoticeError', () => {
  it.each([
    ['msg_bad_characters', 'PAYLOAD_INVALID', false],
    ['msg_banned', 'FORBIDDEN', false],
    ['msg_channel_blocked', 'FORBIDDEN', false],
    ['msg_channel_suspended', 'TARGET_NOT_FOUND', false],
    ['msg_duplicate', 'RATE_LIMITED', true],
    ['msg_emoteonly', 'FORBIDDEN', false],
    ['msg_followersonly', 'FORBIDDEN', false],
    ['msg_r9k', 'PAYLOAD_INVALID', false],
    ['msg_ratelimit', 'RATE_LIMITED', true],
    ['msg_rejected', 'PAYLOAD_INVALID', false],
    ['msg_rejected_mandatory', 'PAYLOAD_INVALID', false],
    ['msg_requires_verified_phone_number', 'FORBIDDEN', false],
    ['msg_room_not_found', 'TARGET_NOT_FOUND', false],
    ['msg_slowmode', 'RATE_LIMITED', true],
    ['msg_subsonly', 'FORBIDDEN', false],
    ['msg_suspended', 'FORBIDDEN', false],
    ['msg_timedout', 'RATE_LIMITED', true],
    ['msg_verified_email', 'FORBIDDEN', false],
    ['no_permission', 'FORBIDDEN', false],
    ['tos_ban', 'TARGET_NOT_FOUND', false],
    ['unrecognized_cmd', 'PAYLOAD_INVALID', false],
    ['msg_of_tomorrow', 'PAYLOAD_INVALID', false],
  ])('%s is %s', (msgId, code, retryable) => {
    const error = toNoticeError(msgId, 'Twitch says so.', 'send to #bitbrat');
    expect(error).toMatchObject({ code, retryable, nativeCode: msgId });
    expect(error?.message).toBe('send to #bitbrat: Twitch says so.');
    expect(error?.hint).toMatch(/\w/);
  });

  it.each(['slow_on', 'emote_only_off', 'ban_success', 'host_on', '', 'toString', '__proto__'])(
    '%j refuses nothing',
    (msgId) => {
      expect(toNoticeError(msgId, 'text', 'send')).toBeUndefined();
    },
  );

  it.each([
    ['msg_slowmode', 'You will be able to talk again in 17 seconds.', 17_000],
    ['msg_slowmode', 'You may not talk now.', undefined],
    ['msg_ratelimit', 'You are sending messages too quickly.', 1_200],
    ['msg_timedout', 'You are timed out for 600 more seconds.', 600_000],
    ['msg_timedout', 'You are timed out for 1209600 more seconds.', 900_000],
    ['msg_timedout', `You are timed out for ${'9'.repeat(400)} more seconds.`, 60_000],
  ])('%s %j asks to wait %p ms', (msgId, text, retryAfterMs) => {
    expect(toNoticeError(msgId, text, 'send')?.retryAfterMs).toBe(retryAfterMs);
  });
});

describe('toLoginError', () => {
  it.each([
    ['Login authentication failed', 'AUTH_FAILED'],
    ['Improperly formatted auth', 'AUTH_FAILED'],
    ['Invalid NICK.', 'AUTH_FAILED'],
    ['Login unsuccessful', 'RATE_LIMITED'],
    ['Error logging in', 'UPSTREAM_UNAVAILABLE'],
  ])('%s is %s', (text, code) => {
    expect(toLoginError(text)).toMatchObject({ code, message: `log in: ${text}` });
  });

  it('names what a person can do', () => {
    expect(toLoginError('Login authentication failed').hint).toContain('chat:edit');
  });
});

describe('toAuthError', () => {
  it.each<[number, string, string, string]>([
    [400, 'Invalid refresh token', 'AUTH_FAILED', 'definite'],
    [400, 'invalid client', 'AUTH_FAILED', 'definite'],
    [400, 'missing client secret', 'AUTH_FAILED', 'definite'],
    [401, 'invalid access token', 'AUTH_FAILED', 'definite'],
    [403, 'invalid client secret', 'AUTH_FAILED', 'definite'],
    [429, 'Invalid refresh token', 'RATE_LIMITED', 'transient'],
    [503, 'invalid access token', 'UPSTREAM_UNAVAILABLE', 'transient'],
  ])('%i %j is %s (%s)', (status, message, code, failureClass) => {
    const error = toAuthError(status, message, 'refresh');
    expect(error).toMatchObject({ code, failureClass, nativeCode: String(status) });
  });

  it.each(Array.from({ length: 300 }, (_, i) => 300 + i).filter((status) => status !== 401))(
    'a %i that says nothing about the credentials does not end them',
    (status) => {
      expect(toAuthError(status, 'Forbidden', 'refresh').failureClass).not.toBe('definite');
    },
  );
});

describe('toTwitchError', () => {
  it.each([
    [new Error('connect ECONNREFUSED'), 'connect: connect ECONNREFUSED'],
    [new Error('fetch failed', { cause: new Error('ECONNRESET') }), 'connect: fetch failed: ECONNRESET'],
    ['Unable to connect.', 'connect: Unable to connect.'],
    ['', 'connect: the connection ended'],
  ])('%p may pass', (reason, message) => {
    expect(toTwitchError(reason, 'connect')).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', message });
  });

  it('leaves our own errors as they are', () => {
    const error = new ConnectorError('UNSUPPORTED', 'no');
    expect(toTwitchError(error, 'send')).toBe(error);
  });
});
