import { bucketHeaders, InvalidRequestCounter, RateLimiter } from './rate-limits.js';

describe('RateLimiter', () => {
  it('fills a bucket and empties it as a whole at the end of its window', () => {
    let now = 1_000;
    const limiter = new RateLimiter(() => now, 2, 500);
    const take = (): unknown => {
      const { allowed, remaining, resetAfterMs } = limiter.take('a');
      return [allowed, remaining, resetAfterMs];
    };
    expect([take(), take(), take()]).toEqual([
      [true, 1, 500],
      [true, 0, 500],
      [false, 0, 500],
    ]);
    expect(limiter.take('b').allowed).toBe(true);
    now += 499;
    expect(take()).toEqual([false, 0, 1]);
    now += 1;
    expect(take()).toEqual([true, 1, 500]);
  });

  it('writes headers in seconds', () => {
    const verdict = new RateLimiter(() => 10_000, 5, 1_234).take('a');
    expect(bucketHeaders('id', verdict)).toEqual({
      'x-ratelimit-bucket': 'id',
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '4',
      'x-ratelimit-reset': '11.234',
      'x-ratelimit-reset-after': '1.234',
    });
  });
});

describe('InvalidRequestCounter', () => {
  it('counts what Discord counts, for as long as Discord does', () => {
    let now = 0;
    const counter = new InvalidRequestCounter(() => now, 3, 100);
    counter.record(200, undefined);
    counter.record(404, undefined);
    counter.record(429, 'shared');
    expect(counter.count).toBe(0);
    counter.record(401, undefined);
    now = 50;
    counter.record(403, undefined);
    counter.record(429, 'user');
    expect([counter.count, counter.banned]).toEqual([3, true]);
    now = 100;
    expect([counter.count, counter.banned]).toEqual([2, false]);
  });
});
