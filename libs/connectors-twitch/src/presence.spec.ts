import { ManualClock, MemoryCursors, RecordingLogger } from '@bitbrat/connectors-testing';
import { Presence } from './presence.js';

const START = '2026-01-01T00:00:00.000Z';

function setUp(
  cursors = new MemoryCursors(),
  startMs?: number,
): { clock: ManualClock; presence: Presence; logger: RecordingLogger } {
  const clock = new ManualClock(startMs);
  const logger = new RecordingLogger();
  return { clock, logger, presence: new Presence(cursors, clock, logger) };
}

describe('Presence', () => {
  it('has missed nothing at the very first start', async () => {
    const { clock, presence } = setUp();
    await presence.load();
    expect(presence.begin(clock.now)).toBeUndefined();
  });

  it('tells a gap once, from its first to its last moment', async () => {
    const { clock, presence } = setUp();
    await presence.load();
    presence.begin(clock.now);
    await presence.end(clock.now(), 'lost');
    await clock.advance(2_000);
    await presence.end(clock.now(), 'stopped');
    await clock.advance(3_000);
    expect(presence.begin(clock.now)).toEqual({
      from: START,
      to: '2026-01-01T00:00:05.000Z',
      reason: 'lost',
    });
    await presence.load();
    expect(presence.begin(clock.now)).toBeUndefined();
  });

  it('knows after a kill until when the process before could hear, to the minute', async () => {
    const cursors = new MemoryCursors();
    const before = setUp(cursors);
    await before.presence.load();
    before.presence.begin(before.clock.now);
    await before.clock.advance(150_000);
    const { clock, presence } = setUp(cursors, before.clock.now() + 10_000);
    await presence.load();
    expect(presence.begin(clock.now)).toEqual({
      from: '2026-01-01T00:02:00.000Z',
      to: new Date(clock.now()).toISOString(),
      reason: 'the service was not running',
    });
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

  it.each(['', 'yesterday', '{}'])('takes %j in the store for nothing', async (value) => {
    const cursors = new MemoryCursors();
    cursors.entries.set('heard-until', value);
    const { clock, presence } = setUp(cursors);
    await presence.load();
    expect(presence.begin(clock.now)).toBeUndefined();
  });
});
