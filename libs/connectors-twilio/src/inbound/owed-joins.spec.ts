import { type CursorStore } from '@bitbrat/connectors-core';
import { MemoryCursors, RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import fc from 'fast-check';
import { type OwedJoin, OwedJoins } from './owed-joins.js';

const KEY = 'owed-joins';
const sidOf = (n: number): string => `CH${n.toString(16).padStart(32, '0')}`;
const some = (count: number): OwedJoin[] => Array.from({ length: count }, (_, n) => [sidOf(n), n]);

function create(cursors: CursorStore = new MemoryCursors()): {
  joins: OwedJoins;
  clock: ManualClock;
  logger: RecordingLogger;
  next: () => OwedJoins;
} {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const make = (): OwedJoins => new OwedJoins({ cursors, clock, logger });
  return { joins: make(), clock, logger, next: make };
}

describe('OwedJoins', () => {
  it('gives the next process what waits, the oldest 1,000 of it', async () => {
    const count = fc.integer({ min: 0, max: 1_200 });
    await fc.assert(
      fc.asyncProperty(count, async (n) => {
        const cursors = new MemoryCursors();
        const { joins, next } = create(cursors);
        expect(await joins.save(() => some(n))).toBe(n <= 1_000);
        const kept: unknown = JSON.parse(cursors.entries.get(KEY) ?? '[]');
        expect(kept).toHaveLength(Math.min(n, 1_000));
        expect(await next().load()).toEqual(some(Math.min(n, 1_000)));
      }),
      { numRuns: 20, verbose: true },
    );
  });

  it('reads whatever the store holds, and takes only what is well-formed', async () => {
    const good: OwedJoin = [sidOf(1), 5];
    const junk = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .array(fc.anything())
        .map((list) => JSON.stringify([...list, good, [sidOf(2)], ['CH1', 1], [null, 1]])),
    );
    await fc.assert(
      fc.asyncProperty(junk, async (text) => {
        const cursors = new MemoryCursors();
        cursors.entries.set(KEY, text);
        for (const [sid, since] of await create(cursors).joins.load()) {
          expect(sid).toMatch(/^CH[0-9a-fA-F]{32}$/);
          expect(typeof since).toBe('number');
        }
      }),
      { verbose: true },
    );
    const cursors = new MemoryCursors();
    cursors.entries.set(KEY, JSON.stringify([['CH1', 1], good, 7]));
    expect(await create(cursors).joins.load()).toEqual([good]);
  });

  it('asks the store once for calls that come while it works, and not at all where nothing has changed', async () => {
    const saved: string[] = [];
    let release: () => void = () => undefined;
    const cursors: CursorStore = {
      load: () => Promise.resolve(undefined),
      save: (_, text) => {
        saved.push(text);
        return new Promise((resolve) => (release = resolve));
      },
    };
    const { clock, joins } = create(cursors);
    let owed = some(1);
    const saves = [joins.save(() => owed)];
    owed = some(2);
    saves.push(
      joins.save(() => owed),
      joins.save(() => owed),
    );
    owed = some(3);
    release();
    await clock.advance(0);
    release();
    expect(await Promise.all(saves)).toEqual([true, true, true]);
    expect(await joins.save(() => owed)).toBe(true);
    expect(saved).toEqual([JSON.stringify(some(1)), JSON.stringify(some(3))]);
  });

  it('says that they are not durable where the store refuses, and saves them with the next call', async () => {
    const cursors = new MemoryCursors();
    const { joins, logger } = create(cursors);
    cursors.failNext();
    expect(await joins.save(() => some(1))).toBe(false);
    expect(logger.entries).toMatchObject([{ level: 'warn', event: 'twilio.owed-joins-store-failed' }]);
    expect(await joins.save(() => some(1))).toBe(true);
    expect(cursors.entries.get(KEY)).toBe(JSON.stringify(some(1)));
  });

  it.each(['load', 'save'] as const)(
    'waits no longer than a second for the store to %s',
    async (operation) => {
      const never = (): Promise<never> => new Promise(() => undefined);
      const { clock, joins } = create({ load: never, save: never });
      const result = operation === 'load' ? joins.load() : joins.save(() => some(1));
      await clock.advance(1_000);
      expect(await result).toEqual(operation === 'load' ? [] : false);
      expect(clock.pendingTimers).toBe(0);
    },
  );
});
