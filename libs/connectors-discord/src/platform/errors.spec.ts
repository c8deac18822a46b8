import { ConnectorError } from '@bitbrat/connectors-core';
import { toCloseError, toDiscordError } from './errors.js';
import { isDiscordSdkRejection } from '../session/sdk-rejection.js';

const apiError = (status: number, code: number | string, message = 'no'): Error =>
  Object.assign(new Error(message), { status, code });

describe('toDiscordError', () => {
  it.each([
    [apiError(404, 10003, 'Unknown Channel'), 'TARGET_NOT_FOUND', '10003'],
    [apiError(403, 50001), 'FORBIDDEN', '50001'],
    [apiError(403, 50013), 'FORBIDDEN', '50013'],
    [apiError(403, 50007), 'RECIPIENT_OPTED_OUT', '50007'],
    [apiError(400, 50035), 'PAYLOAD_INVALID', '50035'],
    [apiError(400, 50006), 'PAYLOAD_INVALID', '50006'],
    [apiError(429, 20016), 'RATE_LIMITED', '20016'],
    [apiError(400, 50083), 'FORBIDDEN', '50083'],
    [apiError(400, 200000), 'FORBIDDEN', '200000'],
    [apiError(401, 0, '401: Unauthorized'), 'AUTH_FAILED', '401'],
    [apiError(403, 999), 'FORBIDDEN', '999'],
    [apiError(404, 999), 'TARGET_NOT_FOUND', '999'],
    [apiError(413, 40005), 'PAYLOAD_INVALID', '40005'],
    [apiError(502, ''), 'UPSTREAM_UNAVAILABLE', '502'],
    [apiError(418, 0), 'UPSTREAM_UNAVAILABLE', '418'],
    [Object.assign(new Error('no token'), { code: 'TokenInvalid' }), 'AUTH_FAILED', 'TokenInvalid'],
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'UPSTREAM_UNAVAILABLE', 'ECONNREFUSED'],
    [
      Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
      'UPSTREAM_UNAVAILABLE',
      'UND_ERR_SOCKET',
    ],
    [
      Object.assign(new Error('Request aborted'), { name: 'AbortError', code: 'UND_ERR_ABORTED' }),
      'TIMEOUT',
      'UND_ERR_ABORTED',
    ],
    [
      new Error('Expected token to be set for this request, but none was present'),
      'NOT_CONNECTED',
      undefined,
    ],
    [new Error('odd'), 'INTERNAL', undefined],
    ['a string', 'INTERNAL', undefined],
  ])('maps %s to %s', (native, code, nativeCode) => {
    const error = toDiscordError(native, 'send to 1');
    expect(error).toMatchObject({ code, nativeCode });
    expect(error.message).toMatch(/^send to 1: ./);
    expect(error.cause).toBe(native);
  });

  it.each([
    ['as long as Discord asks', { retryAfter: 1_200, timeToReset: 900 }, 1_200],
    ['for the reset', { retryAfter: 900, timeToReset: 1_500 }, 1_500],
    ['for a while where nothing is told', { retryAfter: 0, timeToReset: 50 }, 5_000],
  ])('waits %s', (_name, fields, retryAfterMs) => {
    const error = toDiscordError(
      Object.assign(new Error(), { name: 'RateLimitError[/x]', ...fields }),
      'send',
    );
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs });
  });

  it('leaves our own errors alone', () => {
    const error = new ConnectorError('TIMEOUT', 'late');
    expect(toDiscordError(error, 'x')).toBe(error);
  });
});

describe('toCloseError', () => {
  it.each([
    [4004, 'AUTH_FAILED'],
    [4010, 'CONFIG_INVALID'],
    [4011, 'UNSUPPORTED'],
    [4012, 'UNSUPPORTED'],
    [4013, 'CONFIG_INVALID'],
    [4014, 'FORBIDDEN'],
  ])('says that %i is %s, for good', (closeCode, code) => {
    expect(toCloseError(closeCode)).toMatchObject({ code, retryable: false, nativeCode: String(closeCode) });
  });

  it.each([1000, 1001, 1006, 4000, 4001, 4002, 4003, 4005, 4007, 4008, 4009, 4200])(
    'lets %i pass',
    (closeCode) => {
      expect(toCloseError(closeCode)).toBeUndefined();
    },
  );
});

describe('isDiscordSdkRejection', () => {
  class DiscordAPIError extends Error {}
  const withStack = (stack: string): Error => Object.assign(new Error('x'), { stack });

  it.each<[unknown, boolean]>([
    [new DiscordAPIError('x'), true],
    [withStack('Error: x\n    at WebSocketShard.onMessage (/app/bundle.js:1:2)'), true],
    [withStack('Error: x\n    at WebSocketManager2.connect (/app/bundle.js:1:2)'), true],
    [withStack('Error: x\n    at GuildCreateAction.handle (/app/bundle.js:1:2)'), true],
    [withStack('Error: x\n    at f (/app/node_modules/@discordjs/ws/dist/index.js:1:2)'), true],
    [withStack('Error: x\n    at f (/app/node_modules/discord.js/src/client/Client.js:1:2)'), true],
    [withStack('Error: x\n    at f (/app/libs/connectors-discord/src/platform/errors.ts:1:2)'), false],
    [new Error('ours'), false],
    ['a string', false],
    [null, false],
  ])('claims %s: %j', (reason, claimed) => {
    expect(isDiscordSdkRejection(reason)).toBe(claimed);
  });
});
