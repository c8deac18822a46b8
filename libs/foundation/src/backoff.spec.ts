import fc from 'fast-check';
import { backoffMs, type Jitter } from './backoff.js';

const policy = { baseMs: 100, maxMs: 5_000 };
const almostOne = 1 - Number.EPSILON;

describe('backoffMs', () => {
  it.each([
    [1, 99],
    [2, 199],
    [3, 399],
    [6, 3_199],
    [7, 4_999],
    [31, 4_999],
    [10_000, 4_999],
  ])('after %i failures waits %i ms at most', (failures, longest) => {
    expect(backoffMs(policy, failures, () => almostOne)).toBe(longest);
  });

  it.each<[Jitter, number, number]>([
    ['full', 0, 1],
    ['half', 0.5, 1],
    ['longer', 1, 1.1],
  ])('with %s jitter lies between %f and %f of the bound', (jitter, least, most) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: almostOne, noNaN: true }),
        (failures, random) => {
          const boundMs = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(failures - 1, 30));
          const waitMs = backoffMs(policy, failures, () => random, jitter);
          expect(Number.isInteger(waitMs)).toBe(true);
          expect(waitMs).toBeGreaterThanOrEqual(boundMs * least);
          expect(waitMs).toBeLessThanOrEqual(boundMs * most);
        },
      ),
    );
  });
});
