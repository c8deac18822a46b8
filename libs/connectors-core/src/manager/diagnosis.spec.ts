import { ManualClock } from '@bitbrat/foundation/testing';
import { ConnectorError } from '../connector-error.js';
import { type Finding, ok, runCheck, toFault, warning } from './diagnosis.js';

const containing = (text: string): unknown => expect.stringContaining(text);

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
    const clock = new ManualClock();
    await expect(runCheck({ check: 'a check', clock, signal }, work)).resolves.toEqual({
      check: 'a check',
      ...expected,
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it('aborts the work at the end of its time and says that nothing answered', async () => {
    const clock = new ManualClock();
    const row = runCheck({ check: 'a check', clock, signal, limitMs: 2_000 }, (limit) => {
      return new Promise((_, reject) => {
        limit.addEventListener('abort', () => {
          reject(new Error('given up'));
        });
      });
    });
    await clock.advance(2_000);
    await expect(row).resolves.toMatchObject({ status: 'fault', found: 'TIMEOUT: no answer in 2 seconds' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not wait for work that cannot be aborted', async () => {
    const clock = new ManualClock();
    const row = runCheck({ check: 'a check', clock, signal }, () => new Promise(() => undefined));
    await clock.advance(10_000);
    await expect(row).resolves.toMatchObject({ status: 'fault', found: containing('TIMEOUT') });
  });
});

describe('toFault', () => {
  it('masks phone numbers', () => {
    const { found } = toFault(new ConnectorError('FORBIDDEN', 'send to +15551234567: no'));
    expect(found).toBe('FORBIDDEN: send to +1555***4567: no');
  });
});
