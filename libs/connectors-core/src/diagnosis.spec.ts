import { type Clock } from './clock.js';
import { ConnectorError } from './connector-error.js';
import { type Finding, ok, runCheck, toFault, warning } from './diagnosis.js';

const containing = (text: string): unknown => expect.stringContaining(text);

/** Time that passes when the test says so. */
class HandClock implements Clock {
  readonly #timers = new Map<() => void, number>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): () => void {
    this.#timers.set(callback, this.#now + ms);
    return () => this.#timers.delete(callback);
  }

  get pending(): number {
    return this.#timers.size;
  }

  pass(ms: number): void {
    this.#now += ms;
    for (const [callback, at] of this.#timers) {
      if (at > this.#now) continue;
      this.#timers.delete(callback);
      callback();
    }
  }
}

const { signal } = new AbortController();

describe('runCheck', () => {
  it.each<[string, () => Promise<Finding>, object]>([
    ['what the work has found', () => Promise.resolve(ok('fine')), { status: 'ok', found: 'fine' }],
    [
      'a warning with its cure',
      () => Promise.resolve(warning('few are left', 'wait')),
      { status: 'warning', found: 'few are left', cure: 'wait' },
    ],
    [
      'an error as a fault, cured as its hint says',
      () => Promise.reject(new ConnectorError('AUTH_FAILED', 'log in: refused', { hint: 'check X' })),
      { status: 'fault', found: 'AUTH_FAILED: log in: refused', cure: 'check X' },
    ],
  ])('yields %s', async (_, work, expected) => {
    const clock = new HandClock();
    await expect(runCheck({ check: 'a check', clock, signal }, work)).resolves.toEqual({
      check: 'a check',
      ...expected,
    });
    expect(clock.pending).toBe(0);
  });

  it('aborts the work at the end of its time and says that nothing answered', async () => {
    const clock = new HandClock();
    const row = runCheck({ check: 'a check', clock, signal, limitMs: 2_000 }, (limit) => {
      return new Promise((_, reject) => {
        limit.addEventListener('abort', () => {
          reject(new Error('given up'));
        });
      });
    });
    clock.pass(2_000);
    await expect(row).resolves.toMatchObject({ status: 'fault', found: 'TIMEOUT: no answer in 2 seconds' });
    expect(clock.pending).toBe(0);
  });

  it('does not wait for work that cannot be aborted', async () => {
    const clock = new HandClock();
    const row = runCheck({ check: 'a check', clock, signal }, () => new Promise(() => undefined));
    clock.pass(10_000);
    clock.pass(3_000);
    await expect(row).resolves.toMatchObject({ status: 'fault', found: containing('TIMEOUT') });
  });
});

describe('toFault', () => {
  it('masks phone numbers', () => {
    const { found } = toFault(new ConnectorError('FORBIDDEN', 'send to +15551234567: no'));
    expect(found).toBe('FORBIDDEN: send to +1555***4567: no');
  });
});
