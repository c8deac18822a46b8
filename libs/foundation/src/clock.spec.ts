import { isoTime, sleep, systemClock, withTimeout } from './clock.js';
import { ManualClock } from './testing/manual-clock.js';

/** Whether a promise is settled once all that is due has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  promise.then(mark, mark);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe('systemClock', () => {
  it.each([2 ** 31, 1e15, Number.POSITIVE_INFINITY])('waits %d ms, however long that is', async (ms) => {
    jest.useFakeTimers();
    let called = false;
    const cancel = systemClock.setTimeout(() => (called = true), ms);
    await jest.advanceTimersByTimeAsync(86_400_000);
    expect(called).toBe(false);
    cancel();
    jest.useRealTimers();
  });
});

describe('sleep', () => {
  it('resolves when the time has passed, not before', async () => {
    const clock = new ManualClock(0);
    const slept = sleep(clock, 100);
    await clock.advance(99);
    expect(await isSettled(slept)).toBe(false);
    await clock.advance(1);
    await expect(slept).resolves.toBeUndefined();
  });

  it('resolves at once when aborted, and leaves no timer', async () => {
    const clock = new ManualClock(0);
    const abort = new AbortController();
    const slept = sleep(clock, 100, abort.signal);
    abort.abort();
    await expect(slept).resolves.toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not begin when aborted before', async () => {
    const clock = new ManualClock(0);
    await expect(sleep(clock, 100, AbortSignal.abort())).resolves.toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets go of the signal when done', async () => {
    const clock = new ManualClock(0);
    const abort = new AbortController();
    const removed = new Set<string>();
    const remove = abort.signal.removeEventListener.bind(abort.signal);
    abort.signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      removed.add(args[0]);
      remove(...args);
    };
    const slept = sleep(clock, 100, abort.signal);
    await clock.advance(100);
    await slept;
    expect([...removed]).toEqual(['abort']);
  });
});

describe('withTimeout', () => {
  const late = (): Error => new Error('too late');

  it('settles as the work does, and leaves no timer', async () => {
    const clock = new ManualClock(0);
    await expect(withTimeout(clock, Promise.resolve(7), 100, late)).resolves.toBe(7);
    await expect(withTimeout(clock, Promise.reject(new Error('broken')), 100, late)).rejects.toThrow(
      'broken',
    );
    expect(clock.pendingTimers).toBe(0);
  });

  it('makes an Error of what is thrown and is none', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- libraries do it, which is the case here
    const work = Promise.reject('words');
    await expect(withTimeout(new ManualClock(0), work, 100, late)).rejects.toThrow(new Error('words'));
  });

  it('rejects when the time has passed, and what the work does later harms nobody', async () => {
    const clock = new ManualClock(0);
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const limited = withTimeout(clock, work, 100, late);
    await clock.advance(99);
    expect(await isSettled(limited)).toBe(false);
    await clock.advance(1);
    await expect(limited).rejects.toThrow('too late');
    fail(new Error('broken after all'));
    expect(await isSettled(work)).toBe(true);
  });
});

describe('systemClock', () => {
  it('calls back once, never after it was cancelled', async () => {
    const calls: string[] = [];
    const cancel = systemClock.setTimeout(() => calls.push('cancelled'), 0);
    cancel();
    cancel();
    const keepAlive = new AbortController();
    await new Promise<void>((resolve) => {
      // The clock's own timers do not keep the process alive.
      const timer = setInterval(() => undefined, 1_000);
      keepAlive.signal.addEventListener('abort', () => {
        clearInterval(timer);
      });
      systemClock.setTimeout(() => {
        calls.push('called');
        resolve();
      }, 1);
    });
    keepAlive.abort();
    expect(calls).toEqual(['called']);
  });
});

describe('isoTime', () => {
  it.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [1_772_366_400_123, '2026-03-01T12:00:00.123Z'],
  ])('%i is %s', (ms, expected) => {
    expect(isoTime(ms)).toBe(expected);
  });
});
