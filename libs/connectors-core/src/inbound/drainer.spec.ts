import { ManualClock } from '@bitbrat/foundation/testing';
import { ConnectorError, toConnectorError } from '../connector-error.js';
import { Drainer, type DrainerOptions } from './drainer.js';

/** Drains that end when the test says so. */
class Script {
  readonly running: { sid: string; finish: () => void; fail: (error: Error) => void }[] = [];
  readonly started: string[] = [];

  readonly drain: DrainerOptions['drain'] = (sid) => {
    this.started.push(sid);
    return new Promise((resolve, reject) => {
      const end = (): void => void this.running.splice(this.running.indexOf(entry), 1);
      const entry = {
        sid,
        finish: () => {
          end();
          resolve();
        },
        fail: (error: Error) => {
          end();
          reject(error);
        },
      };
      this.running.push(entry);
    });
  };
}

function create(): {
  clock: ManualClock;
  drainer: Drainer;
  script: Script;
  /** Milliseconds of each back-off. */
  waits: number[];
} {
  const clock = new ManualClock();
  const script = new Script();
  const waits: number[] = [];
  const drainer = new Drainer({
    clock,
    random: () => 0.5,
    concurrency: 16,
    drain: script.drain,
    toError: toConnectorError,
    isGone: ({ code }) => code === 'TARGET_NOT_FOUND',
    onFailure: (_, { waitMs }) => waits.push(waitMs),
  });
  return { clock, drainer, script, waits };
}

describe('Drainer', () => {
  it('drains a channel once at a time, and once more where a wake-up came meanwhile', async () => {
    const { clock, drainer, script } = create();
    for (let i = 0; i < 5; i += 1) drainer.wake('CH1');
    await clock.advance(0);
    for (let i = 0; i < 5; i += 1) drainer.wake('CH1');
    await clock.advance(0);
    expect(script.started).toEqual(['CH1']);
    script.running[0]?.finish();
    await clock.advance(0);
    expect(script.started).toEqual(['CH1', 'CH1']);
    script.running[0]?.finish();
    await clock.advance(0);
    expect(script.started).toHaveLength(2);
    expect(drainer.pending).toBe(0);
  });

  it('drains so many channels at once, the others after them', async () => {
    const { clock, drainer, script } = create();
    const sids = Array.from({ length: 20 }, (_, i) => `CH${i}`);
    for (const sid of sids) drainer.wake(sid);
    await clock.advance(0);
    expect(script.started).toEqual(sids.slice(0, 16));
    expect(drainer.pending).toBe(20);
    script.running[3]?.finish();
    await clock.advance(0);
    expect(script.started).toEqual(sids.slice(0, 17));
    while (script.running.length > 0) {
      script.running[0]?.finish();
      await clock.advance(0);
    }
    expect(script.started).toEqual(sids);
  });

  it('tries again with a growing back-off that wake-ups do not cut short', async () => {
    const { clock, drainer, script, waits } = create();
    drainer.wake('CH1');
    for (const waitMs of [250, 500, 1_000]) {
      await clock.advance(0);
      script.running[0]?.fail(new Error('fetch failed'));
      await clock.advance(waitMs - 1);
      drainer.wake('CH1');
      await clock.advance(0);
      expect(script.running).toHaveLength(0);
      await clock.advance(1);
      expect(script.running).toHaveLength(1);
    }
    expect(waits).toEqual([250, 500, 1_000]);
    script.running[0]?.finish();
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('tries at once when the cause may be gone', async () => {
    const { clock, drainer, script } = create();
    drainer.wake('CH1');
    await clock.advance(0);
    script.running[0]?.fail(new Error('disconnected'));
    await clock.advance(0);
    drainer.retryNow();
    await clock.advance(0);
    expect(script.running).toHaveLength(1);
    script.running[0]?.finish();
  });

  it('waits at least as long as the platform asks', async () => {
    const { clock, drainer, script, waits } = create();
    drainer.wake('CH1');
    await clock.advance(0);
    script.running[0]?.fail(new ConnectorError('RATE_LIMITED', 'slow down', { retryAfterMs: 7_000 }));
    await clock.advance(6_999);
    expect([script.started.length, waits]).toEqual([1, [7_000]]);
    await clock.advance(1);
    expect(script.started).toHaveLength(2);
    script.running[0]?.finish();
  });

  it('forgets a channel that is gone, until it is woken again', async () => {
    const { clock, drainer, script, waits } = create();
    drainer.wake('CH1');
    await clock.advance(0);
    script.running[0]?.fail(new ConnectorError('TARGET_NOT_FOUND', 'gone'));
    await clock.advance(60_000);
    expect([script.started, waits, drainer.pending]).toEqual([['CH1'], [], 0]);
    drainer.wake('CH1');
    await clock.advance(0);
    expect(script.started).toHaveLength(2);
    script.running[0]?.finish();
  });

  it('drains again a channel that is gone where a wake-up came meanwhile: it may have come back', async () => {
    const { clock, drainer, script, waits } = create();
    drainer.wake('CH1');
    await clock.advance(0);
    drainer.wake('CH1');
    script.running[0]?.fail(new ConnectorError('TARGET_NOT_FOUND', 'gone'));
    await clock.advance(0);
    expect([script.started, waits, drainer.pending]).toEqual([['CH1', 'CH1'], [], 1]);
    script.running[0]?.fail(new ConnectorError('TARGET_NOT_FOUND', 'gone'));
    await clock.advance(60_000);
    expect([script.started.length, drainer.pending]).toEqual([2, 0]);
  });

  it('stops: what runs may end, what waits does not begin, no timer is left', async () => {
    const { clock, drainer, script } = create();
    for (const sid of ['CH1', 'CH2']) drainer.wake(sid);
    await clock.advance(0);
    script.running[1]?.fail(new Error('fetch failed'));
    await clock.advance(0);
    const stopping = drainer.stop(1_500);
    drainer.wake('CH3');
    script.running[0]?.finish();
    await stopping;
    await clock.advance(60_000);
    expect(script.started).toEqual(['CH1', 'CH2']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not wait for ever at its stop', async () => {
    const { clock, drainer, script } = create();
    drainer.wake('CH1');
    await clock.advance(0);
    const stopping = drainer.stop(1_500);
    await clock.advance(1_500);
    await stopping;
    expect(script.running).toHaveLength(1);
  });
});
