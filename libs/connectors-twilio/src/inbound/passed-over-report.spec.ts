import { type IngressGap } from '@bitbrat/connectors-core';
import { ManualClock } from '@bitbrat/foundation/testing';
import fc from 'fast-check';
import { PassedOverReport } from './passed-over-report.js';

function create(): {
  report: PassedOverReport;
  clock: ManualClock;
  gaps: IngressGap[];
  connected: (isConnected: boolean) => void;
} {
  const clock = new ManualClock();
  const gaps: IngressGap[] = [];
  let canReport = true;
  const report = new PassedOverReport({
    clock,
    report: (gap) => {
      if (canReport) gaps.push(gap);
      return canReport;
    },
  });
  return { report, clock, gaps, connected: (isConnected) => (canReport = isConnected) };
}

const day = (n: number): number => Date.UTC(2025, 0, n);

describe('PassedOverReport', () => {
  it('makes one gap of what is passed over within two seconds, from the oldest to the youngest message', async () => {
    const { clock, gaps, report } = create();
    report.add({ count: 2, from: day(3), to: day(4) });
    await clock.advance(1_999);
    report.add({ count: 5, from: day(1), to: day(2) });
    expect(gaps).toEqual([]);
    await clock.advance(1);
    expect(gaps).toMatchObject([
      { from: '2025-01-01T00:00:00.000Z', to: '2025-01-04T00:00:00.000Z', lost: 7 },
    ]);
    expect(gaps[0]?.reason).toContain('TWILIO_HISTORY_HOURS');
    await clock.advance(60_000);
    expect(gaps).toHaveLength(1);
  });

  it('keeps what cannot be reported yet, and reports it with what follows', async () => {
    const { clock, connected, gaps, report } = create();
    connected(false);
    report.add({ count: 2, from: day(3), to: day(4) });
    await clock.advance(10_000);
    connected(true);
    report.add({ count: 1, from: day(5), to: day(5) });
    report.flush();
    expect(gaps).toMatchObject([{ lost: 3 }]);
    report.flush();
    expect(gaps).toHaveLength(1);
  });

  it('counts each message once, however they come and whenever it may report', async () => {
    const step = fc.record({
      count: fc.integer({ min: 1, max: 100 }),
      waitMs: fc.integer({ min: 0, max: 3_000 }),
      isConnected: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const { clock, connected, gaps, report } = create();
        for (const { count, isConnected, waitMs } of steps) {
          connected(isConnected);
          report.add({ count, from: day(1), to: day(1) });
          await clock.advance(waitMs);
        }
        connected(true);
        await clock.advance(2_000);
        report.flush();
        const all = steps.reduce((sum, { count }) => sum + count, 0);
        expect(report.total).toBe(all);
        expect(gaps.reduce((sum, { lost = 0 }) => sum + lost, 0)).toBe(all);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 50, verbose: true },
    );
  });
});
