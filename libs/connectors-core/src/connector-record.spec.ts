import { ConnectorError } from './connector-error.js';
import { ConnectorRecord } from './connector-record.js';
import { type ConnectorState } from './connector-state.js';
import { ManualClock } from './testing/manual-clock.js';

const error = new ConnectorError('UPSTREAM_UNAVAILABLE', 'not well');
const info = { code: 'UPSTREAM_UNAVAILABLE', message: 'not well', retryable: true };
const since = '1970-01-01T00:00:00.000Z';

describe('ConnectorRecord', () => {
  let clock: ManualClock;
  let told: ConnectorState[];
  let record: ConnectorRecord;

  beforeEach(() => {
    clock = new ManualClock(0);
    told = [];
    record = new ConnectorRecord('fake', {
      clock,
      stateChanged: (state) => {
        told.push(state);
        return Promise.resolve(state.status !== 'connected');
      },
    });
  });

  it('begins stopped, and tells each state as it comes', () => {
    expect(record.state).toEqual({ status: 'stopped', since });
    record.stopped();
    record.starting();
    record.connected();
    record.connected({ from: since, to: since, reason: 'away' });
    record.reconnecting();
    record.reconnecting(error);
    record.failed(error);
    record.stopped();
    expect(told).toEqual([
      { status: 'starting', since, attempt: 1 },
      { status: 'connected', since },
      { status: 'connected', since, gap: { from: since, to: since, reason: 'away' } },
      { status: 'reconnecting', since, attempt: 1 },
      { status: 'reconnecting', since, attempt: 1, error: info, hint: error.hint },
      { status: 'failed', since, error: info, hint: error.hint },
      { status: 'stopped', since },
    ]);
    expect(record.state).toEqual(told.at(-1));
  });

  it('says whether a state is told', async () => {
    expect(await record.change({ status: 'connected', since })).toBe(false);
    expect(await record.change({ status: 'stopped', since })).toBe(true);
  });

  it('counts what it is told, and remembers the last message and the last error', async () => {
    await clock.advance(1_000);
    record.received();
    record.ignored();
    record.lost();
    record.reconnecting(error);
    await record.sending(() => Promise.resolve({ platformMessageIds: ['1'], duplicate: false }));
    await record.sending(() => Promise.resolve({ platformMessageIds: ['1'], duplicate: true }));
    await clock.advance(1_000);
    await expect(record.sending(() => Promise.reject(new Error('broken')))).rejects.toBeInstanceOf(
      ConnectorError,
    );
    expect(record.snapshot({ more: 1 })).toEqual({
      name: 'fake',
      state: record.state,
      counters: { received: 1, ignored: 1, sent: 1, sendFailures: 1, reconnects: 2 },
      lastMessageAt: '1970-01-01T00:00:01.000Z',
      lastError: { code: 'INTERNAL', message: 'broken', at: '1970-01-01T00:00:02.000Z' },
      details: { more: 1 },
    });
  });
});
