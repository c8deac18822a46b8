import { ManualClock, settle } from '@bitbrat/foundation/testing';
import { ConnectorError } from '../connector-error.js';
import { ConnectorLife } from './connector-life.js';
import { ConnectorRecord } from './connector-record.js';

interface World {
  readonly life: ConnectorLife;
  /** States that were reported, and what was done. */
  readonly log: string[];
  readonly signals: AbortSignal[];
  /** Ends the `open` that is in progress. */
  readonly opened: (error?: ConnectorError) => Promise<void>;
  readonly closed: () => Promise<void>;
}

/** @param isSlow whether `open` and `close` wait for the test */
function aWorld(isSlow: { open?: boolean; close?: boolean } = {}): World {
  const log: string[] = [];
  const signals: AbortSignal[] = [];
  let endOpen: ((error?: ConnectorError) => void) | undefined;
  let endClose: (() => void) | undefined;
  const record = new ConnectorRecord('one', {
    clock: new ManualClock(),
    stateChanged: ({ status }) => {
      log.push(status);
      return Promise.resolve(true);
    },
  });
  const life = new ConnectorLife(record, {
    open: async (signal) => {
      log.push('open');
      signals.push(signal);
      if (isSlow.open === true) {
        await new Promise<void>((resolve, reject) => {
          endOpen = (error) => {
            if (error === undefined) resolve();
            else reject(error);
          };
          signal.addEventListener('abort', () => {
            reject(new ConnectorError('NOT_CONNECTED', 'aborted'));
          });
        });
      }
      record.connected();
    },
    close: async () => {
      log.push('close');
      if (isSlow.close === true) await new Promise<void>((resolve) => (endClose = resolve));
    },
  });
  return {
    life,
    log,
    signals,
    opened: (error) => {
      endOpen?.(error);
      return settle();
    },
    closed: () => {
      endClose?.();
      return settle();
    },
  };
}

const never = new AbortController().signal;
const LOST = new ConnectorError('UPSTREAM_UNAVAILABLE', 'lost');

describe('ConnectorLife', () => {
  it('starts and stops, again and again', async () => {
    const { life, log } = aWorld();
    for (let round = 0; round < 2; round += 1) {
      await life.start(never);
      expect(life.isOpen).toBe(true);
      await life.stop();
      expect(life.isOpen).toBe(false);
    }
    const round = ['starting', 'open', 'connected', 'close', 'stopped'];
    expect(log).toEqual([...round, ...round]);
  });

  it('opens once for many starts, and not while it is open', async () => {
    const { life, log, opened } = aWorld({ open: true });
    const starts = [life.start(never), life.start(never)];
    await settle();
    starts.push(life.start(never));
    await opened();
    await Promise.all(starts);
    await life.start(never);
    expect(log).toEqual(['starting', 'open', 'connected']);
  });

  it('reports a start that fails, and may start again', async () => {
    const { life, log, opened } = aWorld({ open: true });
    const failing = life.start(never);
    await settle();
    await Promise.all([opened(LOST), expect(failing).rejects.toBe(LOST)]);
    const next = life.start(never);
    await settle();
    await opened();
    await next;
    expect(log).toEqual(['starting', 'open', 'close', 'failed', 'starting', 'open', 'connected']);
  });

  it.each<[string, (world: World, caller: AbortController) => void]>([
    [
      'its caller gives up',
      (_, caller) => {
        caller.abort();
      },
    ],
    ['it is stopped', ({ life }) => void life.stop()],
  ])('is stopped where %s during the start', async (_, giveUp) => {
    const world = aWorld({ open: true });
    const caller = new AbortController();
    const start = world.life.start(caller.signal);
    await settle();
    giveUp(world, caller);
    await expect(start).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await settle();
    expect(new Set(world.log)).toEqual(new Set(['starting', 'open', 'close', 'stopped']));
    expect(world.log.filter((entry) => entry === 'stopped')).toHaveLength(1);
    expect(world.log.at(-1)).toBe('stopped');
  });

  it('is stopped where it is stopped right after the start', async () => {
    const { life, log } = aWorld({ open: true });
    const start = life.start(never);
    const stop = life.stop();
    await expect(start).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    await stop;
    expect(log).toEqual(['starting', 'open', 'close', 'stopped']);
  });

  it('starts after a stop that is in progress, unless it is stopped again', async () => {
    const { closed, life, log } = aWorld({ close: true });
    await life.start(never);
    const stop = life.stop();
    const start = life.start(never);
    await settle();
    expect(log).toEqual(['starting', 'open', 'connected', 'close']);
    await closed();
    await Promise.all([stop, start]);
    expect(log.slice(4)).toEqual(['stopped', 'starting', 'open', 'connected']);
    const again = [life.stop(), life.start(never).catch(() => undefined), life.stop()];
    await settle();
    await closed();
    await Promise.all(again);
    expect(log.at(-1)).toBe('stopped');
  });

  it('opens nothing for a caller that gave up before', async () => {
    const { life, log } = aWorld();
    await expect(life.start(AbortSignal.abort())).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    expect(log).toEqual(['starting', 'stopped']);
  });

  it('closes what has failed, once, and starts again after that only', async () => {
    const { closed, life, log, signals } = aWorld({ close: true });
    await life.start(never);
    const failing = Promise.all([life.fail(LOST), life.fail(LOST)]);
    const start = life.start(never);
    await settle();
    expect(log).toEqual(['starting', 'open', 'connected', 'close', 'failed']);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await closed();
    await Promise.all([failing, start]);
    expect(log.slice(5)).toEqual(['starting', 'open', 'connected']);
  });

  it('has failed, not stopped, where that happens before its start has returned', async () => {
    const clock = new ManualClock();
    const record = new ConnectorRecord('one', { clock, stateChanged: () => Promise.resolve(true) });
    const life: ConnectorLife = new ConnectorLife(record, {
      open: async () => {
        record.connected();
        await life.fail(LOST);
      },
      close: () => Promise.resolve(),
    });
    await expect(life.start(never)).rejects.toBe(LOST);
    expect(record.state.status).toBe('failed');
  });

  it('has nothing to fail before it is open and after its stop', async () => {
    const { life, log } = aWorld();
    await life.fail(LOST);
    await life.start(never);
    await life.stop();
    await life.fail(LOST);
    expect(log).not.toContain('failed');
  });

  it('may be stopped in any state, and says so once', async () => {
    const { life, log } = aWorld();
    await life.stop();
    await life.start(never);
    await Promise.all([life.stop(), life.stop()]);
    await life.stop();
    expect(log.filter((entry) => entry === 'stopped')).toEqual(['stopped']);
  });
});
