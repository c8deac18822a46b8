import fc from 'fast-check';
import { ConnectorError, DEFAULT_SUPERVISION, MAX_RETRY_AFTER_MS, RetrySchedule } from '../index.js';

const transient = new ConnectorError('UPSTREAM_UNAVAILABLE', 'down');
const definite = new ConnectorError('AUTH_FAILED', 'refused');
const unlisted = new ConnectorError('UPSTREAM_UNAVAILABLE', 'HTTP 418', { unlisted: true });
const MINUTES = [1, 2, 4, 8, 15, 15, 15];
/** Both ends of [0, 1). */
const ENDS: readonly (() => number)[] = [() => 0, () => 0.999_999];

describe('RetrySchedule', () => {
  describe.each(ENDS)('with random number %#', (random) => {
    it.each([
      ['definite', definite],
      ['unlisted', unlisted],
    ])('waits a minute after a %s error, doubling to 15, and a tenth longer at most', (_, error) => {
      const schedule = new RetrySchedule(DEFAULT_SUPERVISION, random);
      for (const minutes of MINUTES) {
        const { waitMs, slow } = schedule.next(error);
        expect(slow).toBe(true);
        expect(waitMs).toBeGreaterThanOrEqual(minutes * 60_000);
        expect(waitMs).toBeLessThanOrEqual(minutes * 66_000);
      }
    });
  });

  it('never waits less than the platform asks for', () => {
    const errors = fc.record({
      unlisted: fc.boolean(),
      code: fc.constantFrom('RATE_LIMITED' as const, 'AUTH_FAILED' as const),
      retryAfterMs: fc.integer({ min: 0, max: MAX_RETRY_AFTER_MS }),
    });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.array(errors, { maxLength: 20 }), random, (failures, number) => {
        const schedule = new RetrySchedule(DEFAULT_SUPERVISION, () => number);
        for (const { code, ...options } of failures) {
          const { waitMs } = schedule.next(new ConnectorError(code, '', options));
          expect(waitMs).toBeGreaterThanOrEqual(options.retryAfterMs);
          expect(waitMs).toBeLessThanOrEqual(Math.max(990_000, options.retryAfterMs));
        }
      }),
    );
  });

  it('grows each kind of wait by itself, and resets both', () => {
    const schedule = new RetrySchedule(DEFAULT_SUPERVISION, () => 0.999_999);
    const attempts = [transient, definite, transient, unlisted].map((error) => schedule.next(error).attempt);
    expect(attempts).toEqual([1, 1, 2, 2]);
    schedule.reset();
    expect(schedule.next(definite).attempt).toBe(1);
    expect(schedule.next(transient)).toEqual({ waitMs: 999, attempt: 1, slow: false });
  });
});
