import { ConnectorError, type ConnectorErrorCode } from '@bitbrat/connectors-core';
import {
  countsAsAttempt,
  decide,
  type Decision,
  type RetryLimits,
  type SendResult,
  type Situation,
} from './ack-policy.js';

const limits: RetryLimits = {
  backoff: { baseMs: 1_000, maxMs: 30_000 },
  maxAttempts: 4,
  giveUpAfterMs: 60_000,
};
const failed = (code: ConnectorErrorCode, retryAfterMs?: number): SendResult => ({
  ok: false,
  error: new ConnectorError(code, 'no', { retryAfterMs }),
});
const sent: SendResult = { ok: true, receipt: { platformMessageIds: ['1'], duplicate: false } };
const retry = (delayMs: number, notBeforeMs = 0): object => ({ kind: 'retry', delayMs, notBeforeMs });
const settle = (status: string, deadLetter: boolean): object => ({ kind: 'settle', status, deadLetter });

interface Row {
  readonly name: string;
  readonly result: SendResult;
  readonly attempts?: number;
  readonly elapsedMs?: number;
  readonly expiresInMs?: number;
  readonly protection?: Situation['protection'];
  readonly expected: object;
}

const rows: Row[] = [
  { name: 'accepted', result: sent, expected: settle('sent', false) },
  { name: 'opted out', result: failed('RECIPIENT_OPTED_OUT'), expected: settle('suppressed', true) },
  { name: 'unknown target', result: failed('TARGET_NOT_FOUND'), expected: settle('failed', true) },
  { name: 'bad payload', result: failed('PAYLOAD_INVALID'), expected: settle('failed', true) },
  { name: 'expired within the connector', result: failed('EXPIRED'), expected: settle('expired', false) },
  { name: 'refused credentials', result: failed('AUTH_FAILED'), expected: settle('failed', true) },
  {
    name: 'time-out where the message is looked for',
    result: failed('TIMEOUT'),
    protection: 'lookup',
    expected: retry(10_000, 10_000),
  },
  { name: 'time-out', result: failed('TIMEOUT'), expected: retry(500) },
  { name: 'not connected', result: failed('NOT_CONNECTED'), expected: retry(500) },
  { name: 'fault of ours', result: failed('INTERNAL'), expected: retry(500) },
  {
    name: 'third try waits longer',
    result: failed('TIMEOUT'),
    attempts: 3,
    expected: retry(2_000),
  },
  {
    name: 'the platform’s wait counts',
    result: failed('RATE_LIMITED', 7_000),
    expected: retry(7_000, 7_000),
  },
  {
    name: 'has to wait beyond its life',
    result: failed('RATE_LIMITED', 120_000),
    expiresInMs: 30_000,
    expected: retry(30_000, 120_000),
  },
  {
    name: 'answer lost where nobody can look',
    result: failed('TIMEOUT'),
    protection: 'none',
    expected: settle('unknown', true),
  },
  {
    name: 'refused where nobody can look',
    result: failed('RATE_LIMITED'),
    protection: 'none',
    expected: retry(500, 500),
  },
  { name: 'last try', result: failed('TIMEOUT'), attempts: 4, expected: settle('failed', true) },
  {
    name: 'nearly out of time: tried once more at the end',
    result: failed('NOT_CONNECTED'),
    elapsedMs: 59_600,
    expected: retry(400),
  },
  {
    name: 'out of time',
    result: failed('NOT_CONNECTED'),
    elapsedMs: 60_000,
    expected: settle('failed', true),
  },
  {
    name: 'has to wait longer than it is tried',
    result: failed('RATE_LIMITED', 120_000),
    expected: settle('failed', true),
  },
  {
    name: 'has to wait longer than it is tried, and does not expire first',
    result: failed('RATE_LIMITED', 120_000),
    expiresInMs: 60_001,
    expected: settle('failed', true),
  },
  {
    name: 'would expire while it waits: tried once more before that',
    result: failed('TIMEOUT'),
    expiresInMs: 500,
    expected: retry(250),
  },
  {
    name: 'expires soon after the wait: tried once more before that',
    result: failed('TIMEOUT'),
    expiresInMs: 750,
    expected: retry(500),
  },
  {
    name: 'expires after the wait',
    result: failed('TIMEOUT'),
    expiresInMs: 751,
    expected: retry(500),
  },
  {
    name: 'was tried for the last time: waits until it expires',
    result: failed('TIMEOUT'),
    expiresInMs: 249,
    expected: retry(249),
  },
  {
    name: 'may not be looked for before it expires: waits until then',
    result: failed('TIMEOUT'),
    protection: 'lookup',
    expiresInMs: 5_000,
    expected: retry(5_000, 10_000),
  },
  {
    name: 'expired during the try',
    result: failed('TIMEOUT'),
    expiresInMs: -3,
    expected: retry(0),
  },
];

describe('decide', () => {
  it.each(rows)(
    '$name',
    ({ result, attempts = 1, elapsedMs = 0, expiresInMs, protection = 'platform', expected }) => {
      const situation = { result, attempts, tries: attempts, elapsedMs, expiresInMs, protection };
      expect(decide(situation, limits, () => 0.5)).toEqual(expected);
    },
  );

  it('never leaves a failure without a trace', () => {
    const decisions: Decision[] = rows
      .filter(({ result }) => !result.ok && result.error.code !== 'EXPIRED')
      .map(({ result }) =>
        decide(
          { result, attempts: 9, tries: 9, elapsedMs: 0, expiresInMs: undefined, protection: 'platform' },
          limits,
          () => 0,
        ),
      );
    expect(decisions.every((decision) => decision.kind === 'settle' && decision.deadLetter)).toBe(true);
  });
});

describe('countsAsAttempt', () => {
  it('leaves out what never reached the platform', () => {
    expect(countsAsAttempt(new ConnectorError('NOT_CONNECTED', 'no'))).toBe(false);
    expect(countsAsAttempt(new ConnectorError('TIMEOUT', 'no'))).toBe(true);
  });
});
