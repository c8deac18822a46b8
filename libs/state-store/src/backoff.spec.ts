import { backoffMs } from './backoff.js';

describe('backoffMs', () => {
  const backoff = { minMs: 100, maxMs: 2000 };
  it.each([
    [1, 0, 50],
    [1, 1, 100],
    [3, 0.5, 300],
    [6, 1, 2000],
    [1000, 1, 2000],
  ])('after %d failures, random %d: %d ms', (failures, random, expected) => {
    expect(backoffMs(backoff, failures, () => random)).toBe(expected);
  });
});
