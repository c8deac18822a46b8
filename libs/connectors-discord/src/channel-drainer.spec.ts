import { ConnectorError } from '@bitbrat/connectors-core';
import { ManualClock, RecordingLogger, settle } from '@bitbrat/connectors-testing';
import { ChannelDrainer, type Drain } from './channel-drainer.js';

function setup(drain: Drain): { drainer: ChannelDrainer; clock: ManualClock; logger: RecordingLogger } {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  return { drainer: new ChannelDrainer({ clock, logger, random: () => 0.5, drain }), clock, logger };
}

describe('ChannelDrainer', () => {
  it('drains a channel one at a time, and again where it was woken meanwhile', async () => {
    const ends: (() => void)[] = [];
    const { drainer } = setup(() => new Promise((resolve) => ends.push(resolve)));
    drainer.wake('a');
    await settle();
    for (let i = 0; i < 5; i += 1) drainer.wake('a');
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await settle();
    expect(ends).toHaveLength(2);
    ends[1]?.();
    await settle();
    expect(drainer.pending).toBe(0);
  });

  it('drains eight channels at once', async () => {
    const ends: (() => void)[] = [];
    const { drainer } = setup(() => new Promise((resolve) => ends.push(resolve)));
    for (let i = 0; i < 20; i += 1) drainer.wake(`channel ${i}`);
    await settle();
    expect(ends).toHaveLength(8);
    for (let i = 0; i < 20; i += 1) {
      ends[i]?.();
      await settle();
    }
    expect(drainer.pending).toBe(0);
  });

  it('tries again with back-off, at least as late as the platform asks', async () => {
    const errors = [
      new Error('odd'),
      new ConnectorError('RATE_LIMITED', 'slow down', { retryAfterMs: 7_000 }),
    ];
    let calls = 0;
    const { clock, drainer, logger } = setup(() => {
      calls += 1;
      const error = errors.shift();
      return error === undefined ? Promise.resolve() : Promise.reject(error);
    });
    drainer.wake('a');
    await clock.advance(249);
    drainer.wake('a');
    await settle();
    expect(calls).toBe(1);
    await clock.advance(1);
    expect(calls).toBe(2);
    await clock.advance(6_999);
    expect(calls).toBe(2);
    await clock.advance(1);
    expect(calls).toBe(3);
    expect(drainer.pending).toBe(0);
    expect(logger.entries.map(({ fields }) => fields['waitMs'])).toEqual([250, 7_000]);
  });

  it('tries at once when told so', async () => {
    let calls = 0;
    const { drainer } = setup(() =>
      (calls += 1) === 1 ? Promise.reject(new Error('odd')) : Promise.resolve(),
    );
    drainer.wake('a');
    await settle();
    drainer.retryNow();
    await settle();
    expect(calls).toBe(2);
  });

  it('leaves no timer behind, and starts nothing after the stop', async () => {
    let calls = 0;
    const { clock, drainer } = setup(() => {
      calls += 1;
      return Promise.reject(new Error('odd'));
    });
    drainer.wake('a');
    await settle();
    await drainer.stop(1_000);
    drainer.wake('b');
    await clock.advance(60_000);
    expect(calls).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits for what runs at the stop, but not for ever', async () => {
    const { clock, drainer } = setup(() => new Promise(() => undefined));
    drainer.wake('a');
    const stopped = drainer.stop(1_000);
    await clock.advance(1_000);
    await stopped;
  });
});
