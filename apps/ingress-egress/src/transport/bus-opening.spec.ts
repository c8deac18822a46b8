import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { BusOpening } from './bus-opening.js';

describe('BusOpening', () => {
  let clock: ManualClock;
  let logger: RecordingLogger;
  let opening: BusOpening;
  beforeEach(() => {
    clock = new ManualClock();
    logger = new RecordingLogger();
    opening = new BusOpening(clock, logger);
  });

  it('tries for as long as the bus refuses, says why, and goes on by itself', async () => {
    let refusal: string | undefined = 'no right';
    let attempts = 0;
    const open = (): Promise<void> => {
      attempts++;
      return refusal === undefined ? Promise.resolve() : Promise.reject(new Error(refusal));
    };
    const opened = opening.open({ name: 'egress events', open });
    expect(opening.fault).toBe('egress events: not open yet');
    await clock.advance(60_000);
    expect(opening.fault).toBe('egress events: no right');
    expect([attempts > 10, attempts < 20]).toEqual([true, true]);
    expect(logger.entries.filter(({ event }) => event === 'service.bus-refuses')).toHaveLength(1);
    refusal = undefined;
    await clock.advance(5_000);
    expect([await opened, opening.fault]).toEqual([true, undefined]);
  });

  it.each<[string, () => Promise<void>]>([
    ['hangs', () => new Promise<void>(() => undefined)],
    ['refuses', () => Promise.reject(new Error('no'))],
  ])('releases whoever waits when the service stops while the bus %s', async (_how, open) => {
    const opened = opening.open({ name: 'x', open });
    await clock.advance(100);
    opening.stop();
    await clock.advance(0);
    expect([await opened, clock.pendingTimers]).toEqual([false, 0]);
  });
});
