import { ManualClock } from '@bitbrat/foundation/testing';
import fc from 'fast-check';
import { PlatformClock } from './platform-clock.js';

const OURS = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;

function create(dates: (string | null)[]): { clock: ManualClock; time: PlatformClock; asked: () => number } {
  const clock = new ManualClock(OURS);
  let asked = 0;
  const time: PlatformClock = new PlatformClock(clock, () => {
    asked += 1;
    const date = dates.shift();
    if (date === undefined) return Promise.reject(new Error('no answer'));
    time.hear(date, clock.monotonic());
    return Promise.resolve();
  });
  return { clock, time, asked: () => asked };
}

describe('PlatformClock', () => {
  it('knows the time to a second, however wrong ours is, and whenever ours is set', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -1_000 * HOUR, max: 1_000 * HOUR }), async (aheadMs) => {
        const { clock, time } = create([new Date(OURS - aheadMs).toUTCString()]);
        await time.learn();
        clock.set(-HOUR);
        await clock.advance(HOUR);
        expect(Math.abs(time.now() - (OURS - aheadMs + HOUR))).toBeLessThanOrEqual(1_000);
      }),
    );
  });

  it('takes nothing but a date for one', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom(null, undefined, '0', '2026-01-01', 'now')),
        (text) => {
          const { clock, time } = create([]);
          time.hear(text, clock.monotonic());
          expect([time.now(), time.aheadMs]).toEqual([OURS, undefined]);
        },
      ),
    );
  });

  it('says that it is not known yet, and goes by our clock where it cannot be learned', async () => {
    const { asked, time } = create([null]);
    await expect(time.learn()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await expect(time.learn()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await time.learn();
    await time.learn();
    expect([time.now(), asked()]).toEqual([OURS, 3]);
  });

  it('passes over an answer that was long on its way', async () => {
    const { clock, time } = create([]);
    const askedAt = clock.monotonic();
    await clock.advance(60_000);
    time.hear(new Date(OURS).toUTCString(), askedAt);
    expect(time.aheadMs).toBeUndefined();
  });
});
