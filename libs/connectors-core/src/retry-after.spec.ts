import fc from 'fast-check';
import { boundRetryAfter, ConnectorError, MAX_RETRY_AFTER_MS, toRetryAfterMs } from './index.js';

describe('toRetryAfterMs', () => {
  it.each([
    ['60', 60_000],
    [' 1.5 ', 1_500],
    ['900', 900_000],
    ['901', 900_000],
    ['86400', 900_000],
    ['999999999999999999', 900_000],
    ['0', undefined],
    ['-1', undefined],
    ['', undefined],
    ['soon', undefined],
    ['1e9', undefined],
    ['Infinity', undefined],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('%j is %p', (value, expected) => {
    expect(toRetryAfterMs(value)).toBe(expected);
  });

  it('holds for 15 minutes at most, whatever the header', () => {
    const value = fc.oneof(fc.string(), fc.bigInt({ min: 0n }).map(String), fc.double().map(String));
    fc.assert(
      fc.property(value, (header) => {
        const ms = toRetryAfterMs(header);
        expect(ms === undefined || (ms > 0 && ms <= MAX_RETRY_AFTER_MS)).toBe(true);
      }),
    );
  });
});

describe('what a ConnectorError asks to wait', () => {
  it('is a number between 0 and 15 minutes, or nothing', () => {
    fc.assert(
      fc.property(fc.double(), (ms) => {
        const { retryAfterMs } = new ConnectorError('RATE_LIMITED', 'wait', { retryAfterMs: ms });
        expect(retryAfterMs).toBe(boundRetryAfter(ms));
        expect(retryAfterMs).toBe(ms >= 0 ? Math.min(ms, 900_000) : undefined);
      }),
    );
  });
});
