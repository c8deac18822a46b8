import { ConnectorError } from '@bitbrat/connectors-core';
import { nativeFactsOf, toTwilioError, toDeliveryError } from './errors.js';

const upstream = (status: number, code?: number, message = 'refused'): object => ({
  status,
  message,
  body: code === undefined ? {} : { status, code, message },
});

describe('toTwilioError', () => {
  it.each([
    ['opted out', upstream(400, 21610), 'RECIPIENT_OPTED_OUT', false],
    ['text too long', upstream(400, 21617), 'PAYLOAD_INVALID', false],
    ['not a participant', upstream(403, 50430), 'FORBIDDEN', false],
    ['too many conversations', upstream(400, 50214), 'FORBIDDEN', false],
    ['unknown conversation', upstream(404, 50350), 'TARGET_NOT_FOUND', false],
    ['unknown resource', upstream(404, 20404), 'TARGET_NOT_FOUND', false],
    ['bad key', upstream(401, 20003), 'AUTH_FAILED', false],
    ['throttled by code', upstream(429, 20429), 'RATE_LIMITED', true],
    ['throttled by status', upstream(429), 'RATE_LIMITED', true],
    ['chat throttled', upstream(400, 50063), 'RATE_LIMITED', true],
    ['sync throttled', upstream(400, 54009), 'RATE_LIMITED', true],
    ['WhatsApp throttled', upstream(400, 63018), 'RATE_LIMITED', true],
    ['bad request', upstream(400), 'PAYLOAD_INVALID', false],
    ['unauthorized', upstream(401), 'AUTH_FAILED', false],
    ['forbidden', upstream(403), 'FORBIDDEN', false],
    ['conflict', upstream(409), 'UPSTREAM_UNAVAILABLE', true],
    ['server error', upstream(500), 'UPSTREAM_UNAVAILABLE', true],
    ['HTML from a proxy', { status: 502, message: 'Bad Gateway' }, 'UPSTREAM_UNAVAILABLE', true],
    ['teapot', upstream(418), 'INTERNAL', true],
    [
      'connection refused as token',
      { terminal: true, message: 'x', httpStatusCode: 401, errorCode: 20101 },
      'AUTH_FAILED',
      false,
    ],
    ['token expired', { message: 'x', httpStatusCode: 401, errorCode: 20104 }, 'UPSTREAM_UNAVAILABLE', true],
    [
      'socket error',
      { message: 'Socket error: connect ECONNREFUSED', httpStatusCode: null },
      'UPSTREAM_UNAVAILABLE',
      true,
    ],
    ['dropped', new Error('disconnected'), 'UPSTREAM_UNAVAILABLE', true],
    ['no answer', new Error('Twilsock: request timeout: TM1'), 'TIMEOUT', true],
    ['queue time-out', new Error("request 'POST' to 'aim' timed out"), 'TIMEOUT', true],
    ['after the end', new Error('Unable to connect: closed'), 'NOT_CONNECTED', true],
    ['fetch', new TypeError('fetch failed'), 'UPSTREAM_UNAVAILABLE', true],
    [
      'no start',
      { message: 'Fetch resource from "Client/v2/Configuration" failed.' },
      'UPSTREAM_UNAVAILABLE',
      true,
    ],
    ['a string', 'media is gone', 'INTERNAL', true],
    ['nothing', undefined, 'INTERNAL', true],
  ])('%s', (_, native, code, retryable) => {
    const error = toTwilioError(native, 'send to CH1');
    expect({ code: error.code, retryable: error.retryable }).toEqual({ code, retryable });
    expect(error.message).toMatch(/^send to CH1: /);
    expect(error.cause).toBe(native);
  });

  it('masks phone numbers and keeps the native code and the wait', () => {
    const error = toTwilioError(upstream(429, 20429, 'slow down, +15551234567'), 'send', 2_000);
    expect(error.message).toBe('send: slow down, +1555***4567');
    expect(error).toMatchObject({ nativeCode: '20429', retryAfterMs: 2_000 });
  });

  it.each([
    ['untold', upstream(429, 20429), undefined, 4_000],
    ['untold and with another status', upstream(400, 50063), undefined, 4_000],
    ['told, and shorter', upstream(429), 1_000, 1_000],
    ['told with a failure of the platform', upstream(503), 60_000, 60_000],
    ['none, where the platform is not well', upstream(503), undefined, undefined],
    ['none, where waiting does not help', upstream(400, 21610), 60_000, undefined],
  ])('has the wait: %s', (_, native, told, expected) => {
    expect(toTwilioError(native, 'send', told).retryAfterMs).toBe(expected);
  });

  it('leaves our own errors as they are', () => {
    const error = new ConnectorError('UNSUPPORTED', 'no');
    expect(toTwilioError(error, 'send')).toBe(error);
  });
});

describe('nativeFactsOf', () => {
  it("prefers the body's own words", () => {
    expect(
      nativeFactsOf({ status: 403, message: 'FORBIDDEN', body: { code: 50400, message: 'no right' } }),
    ).toEqual({ status: 403, code: 50400, message: 'no right' });
  });
});

describe('toDeliveryError', () => {
  it.each([
    [21610, 'RECIPIENT_OPTED_OUT', '21610'],
    [63014, 'FORBIDDEN', '63014'],
    [30003, 'UNDELIVERED', '30003'],
    [0, 'UNDELIVERED', undefined],
    [undefined, 'UNDELIVERED', undefined],
  ])('%p is %s, and not to be tried again', (code, expected, nativeCode) => {
    const error = toDeliveryError(code);
    expect(error).toMatchObject({ code: expected, retryable: false });
    expect(error.nativeCode).toBe(nativeCode);
    expect(error.message).toContain(nativeCode ?? 'no error code');
  });
});
