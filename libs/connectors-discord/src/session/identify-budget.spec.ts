import { ManualClock } from '@bitbrat/foundation/testing';
import fc from 'fast-check';
import { IdentifyBudget } from './identify-budget.js';

const DAY_MS = 86_400_000;

describe('IdentifyBudget', () => {
  it('lets a number of sessions begin at once, and then asks to wait', async () => {
    const clock = new ManualClock();
    const budget = new IdentifyBudget(clock);
    for (let i = 0; i < 20; i += 1) {
      expect(budget.waitMs).toBe(0);
      budget.take();
    }
    expect(budget.waitMs).toBe(2_400_000);
    await clock.advance(2_400_000);
    expect(budget.waitMs).toBe(0);
  });

  it('never lets more sessions begin in a day than Discord allows, however they are spread', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(200_000), { minLength: 1, maxLength: 20 }), async (pauses) => {
        const clock = new ManualClock();
        const budget = new IdentifyBudget(clock);
        let starts = 0;
        for (let i = 0; clock.monotonic() < DAY_MS; i += 1) {
          await clock.advance(Math.max(budget.waitMs, 5_000, pauses[i % pauses.length] ?? 0));
          budget.take();
          starts += 1;
        }
        return starts <= 760;
      }),
      { numRuns: 10 },
    );
  });
});
