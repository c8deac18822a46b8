import { MemoryCursors, RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { CursorKeeper } from './cursor-keeper.js';

function setup(): {
  keeper: CursorKeeper;
  store: MemoryCursors;
  clock: ManualClock;
  logger: RecordingLogger;
} {
  const store = new MemoryCursors();
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  return { keeper: new CursorKeeper({ store, clock, logger, random: () => 0 }), store, clock, logger };
}

describe('CursorKeeper', () => {
  it('saves the newest value of each key, once for many', async () => {
    const { clock, keeper, store } = setup();
    const saved: string[] = [];
    const save = store.save;
    Object.assign(store, {
      save: (key: string, value: string) => {
        saved.push(`${key}=${value}`);
        return save(key, value);
      },
    });
    for (let i = 0; i < 100; i += 1) keeper.set('a', String(i));
    keeper.set('b', 'x');
    await clock.advance(250);
    expect(saved).toEqual(['a=99', 'b=x']);
    expect(keeper.pending).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('tries again what the store refused, unless there is a newer value', async () => {
    const { clock, keeper, logger, store } = setup();
    store.failNext(2);
    keeper.set('a', '1');
    keeper.set('b', '1');
    await clock.advance(250);
    expect(keeper.pending).toBe(2);
    keeper.set('a', '2');
    await clock.advance(250);
    expect([...store.entries]).toEqual([
      ['a', '2'],
      ['b', '1'],
    ]);
    expect(logger.entries.map(({ event }) => event)).toEqual(['discord.cursor-save-failed']);
  });

  it('saves what is left at the stop, and nothing after it', async () => {
    const { clock, keeper, store } = setup();
    keeper.set('a', '1');
    await keeper.stop(1_000);
    expect(store.entries.get('a')).toBe('1');
    keeper.set('a', '2');
    await clock.advance(10_000);
    expect(store.entries.get('a')).toBe('1');
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not wait longer for the store than it may', async () => {
    const { clock, keeper, store } = setup();
    Object.assign(store, { save: () => new Promise(() => undefined) });
    keeper.set('a', '1');
    const stopped = keeper.stop(1_000);
    await clock.advance(1_000);
    await stopped;
    expect(clock.pendingTimers).toBe(0);
  });
});
