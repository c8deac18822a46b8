import { ManualClock } from '@bitbrat/foundation/testing';
import { ClockWatch } from './clock-watch.js';

describe('ClockWatch', () => {
  it('tells each step once, and not that time passes', async () => {
    const clock = new ManualClock(1_000_000);
    const steps: number[] = [];
    const watch = new ClockWatch(clock, (byMs) => steps.push(byMs));
    await clock.advance(60_000);
    clock.set(900);
    await clock.advance(60_000);
    expect(steps).toEqual([]);
    clock.set(-600_000);
    await clock.advance(60_000);
    clock.set(90_000);
    await clock.advance(60_000);
    expect(steps).toEqual([-600_000, 90_000]);
    watch.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
