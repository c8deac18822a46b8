import { type IngressGap } from '@bitbrat/connectors-core';
import { MemoryCursors, RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock, settle } from '@bitbrat/foundation/testing';
import { Presence } from './presence.js';

const START = '2026-01-01T00:00:00.000Z';
const at = (seconds: number): string => new Date(Date.parse(START) + seconds * 1_000).toISOString();

interface World {
  readonly clock: ManualClock;
  readonly presence: Presence;
  readonly logger: RecordingLogger;
}

function setUp(cursors = new MemoryCursors(), startMs?: number): World {
  const clock = new ManualClock(startMs);
  const logger = new RecordingLogger();
  return { clock, logger, presence: new Presence(cursors, clock, logger) };
}

/** The process that follows when `before` was killed. */
async function next(cursors: MemoryCursors, before: World, afterMs: number): Promise<World> {
  const world = setUp(cursors, before.clock.now() + afterMs);
  await world.presence.load();
  return world;
}

/** Tells what is untold. */
function tell(presence: Presence, isTold = true): IngressGap[] {
  const gaps = presence.takeUntold();
  for (const gap of gaps) presence.settle(gap, isTold);
  return gaps;
}

describe('Presence', () => {
  it('has missed nothing at the very first start', async () => {
    const { clock, presence } = setUp();
    await presence.load();
    expect(presence.begin(clock.now)).toBeUndefined();
    expect(presence.takeUntold()).toEqual([]);
  });

  it('tells a gap once, from its first to its last moment', async () => {
    const { clock, presence } = setUp();
    await presence.load();
    presence.begin(clock.now);
    await presence.end(clock.now(), 'lost');
    await clock.advance(2_000);
    await presence.end(clock.now(), 'stopped');
    await clock.advance(3_000);
    const gap = { from: START, to: at(5), reason: 'lost' };
    expect(presence.begin(clock.now)).toEqual(gap);
    expect(tell(presence)).toEqual([gap]);
    await presence.load();
    expect(presence.begin(clock.now)).toBeUndefined();
    expect(presence.takeUntold()).toEqual([]);
  });

  it('knows after a kill until when the process before could hear, to the minute', async () => {
    const cursors = new MemoryCursors();
    const before = setUp(cursors);
    await before.presence.load();
    before.presence.begin(before.clock.now);
    await before.clock.advance(150_000);
    const { clock, presence } = await next(cursors, before, 10_000);
    expect(presence.begin(clock.now)).toEqual({
      from: at(120),
      to: new Date(clock.now()).toISOString(),
      reason: 'the service was not running',
    });
  });

  it('leaves a gap that the bus has not acknowledged to the next process, and the one after it', async () => {
    const cursors = new MemoryCursors();
    const first = setUp(cursors);
    await first.presence.load();
    first.presence.begin(first.clock.now);
    await first.presence.end(first.clock.now(), 'lost');
    await first.clock.advance(1_000);
    first.presence.begin(first.clock.now);
    first.presence.takeUntold();
    first.presence.add({ from: at(1), to: at(1), reason: 'full', lost: 3 });
    await first.clock.advance(60_000);

    const second = await next(cursors, first, 2_000);
    second.presence.begin(second.clock.now);
    const expected = [
      { from: START, to: at(1), reason: 'lost' },
      { from: at(1), to: at(1), reason: 'full', lost: 3 },
      { from: at(61), to: at(63), reason: 'the service was not running' },
    ];
    expect(second.presence.takeUntold()).toEqual(expected);
    await settle();

    const third = await next(cursors, second, 0);
    third.presence.begin(third.clock.now);
    expect(tell(third.presence)).toEqual([
      ...expected,
      { from: at(63), to: at(63), reason: 'the service was not running' },
    ]);
    await settle();
    const fourth = await next(cursors, third, 0);
    expect(fourth.presence.takeUntold()).toEqual([]);
  });

  it('does not say how long a gap was when the clock was set back meanwhile', async () => {
    const { clock, presence } = setUp();
    await presence.end(clock.now(), 'lost');
    clock.set(-600_000);
    await clock.advance(5_000);
    expect(presence.begin(clock.now)).toEqual({
      from: '1970-01-01T00:00:00.000Z',
      to: at(-595),
      reason: "lost; the machine's clock was set back, so the length of the gap is not known",
    });
  });

  it('gives a gap again that the bus has refused', async () => {
    const { clock, presence } = setUp();
    await presence.end(clock.now(), 'lost');
    presence.begin(clock.now);
    expect(tell(presence, false)).toHaveLength(1);
    expect(tell(presence)).toHaveLength(1);
    expect(presence.takeUntold()).toEqual([]);
  });

  it('notes of very many gaps the oldest as one', async () => {
    const cursors = new MemoryCursors();
    const before = setUp(cursors);
    before.presence.begin(before.clock.now);
    before.presence.add({ from: at(10), to: at(11), reason: 'full' });
    for (let i = 1; i < 150; i += 1) before.presence.add({ from: at(i), to: at(i + 1), reason: 'full' });
    await settle();
    const { presence } = await next(cursors, before, 0);
    const gaps = presence.takeUntold();
    expect(gaps).toHaveLength(100);
    expect(gaps.slice(0, 2)).toEqual([
      { from: at(1), to: at(51), reason: 'several gaps in a row' },
      { from: at(51), to: at(52), reason: 'full' },
    ]);
  });

  it('tells what is being missed while it hears when it hears no more, and leaves it to the next process when it is killed', async () => {
    const cursors = new MemoryCursors();
    const before = setUp(cursors);
    await before.presence.load();
    const missing = (until: number): IngressGap[] => [
      { from: START, to: new Date(until).toISOString(), reason: 'not in #a' },
    ];
    before.presence.begin(before.clock.now, missing);
    await before.clock.advance(90_000);
    expect(tell(before.presence)).toEqual([]);
    const killed = await next(cursors, before, 0);
    expect(tell(killed.presence)).toEqual([{ from: START, to: at(60), reason: 'not in #a' }]);

    await before.presence.end(before.clock.now(), 'lost');
    await before.clock.advance(1_000);
    before.presence.begin(before.clock.now);
    const told = [
      { from: START, to: at(90), reason: 'not in #a' },
      { from: at(90), to: at(91), reason: 'lost' },
    ];
    expect(tell(before.presence)).toEqual(told);
    await before.presence.end(before.clock.now(), 'stopped');
    await settle();
    const { presence } = await next(cursors, before, 0);
    expect(presence.takeUntold()).toEqual([]);
  });

  it('leaves no timer when it has ended', async () => {
    const { clock, presence } = setUp();
    presence.begin(clock.now);
    await presence.end(clock.now(), 'stopped');
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes on without the store', async () => {
    const cursors = new MemoryCursors();
    const { clock, logger, presence } = setUp(cursors);
    cursors.failNext(3);
    await presence.load();
    expect(presence.begin(clock.now)).toMatchObject({
      from: '1970-01-01T00:00:00.000Z',
      reason: expect.stringContaining('the state store does not answer') as string,
    });
    await presence.end(clock.now(), 'lost');
    expect(presence.begin(clock.now)).toMatchObject({ reason: 'lost' });
    expect(logger.entries.map(({ event }) => event)).toContain('twitch.presence-not-noted');
  });

  it('notes within seconds what the store did not take', async () => {
    const cursors = new MemoryCursors();
    const before = setUp(cursors);
    await before.presence.load();
    cursors.failNext(1);
    before.presence.begin(before.clock.now);
    await before.clock.advance(6_000);
    const { clock, presence } = await next(cursors, before, 0);
    expect(presence.begin(clock.now)).toMatchObject({ from: at(5) });
  });

  it.each(['', 'yesterday', '{}', '{"heardUntil":"soon","untold":[]}'])(
    'takes %j in the store for nothing',
    async (value) => {
      const cursors = new MemoryCursors();
      cursors.entries.set('presence', value);
      const { clock, presence } = setUp(cursors);
      await presence.load();
      expect(presence.begin(clock.now)).toBeUndefined();
    },
  );
});
