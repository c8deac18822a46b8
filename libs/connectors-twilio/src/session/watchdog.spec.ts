import { ManualClock } from '@bitbrat/foundation/testing';
import { Watchdog } from './watchdog.js';

function create(ask: () => Promise<unknown>): {
  clock: ManualClock;
  connection: { up: boolean };
  dead: unknown[];
  watchdog: Watchdog;
} {
  const clock = new ManualClock();
  const dead: unknown[] = [];
  const connection = { up: true };
  const isConnected = (): boolean => connection.up;
  const onDead = (error: unknown): void => void dead.push(error);
  const watchdog = new Watchdog({ clock, intervalMs: 60_000, ask, isConnected, onDead });
  watchdog.start();
  return { clock, connection, dead, watchdog };
}

describe('Watchdog', () => {
  it.each([
    ['an answer', () => Promise.resolve(7)],
    ['a refusal', () => Promise.reject(new Error('404'))],
  ])('takes %s for a sign of life', async (_, ask) => {
    const { clock, dead, watchdog } = create(ask);
    await clock.advance(180_000);
    expect(watchdog.lastAnswerAt).toBe(clock.now());
    expect(dead).toEqual([]);
    watchdog.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells that the connection is dead where there is no answer', async () => {
    const { clock, dead } = create(() => new Promise(() => undefined));
    await clock.advance(69_999);
    expect(dead).toEqual([]);
    await clock.advance(1);
    expect(dead).toMatchObject([{ code: 'TIMEOUT', retryable: true }]);
  });

  it('says nothing of a connection that is known to be lost', async () => {
    const { clock, connection, dead } = create(() => new Promise(() => undefined));
    await clock.advance(65_000);
    connection.up = false;
    await clock.advance(200_000);
    expect(dead).toEqual([]);
  });
});
