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
  { name: 'refused credentials', result: failed('AUTH_FAILED'), expected: settle('failed', true) },
  {
    name: 'time-out where the message is looked for',
    result: failed('TIMEOUT'),
    protection: 'lookup',
    expected: { kind: 'retry', delayMs: 10_000 },
  },
  { name: 'time-out', result: failed('TIMEOUT'), expected: { kind: 'retry', delayMs: 500 } },
  { name: 'not connected', result: failed('NOT_CONNECTED'), expected: { kind: 'retry', delayMs: 500 } },
  { name: 'fault of ours', result: failed('INTERNAL'), expected: { kind: 'retry', delayMs: 500 } },
  {
    name: 'third try waits longer',
    result: failed('TIMEOUT'),
    attempts: 3,
    expected: { kind: 'retry', delayMs: 2_000 },
  },
  {
    name: 'the platform’s wait counts',
    result: failed('RATE_LIMITED', 7_000),
    expected: { kind: 'retry', delayMs: 7_000 },
  },
  {
    name: 'has to wait beyond its life',
    result: failed('RATE_LIMITED', 120_000),
    expiresInMs: 30_000,
    expected: settle('expired', false),
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
    expected: { kind: 'retry', delayMs: 500 },
  },
  { name: 'last try', result: failed('TIMEOUT'), attempts: 4, expected: settle('failed', true) },
  {
    name: 'out of time',
    result: failed('NOT_CONNECTED'),
    elapsedMs: 59_600,
    expected: settle('failed', true),
  },
  {
    name: 'would expire while it waits',
    result: failed('TIMEOUT'),
    expiresInMs: 500,
    expected: settle('expired', false),
  },
  {
    name: 'expires after the wait',
    result: failed('TIMEOUT'),
    expiresInMs: 501,
    expected: { kind: 'retry', delayMs: 500 },
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
      .filter(({ result }) => !result.ok)
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
