import { sleep, withTimeout } from '../clock.js';
import { ManualClock } from './manual-clock.js';

describe('ManualClock', () => {
  it('stands still until told', async () => {
    const clock = new ManualClock(1_000);
    expect(clock.now()).toBe(1_000);
    await clock.advance(50);
    expect(clock.now()).toBe(1_050);
  });

  it('can be set, and measures spans all the same', async () => {
    const clock = new ManualClock(1_000);
    const before = clock.monotonic();
    clock.set(-600);
    await clock.advance(50);
    expect([clock.now(), clock.monotonic() - before]).toEqual([450, 50]);
  });

  it('runs what is due, in the order in which it is due, each at its time', async () => {
    const clock = new ManualClock(0);
    const calls: [string, number][] = [];
    const call = (name: string, ms: number): (() => void) =>
      clock.setTimeout(() => calls.push([name, clock.now()]), ms);
    call('late', 30);
    call('early', 10);
    call('also early', 10);
    call('too late', 31);
    call('cancelled', 5)();
    await clock.advance(30);
    expect(calls).toEqual([
      ['early', 10],
      ['also early', 10],
      ['late', 30],
    ]);
    expect(clock.pendingTimers).toBe(1);
  });

  it('runs timers that are set on the way, by callbacks and behind promises', async () => {
    const clock = new ManualClock(0);
    const seen: number[] = [];
    const ticking = (async () => {
      for (let i = 0; i < 5; i++) {
        await sleep(clock, 10);
        seen.push(clock.now());
      }
    })();
    await clock.advance(45);
    expect(seen).toEqual([10, 20, 30, 40]);
    await clock.advance(5);
    await ticking;
    expect(seen).toHaveLength(5);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets work that is done in time be done in time', async () => {
    const clock = new ManualClock();
    const work = sleep(clock, 99).then(() => 'done');
    const limited = withTimeout(clock, work, 100, () => new Error('late'));
    await clock.advance(1_000);
    await expect(limited).resolves.toBe('done');
  });
});
