import { backoffMs } from './backoff.js';

describe('backoffMs', () => {
  it.each([
    [1, 0, 50],
    [1, 0.999, 100],
    [2, 0, 100],
    [4, 0.5, 600],
    [5, 0, 500],
    [1000, 0.999, 1000],
  ])('after %d failures with random %d waits about %d ms', (failures, random, expected) => {
    const wait = backoffMs({ minMs: 100, maxMs: 1000 }, failures, () => random);
    expect(Math.abs(wait - expected)).toBeLessThanOrEqual(1);
  });
});
