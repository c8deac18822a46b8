import { ManualClock } from './testing/manual-clock.js';
import { Timers } from './timers.js';

describe('Timers', () => {
  const calls: string[] = [];
  let clock: ManualClock;
  let timers: Timers<'a' | 'b'>;

  beforeEach(() => {
    calls.length = 0;
    clock = new ManualClock(0);
    timers = new Timers(clock);
  });

  it('calls back once, when the time has passed', async () => {
    timers.set('a', 100, () => calls.push('a'));
    await clock.advance(99);
    expect([timers.has('a'), calls]).toEqual([true, []]);
    await clock.advance(1_000);
    expect([timers.has('a'), calls]).toEqual([false, ['a']]);
  });

  it('has one of a name', async () => {
    timers.set('a', 100, () => calls.push('first'));
    timers.set('a', 200, () => calls.push('second'));
    timers.set('b', 50, () => calls.push('b'));
    await clock.advance(1_000);
    expect(calls).toEqual(['b', 'second']);
  });

  it('can be set again from its own callback', async () => {
    timers.set('a', 100, () => {
      calls.push('first');
      timers.set('a', 100, () => calls.push('second'));
    });
    await clock.advance(100);
    expect(timers.has('a')).toBe(true);
    await clock.advance(100);
    expect(calls).toEqual(['first', 'second']);
  });

  it('cancels one, or all', () => {
    for (const name of ['a', 'b'] as const) timers.set(name, 100, () => calls.push(name));
    timers.cancel('a');
    timers.cancel('a');
    expect([timers.has('a'), timers.has('b'), clock.pendingTimers]).toEqual([false, true, 1]);
    timers.set('a', 100, () => undefined);
    timers.cancelAll();
    expect([timers.has('a'), timers.has('b'), clock.pendingTimers]).toEqual([false, false, 0]);
  });
});
