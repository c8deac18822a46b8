import fc from 'fast-check';
import {
  CONNECTOR_ERRORS,
  ConnectorError,
  type ConnectorErrorCode,
  type ErrorRule,
  ruleOfStatus,
} from './index.js';

const codes = Object.keys(CONNECTOR_ERRORS).filter(
  (code): code is ConnectorErrorCode => code in CONNECTOR_ERRORS,
);
const aRule = fc.record({
  code: fc.constantFrom(...codes),
  hint: fc.string(),
  unlisted: fc.boolean(),
});
const maybeARule = fc.option(aRule, { nil: undefined });
const transientStatus = fc.oneof(fc.constantFrom(408, 425, 429), fc.integer({ min: 500, max: 599 }));
const classOf = ({ code, unlisted }: ErrorRule): string =>
  new ConnectorError(code, '', { unlisted }).failureClass;

describe('ruleOfStatus', () => {
  it.each<[number, ConnectorErrorCode, string]>([
    [400, 'UPSTREAM_UNAVAILABLE', 'unlisted'],
    [401, 'AUTH_FAILED', 'definite'],
    [403, 'UPSTREAM_UNAVAILABLE', 'unlisted'],
    [408, 'TIMEOUT', 'transient'],
    [409, 'UPSTREAM_UNAVAILABLE', 'unlisted'],
    [418, 'UPSTREAM_UNAVAILABLE', 'unlisted'],
    [425, 'UPSTREAM_UNAVAILABLE', 'transient'],
    [429, 'RATE_LIMITED', 'transient'],
    [500, 'UPSTREAM_UNAVAILABLE', 'transient'],
    [599, 'UPSTREAM_UNAVAILABLE', 'transient'],
    [302, 'UPSTREAM_UNAVAILABLE', 'unlisted'],
    [600, 'UPSTREAM_UNAVAILABLE', 'unlisted'],
    [Number.NaN, 'UPSTREAM_UNAVAILABLE', 'unlisted'],
  ])('without a row, %d is %s and %s', (status, code, failureClass) => {
    const rule = ruleOfStatus(status);
    expect(rule.code).toBe(code);
    expect(classOf(rule)).toBe(failureClass);
  });

  it('is transient for every status that says "not now", whatever rows match', () => {
    fc.assert(
      fc.property(transientStatus, maybeARule, maybeARule, (status, byCode, byStatus) => {
        expect(classOf(ruleOfStatus(status, { byCode, byStatus }))).toBe('transient');
      }),
    );
  });

  it('keeps a retryable row of the code beside such a status: its hint says more', () => {
    const byCode = { code: 'RATE_LIMITED', hint: 'the channel is in slow mode' } as const;
    expect(ruleOfStatus(503, { byCode, byStatus: { code: 'AUTH_FAILED', hint: '' } })).toBe(byCode);
  });

  it('prefers the row of the code to that of the status for every other status', () => {
    const status = fc.integer({ min: 300, max: 499 }).filter((it) => ![408, 425, 429].includes(it));
    fc.assert(
      fc.property(status, aRule, maybeARule, (of, row, other) => {
        expect(ruleOfStatus(of, { byCode: row, byStatus: other })).toBe(row);
        expect(ruleOfStatus(of, { byStatus: row })).toBe(row);
      }),
    );
  });

  it('has an answer for every number', () => {
    fc.assert(
      fc.property(fc.double(), maybeARule, maybeARule, (status, byCode, byStatus) => {
        expect(codes).toContain(ruleOfStatus(status, { byCode, byStatus }).code);
      }),
    );
  });
});
