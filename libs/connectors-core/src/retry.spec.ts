import { backoffMs } from './retry.js';

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
  ])('after %i failures waits %i ms at most', (attempt, longest) => {
    expect(backoffMs(policy, attempt, () => almostOne)).toBe(longest);
  });

  it('has full jitter: anything from nothing to the bound', () => {
    expect(backoffMs(policy, 5, () => 0)).toBe(0);
    expect(backoffMs(policy, 5, () => 0.5)).toBe(800);
  });
});
