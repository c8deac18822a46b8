import { ClockWatch } from './clock-watch.js';
import { ManualClock } from './testing/manual-clock.js';

describe('ClockWatch', () => {
  it('tells a set-back once, and neither the passing of time nor a clock that is set forward', async () => {
    const clock = new ManualClock(1_000_000);
    const steps: number[] = [];
    const watch = new ClockWatch(clock, (byMs) => steps.push(byMs));
    await clock.advance(60_000);
    clock.set(600_000);
    await clock.advance(2000);
    expect(steps).toEqual([]);
    clock.set(-600_000);
    await clock.advance(1000);
    expect(steps).toEqual([599_000]);
    await clock.advance(60_000);
    expect(steps).toHaveLength(1);
    watch.stop();
    expect(clock.pending).toBe(0);
  });
});
