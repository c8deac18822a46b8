import { ManualClock } from '@bitbrat/foundation/testing';
import { Watchdog } from './watchdog.js';

function setUp(ask: (watchdog: () => Watchdog) => void): {
  clock: ManualClock;
  dead: string[];
  watchdog: Watchdog;
} {
  const clock = new ManualClock();
  const dead: string[] = [];
  const watchdog: Watchdog = new Watchdog({
    clock,
    intervalMs: 30_000,
    ask: () => {
      ask(() => watchdog);
    },
    onDead: (error) => dead.push(error.code),
  });
  watchdog.start();
  return { clock, dead, watchdog };
}

describe('Watchdog', () => {
  it('is content while there are answers', async () => {
    let asked = 0;
    const { clock, dead, watchdog } = setUp((self) => {
      asked += 1;
      self().heard({ command: 'PONG', tags: {} });
    });
    await clock.advance(4 * 40_000);
    expect([asked, dead]).toEqual([4, []]);
    expect(watchdog.lastHeardAt).toBe(clock.now() - 10_000);
  });

  it('knows up to when nothing is missing, however late the lines come', async () => {
    const { clock, watchdog } = setUp(() => undefined);
    const start = clock.now();
    const lineAt = (sentAt: number): void => {
      watchdog.heard({ command: 'PRIVMSG', tags: { 'tmi-sent-ts': String(sentAt) } });
    };
    await clock.advance(20_000);
    lineAt(start + 5_000);
    expect([watchdog.heardUntil - start, watchdog.lastHeardAt - start]).toEqual([5_000, 20_000]);
    watchdog.heard({ command: 'USERSTATE', tags: {} });
    lineAt(start + 4_000);
    expect(watchdog.heardUntil - start).toBe(5_000);
    await clock.advance(15_000);
    watchdog.heard({ command: 'PONG', tags: {} });
    expect(watchdog.heardUntil - start).toBe(30_000);
    lineAt(start + 90_000);
    expect(watchdog.heardUntil - start).toBe(35_000);
  });

  it('does not know up to when, where the clock was ahead, until the next line that says so', async () => {
    const { clock, watchdog } = setUp(() => undefined);
    const start = clock.now();
    await clock.advance(25_000);
    clock.set(600_000);
    await clock.advance(5_000);
    watchdog.heard({ command: 'PONG', tags: {} });
    expect(watchdog.heardUntil - start).toBe(630_000);
    clock.set(-600_000);
    expect(watchdog.heardUntil).toBe(0);
    watchdog.heard({ command: 'PRIVMSG', tags: { 'tmi-sent-ts': String(start + 29_000) } });
    expect(watchdog.heardUntil - start).toBe(29_000);
  });

  it('does not take the answer to a question that it asked while the clock was ahead for one of now', async () => {
    const { clock, watchdog } = setUp(() => undefined);
    const start = clock.now();
    clock.set(600_000);
    await clock.advance(30_000);
    clock.set(-600_000);
    await clock.advance(9_000);
    watchdog.heard({ command: 'PONG', tags: {} });
    expect(watchdog.heardUntil).toBe(start);
  });

  it('finds out within 40 seconds, and tells once', async () => {
    const { clock, dead } = setUp(() => undefined);
    await clock.advance(39_999);
    expect(dead).toEqual([]);
    await clock.advance(100_000);
    expect([dead, clock.pendingTimers]).toEqual([['TIMEOUT'], 0]);
  });

  it('is over when stopped, while it asks too', async () => {
    const { clock, dead, watchdog } = setUp((self) => {
      self().stop();
    });
    await clock.advance(100_000);
    watchdog.start();
    expect([dead, clock.pendingTimers]).toEqual([[], 0]);
  });
});
