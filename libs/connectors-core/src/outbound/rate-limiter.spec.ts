import { RateLimiter } from './rate-limiter.js';

describe('RateLimiter', () => {
  it('lets the bucket through at once, then one for each refill', () => {
    const limiter = new RateLimiter({ count: 3, perMs: 3_000 });
    expect([1, 2, 3, 4, 5].map(() => limiter.reserve(10_000))).toEqual([0, 0, 0, 1_000, 2_000]);
  });

  it('refills with time, never above its size', () => {
    const limiter = new RateLimiter({ count: 2, perMs: 1_000 });
    limiter.reserve(0);
    limiter.reserve(0);
    expect(limiter.reserve(500)).toBe(0);
    expect([1, 2, 3].map(() => limiter.reserve(60_000))).toEqual([0, 0, 500]);
  });

  it('never lets more than twice the count through in any window, whatever the calls', () => {
    const limiter = new RateLimiter({ count: 5, perMs: 5_000 });
    const sentAt: number[] = [];
    for (let now = 0; now < 60_000; now += 137) sentAt.push(now + limiter.reserve(now));
    for (const from of sentAt) {
      expect(sentAt.filter((at) => at >= from && at < from + 5_000).length).toBeLessThanOrEqual(10);
    }
    expect(sentAt).toEqual([...sentAt].sort((a, b) => a - b));
  });
});
