import { ConnectorError } from '@bitbrat/connectors-core';
import fc from 'fast-check';
import {
  nativeFactsOf,
  saysGone,
  saysNotParticipant,
  toConnectionError,
  toDeliveryError,
  toTwilioError,
} from './errors.js';

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
    ['conflict', upstream(409, 20409), 'UPSTREAM_UNAVAILABLE', true],
    ['server error', upstream(500), 'UPSTREAM_UNAVAILABLE', true],
    ['HTML from a proxy', { status: 502, message: 'Bad Gateway' }, 'UPSTREAM_UNAVAILABLE', true],
    ['teapot', upstream(418), 'UPSTREAM_UNAVAILABLE', true],
    ['closed conversation', upstream(403, 50377), 'TARGET_NOT_FOUND', false],
    ['credentials from an overloaded platform', upstream(503, 20101), 'UPSTREAM_UNAVAILABLE', true],
    ['credentials, throttled', upstream(429, 20003), 'RATE_LIMITED', true],
    ['a token of tomorrow', { message: 'x', httpStatusCode: 401, errorCode: 20105 }, 'AUTH_FAILED', false],
    ['missing media', { code: 404, message: 'x' }, 'TARGET_NOT_FOUND', false],
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

describe('every answer', () => {
  const statuses = fc.integer({ min: 400, max: 599 });
  const codes = fc.option(
    fc.oneof(
      fc.integer({ min: 1, max: 99_999 }),
      fc.constantFrom(20003, 20101, 20105, 50214, 50400, 50430, 50377),
    ),
    { nil: undefined },
  );
  const isPassing = (status: number): boolean => status >= 500 || [408, 425, 429].includes(status);

  it('of a passing status is transient, whatever code comes with it', () => {
    fc.assert(
      fc.property(statuses.filter(isPassing), codes, (status, code) => {
        expect(toTwilioError(upstream(status, code), 'x').failureClass).toBe('transient');
      }),
    );
  });

  it('has a hint, and says so where no table lists its status or its code', () => {
    fc.assert(
      fc.property(statuses, codes, (status, code) => {
        const error = toTwilioError(upstream(status, code), 'x');
        expect(error.hint).toMatch(/\w/);
        const lists = [400, 401, 403, 404, 409, 413];
        if (!isPassing(status) && code === undefined) expect(error.unlisted).toBe(!lists.includes(status));
      }),
    );
    expect(toTwilioError(upstream(403, 59_999), 'x')).toMatchObject({ code: 'FORBIDDEN', unlisted: true });
    expect(toTwilioError({ code: 59_999, message: 'x' }, 'x')).toMatchObject({ unlisted: true });
  });

  it('is read from any value without an exception', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(toTwilioError(value, 'x').code).toMatch(/^[A-Z_]+$/);
      }),
    );
  });
});

describe('toConnectionError', () => {
  it.each([
    [400, 'UPSTREAM_UNAVAILABLE', 'unlisted'],
    [404, 'UPSTREAM_UNAVAILABLE', 'unlisted'],
    [401, 'AUTH_FAILED', 'definite'],
    [503, 'UPSTREAM_UNAVAILABLE', 'transient'],
  ])('does not take a %i for a fault of a message', (status, code, failureClass) => {
    expect(toConnectionError(upstream(status), 'connect')).toMatchObject({ code, failureClass });
  });
});

describe('what a refusal says', () => {
  it.each([
    [upstream(403, 50400), true, true],
    [upstream(403, 50430), true, true],
    [upstream(404, 50432), true, true],
    [upstream(404, 50350), false, true],
    [upstream(403, 50377), false, true],
    [upstream(403), false, false],
    [upstream(403, 50214), false, false],
    [upstream(500, 50430), false, false],
  ])('%j: not a participant %p, gone %p', (native, notParticipant, gone) => {
    const error = toTwilioError(native, 'x');
    expect([saysNotParticipant(error), saysGone(error)]).toEqual([notParticipant, gone]);
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
