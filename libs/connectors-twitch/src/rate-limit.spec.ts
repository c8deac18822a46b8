import { ManualClock } from '@bitbrat/connectors-testing';
import { type ChatStanding, MessageRateLimiter, SlidingWindow } from './rate-limit.js';

const never = (): AbortSignal => new AbortController().signal;

describe('SlidingWindow', () => {
  it('counts what lies within and says when there is room', async () => {
    const clock = new ManualClock();
    const window = new SlidingWindow(1_000, clock);
    expect(window.waitMs(2)).toBe(0);
    window.add();
    await clock.advance(400);
    window.add();
    expect([window.size, window.waitMs(2), window.waitMs(3)]).toEqual([2, 600, 0]);
    await clock.advance(600);
    expect([window.size, window.waitMs(2)]).toEqual([1, 0]);
    await clock.advance(400);
    expect(window.size).toBe(0);
  });
});

describe('MessageRateLimiter', () => {
  it.each([600_000, -600_000])('waits as long as ever when the clock is set by %i ms', async (byMs) => {
    const clock = new ManualClock();
    const limiter = new MessageRateLimiter(clock);
    const turn = { standing: (): ChatStanding => 'ordinary', maxWaitMs: 0, signal: never() };
    await limiter.turn('channel', turn);
    limiter.pause(5_000);
    clock.set(byMs);
    expect(limiter.waitMs('channel', 'ordinary')).toBe(5_000);
    await clock.advance(5_000);
    expect(limiter.waitMs('channel', 'ordinary')).toBe(0);
    expect(limiter.recent).toBe(1);
  });

  it.each([
    ['ordinary', 18],
    ['vip', 18],
    ['privileged', 90],
  ] as const)(
    'lets an %s user send %i messages at once, and the next when the first is 32 s old',
    (standing, count) => {
      const limiter = new MessageRateLimiter(new ManualClock());
      const sent = Array.from({ length: count }, async (_, i) => {
        await limiter.turn(`channel${i}`, { standing: () => standing, maxWaitMs: 0, signal: never() });
      });
      return expect(
        Promise.all(sent).then(() => [limiter.recent, limiter.waitMs('other', standing)]),
      ).resolves.toEqual([count, 32_000]);
    },
  );

  it('spaces the messages of an ordinary user in one channel', async () => {
    const clock = new ManualClock();
    const limiter = new MessageRateLimiter(clock);
    await limiter.turn('a', { standing: () => 'ordinary', maxWaitMs: 0, signal: never() });
    expect(limiter.waitMs('a', 'ordinary')).toBe(1_200);
    expect(limiter.waitMs('a', 'vip')).toBe(0);
    expect(limiter.waitMs('b', 'ordinary')).toBe(0);
  });

  it('waits no longer than allowed, and says how long it would take', async () => {
    const clock = new ManualClock();
    const limiter = new MessageRateLimiter(clock);
    limiter.pause(5_000);
    const options = { standing: (): ChatStanding => 'vip', signal: never() };
    await expect(limiter.turn('a', { ...options, maxWaitMs: 4_999 })).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: 5_000,
    });
    const patient = limiter.turn('a', { ...options, maxWaitMs: 5_000 });
    await clock.advance(5_000);
    await patient;
    expect(limiter.recent).toBe(1);
  });

  it('gives up when aborted, and leaves no timer', async () => {
    const clock = new ManualClock();
    const limiter = new MessageRateLimiter(clock);
    limiter.pause(60_000);
    const abort = new AbortController();
    const turn = limiter.turn('a', { standing: () => 'vip', maxWaitMs: Infinity, signal: abort.signal });
    abort.abort();
    await expect(turn).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect([clock.pendingTimers, limiter.recent]).toEqual([0, 0]);
  });

  it('never crosses what Twitch counts, whatever the mix of channels', async () => {
    const clock = new ManualClock();
    const limiter = new MessageRateLimiter(clock);
    const times: { at: number; standing: ChatStanding }[] = [];
    const all = Array.from({ length: 300 }, async (_, i) => {
      const standing: ChatStanding = i % 3 === 0 ? 'ordinary' : 'privileged';
      await limiter.turn(`c${i % 7}`, { standing: () => standing, maxWaitMs: Infinity, signal: never() });
      times.push({ at: clock.now(), standing });
    });
    await clock.advance(3_600_000);
    await Promise.all(all);
    expect(times).toHaveLength(300);
    for (const [i, { at, standing }] of times.entries()) {
      const within = times.slice(0, i + 1).filter((time) => at - time.at < 30_000).length;
      expect(within).toBeLessThanOrEqual(standing === 'ordinary' ? 20 : 100);
    }
  });
});
