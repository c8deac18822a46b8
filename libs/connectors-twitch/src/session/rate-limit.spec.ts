import { ConnectorError, type CursorStore } from '@bitbrat/connectors-core';
import { MemoryCursors, RecordingLogger } from '@bitbrat/connectors-testing';
import { type Clock } from '@bitbrat/foundation';
import { ManualClock } from '@bitbrat/foundation/testing';
import fc from 'fast-check';
import { type ChatStanding, MessageRateLimiter, SlidingWindow, type TurnOptions } from './rate-limit.js';

function createLimiter(
  clock: ManualClock,
  cursors: CursorStore = new MemoryCursors(),
  processId = 'p1',
): MessageRateLimiter {
  return new MessageRateLimiter({ clock, cursors, logger: new RecordingLogger(), processId });
}

const asking = (retryAfterMs: number): ConnectorError =>
  new ConnectorError('RATE_LIMITED', 'no', { retryAfterMs });

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
    const limiter = createLimiter(clock);
    const turn = { standing: (): ChatStanding => 'ordinary', maxWaitMs: 0, signal: never() };
    await limiter.turn('channel', 'n', turn);
    limiter.holds.hold('channel', asking(5_000), 'ordinary');
    clock.set(byMs);
    expect(limiter.waitMs('channel', 'ordinary')).toBe(5_000);
    await clock.advance(5_000);
    expect(limiter.waitMs('channel', 'ordinary')).toBe(0);
    expect(limiter.recent).toBe(1);
  });

  it.each([
    ['ordinary', 18],
    ['vip', 90],
    ['privileged', 90],
  ] as const)(
    'lets an %s user send %i messages at once, and the next when the first is 32 s old',
    (standing, count) => {
      const limiter = createLimiter(new ManualClock());
      const sent = Array.from({ length: count }, async (_, i) => {
        await limiter.turn(`channel${i}`, `n${i}`, {
          standing: () => standing,
          maxWaitMs: 0,
          signal: never(),
        });
      });
      return expect(
        Promise.all(sent).then(() => [limiter.recent, limiter.waitMs('other', standing)]),
      ).resolves.toEqual([count, 32_000]);
    },
  );

  it('spaces the messages of an ordinary user in one channel', async () => {
    const clock = new ManualClock();
    const limiter = createLimiter(clock);
    await limiter.turn('a', 'n', { standing: () => 'ordinary', maxWaitMs: 0, signal: never() });
    expect(limiter.waitMs('a', 'ordinary')).toBe(1_200);
    expect(limiter.waitMs('a', 'vip')).toBe(0);
    expect(limiter.waitMs('b', 'ordinary')).toBe(0);
  });

  it('waits no longer than allowed, and says how long it would take', async () => {
    const clock = new ManualClock();
    const limiter = createLimiter(clock);
    limiter.holds.hold('a', asking(5_000), 'vip');
    const options = { standing: (): ChatStanding => 'vip', signal: never() };
    await expect(limiter.turn('a', 'n', { ...options, maxWaitMs: 4_999 })).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: 5_000,
    });
    const patient = limiter.turn('a', 'n', { ...options, maxWaitMs: 5_000 });
    await clock.advance(5_000);
    await patient;
    expect(limiter.recent).toBe(1);
  });

  it('gives up when aborted, and leaves no timer', async () => {
    const clock = new ManualClock();
    const limiter = createLimiter(clock);
    limiter.holds.hold('a', asking(60_000), 'vip');
    const abort = new AbortController();
    const turn = limiter.turn('a', 'n', { standing: () => 'vip', maxWaitMs: Infinity, signal: abort.signal });
    abort.abort();
    await expect(turn).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect([clock.pendingTimers, limiter.recent]).toEqual([0, 0]);
  });

  it('never crosses what Twitch counts, whatever the mix of channels', async () => {
    const clock = new ManualClock();
    const limiter = createLimiter(clock);
    const times: { at: number; standing: ChatStanding }[] = [];
    const all = Array.from({ length: 300 }, async (_, i) => {
      const standing: ChatStanding = i % 3 === 0 ? 'ordinary' : 'privileged';
      await limiter.turn(`c${i % 7}`, `n${i}`, {
        standing: () => standing,
        maxWaitMs: Infinity,
        signal: never(),
      });
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

describe('several processes with one account', () => {
  const turn = (maxWaitMs = 0): TurnOptions => ({ standing: () => 'ordinary', maxWaitMs, signal: never() });

  /** Sends to a channel of its own each time until it would have to wait. @returns how many went out */
  async function burst(limiter: MessageRateLimiter, name: string, atMost = 100): Promise<number> {
    for (let i = 0; i < atMost; i++) {
      const isSent = await limiter.turn(`${name}${i}`, `${name}${i}`, turn()).then(
        () => true,
        () => false,
      );
      if (!isSent) return i;
    }
    return atMost;
  }

  it('goes on after a restart with what the process before has sent, killed or stopped', async () => {
    const clock = new ManualClock();
    const cursors = new MemoryCursors();
    expect(await burst(createLimiter(clock, cursors, 'p1'), 'a', 10)).toBe(10);
    const next = createLimiter(clock, cursors, 'p2');
    expect(await burst(next, 'b')).toBe(8);
    expect(next.recent).toBe(18);
    await clock.advance(32_000);
    expect(await burst(next, 'c')).toBe(18);
  });

  it.each([600_000, -600_000])(
    'is ignored no longer than was left, with a clock that was %d ms off',
    async (byMs) => {
      const clock = new ManualClock();
      const cursors = new MemoryCursors();
      clock.set(byMs);
      createLimiter(clock, cursors, 'p1').mute(5_000);
      await clock.advance(0);
      clock.set(-byMs);
      const { journal } = createLimiter(clock, cursors, 'p2');
      await journal.refresh();
      expect(journal.mutedUntil - clock.monotonic()).toBeLessThanOrEqual(5_000);
    },
  );

  it('spaces the messages to one channel over a restart', async () => {
    const clock = new ManualClock();
    const cursors = new MemoryCursors();
    await createLimiter(clock, cursors, 'p1').turn('a', 'n', turn());
    const next = createLimiter(clock, cursors, 'p2');
    await next.journal.refresh();
    expect(next.waitMs('a', 'ordinary')).toBe(1_200);
  });

  it('shares the limit while both send, and gives all of it to one that is left', async () => {
    const clock = new ManualClock();
    const cursors = new MemoryCursors();
    const [one, two] = [createLimiter(clock, cursors, 'p1'), createLimiter(clock, cursors, 'p2')];
    await burst(one, 'a', 1);
    await burst(two, 'b', 1);
    const sent = [1 + (await burst(one, 'c')), 1 + (await burst(two, 'd'))];
    expect(sent).toEqual([9, 9]);
    await two.journal.end();
    await clock.advance(32_000);
    expect(await burst(one, 'e')).toBe(18);
  });

  it('never exceeds the limit together by more than what was on its way to the store', async () => {
    const clock = new ManualClock();
    const cursors = new MemoryCursors();
    const limiters = ['p1', 'p2'].map((id) => createLimiter(clock, cursors, id));
    const times: number[] = [];
    const all = Array.from({ length: 120 }, async (_, i) => {
      const limiter = limiters[i % 2];
      await limiter?.turn(`c${i % 5}`, `n${i}`, turn(Infinity));
      times.push(clock.now());
    });
    await clock.advance(3_600_000);
    await Promise.all(all);
    const within = times.map((at) => times.filter((other) => other > at - 30_000 && other <= at).length);
    expect(Math.max(...within)).toBeLessThanOrEqual(20);
  });

  it('sends nothing at first where the store does not tell, then half; and all as soon as it does', async () => {
    const clock = new ManualClock();
    const kept = new MemoryCursors();
    let isAway = true;
    const cursors: CursorStore = {
      load: (key) => (isAway ? Promise.reject(new Error('away')) : kept.load(key)),
      save: (key, value) => (isAway ? Promise.reject(new Error('away')) : kept.save(key, value)),
    };
    const limiter = createLimiter(clock, cursors);
    expect(await burst(limiter, 'a')).toBe(0);
    await expect(limiter.turn('a', 'n', turn())).rejects.toMatchObject({ retryAfterMs: 5_000 });
    await clock.advance(32_000);
    expect(await burst(limiter, 'b')).toBe(9);
    isAway = false;
    expect(await burst(limiter, 'c')).toBe(9);
  });

  it('wakes what waits when the store is back', async () => {
    const clock = new ManualClock();
    let isAway = true;
    const kept = new MemoryCursors();
    const cursors: CursorStore = {
      load: (key) => (isAway ? Promise.reject(new Error('away')) : kept.load(key)),
      save: (key, value) => kept.save(key, value),
    };
    const sending = createLimiter(clock, cursors).turn('a', 'n', turn(Infinity));
    await clock.advance(1_000);
    isAway = false;
    await clock.advance(5_000);
    await sending;
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    '',
    '{}',
    'null',
    '{"processes":1,"mutedUntil":0,"mutedForMs":0}',
    '{"processes":[{"id":"x","hasEnded":false,"sends":[[1e999,"a","b"]]}],"mutedUntil":0,"mutedForMs":0}',
  ])('takes the note %j for one that does not tell', async (note) => {
    const cursors = new MemoryCursors();
    await cursors.save('sends', note);
    expect(await burst(createLimiter(new ManualClock(), cursors), 'a')).toBe(0);
  });

  it('counts once what a process sent whose clock was ahead, however often it is read', async () => {
    const AHEAD_MS = 5 * 3_600_000;
    const [clock, cursors] = [new ManualClock(), new MemoryCursors()];
    const sends = Array.from({ length: 18 }, (_, i) => [clock.now() + AHEAD_MS + i, 'b', `n${i}`]);
    const process = { id: 'before', hasEnded: true, sends };
    await cursors.save('sends', JSON.stringify({ processes: [process], mutedUntil: 0, mutedForMs: 0 }));
    const limiter = createLimiter(clock, cursors);
    await limiter.journal.refresh();
    expect(limiter.recent).toBe(18);
    await clock.advance(32_000);
    expect(limiter.recent).toBe(0);
    await limiter.journal.refresh();
    expect(limiter.waitMs('a', 'ordinary')).toBe(0);
  });

  it.each([5_000, 31_000, 33_000, 600_000, 5 * 3_600_000])(
    'counts what a process sends whose clock is %d ms behind, as it starts and while it runs',
    async (behindMs) => {
      const [clock, cursors] = [new ManualClock(), new MemoryCursors()];
      const skewed: Clock = {
        now: () => clock.now() - behindMs,
        monotonic: () => clock.monotonic(),
        setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
      };
      const limiters = [clock, skewed].map(
        (of, i) =>
          new MessageRateLimiter({ clock: of, cursors, logger: new RecordingLogger(), processId: `p${i}` }),
      );
      const times: number[] = [];
      // One after the other, so that no two notes are written at once.
      for (let i = 0; i < 80; i++) {
        const sending = limiters[i % 2]?.turn(`c${i}`, `n${i}`, turn(Infinity));
        void sending?.then(() => times.push(clock.now()));
        while (times.length <= i) await clock.advance(200);
      }
      const within = times.map((at) => times.filter((other) => other > at - 30_000 && other <= at).length);
      expect(Math.max(...within)).toBeLessThanOrEqual(20);
      await burst(limiters[1] ?? createLimiter(clock), 'burst');
      const next = createLimiter(clock, cursors, 'next');
      const already = limiters[1]?.recent ?? 0;
      await next.journal.refresh();
      expect(already).toBeGreaterThan(0);
      expect(next.recent).toBeGreaterThanOrEqual(already);
      await clock.advance(32_000);
      expect(next.recent).toBe(0);
    },
  );

  it('is ignored for half an hour at most, whatever the note says', async () => {
    const number = fc.integer({ min: 0, max: 8_640_000_000_000_000 });
    await fc.assert(
      fc.asyncProperty(number, number, async (mutedUntil, mutedForMs) => {
        const [clock, cursors] = [new ManualClock(), new MemoryCursors()];
        await cursors.save('sends', JSON.stringify({ processes: [], mutedUntil, mutedForMs }));
        const { journal } = createLimiter(clock, cursors);
        await journal.refresh();
        expect(journal.mutedUntil - clock.monotonic()).toBeLessThanOrEqual(30 * 60_000);
      }),
    );
  });
});
