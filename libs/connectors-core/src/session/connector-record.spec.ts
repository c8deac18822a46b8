import { ManualClock } from '@bitbrat/foundation/testing';
import { ConnectorError } from '../connector-error.js';
import { ConnectorRecord } from './connector-record.js';
import { type ConnectorState } from '../connector-state.js';

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

describe('ConnectorRecord.problem', () => {
  const told: ConnectorState[] = [];
  const record = new ConnectorRecord('fake', {
    clock: new ManualClock(0),
    stateChanged: (state) => {
      told.push(state);
      return Promise.resolve(true);
    },
  });
  const forbidden = new ConnectorError('FORBIDDEN', 'no', { hint: 'invite it' });
  const problem = (subject: string): object => ({
    subject,
    since,
    error: { code: 'FORBIDDEN', message: 'no', retryable: false },
    hint: 'invite it',
  });

  it('is reported with the connected state, once per subject and code, until it is solved', () => {
    record.problem('guild 1', forbidden);
    expect(told).toEqual([]);
    record.connected();
    record.problem('guild 1', forbidden);
    record.problem('guild 2', forbidden);
    record.solved('guild 3');
    record.solved('guild 1');
    record.solved('guild 2');
    expect(told).toEqual([
      { status: 'connected', since, problems: [problem('guild 1')], problemCount: 1 },
      { status: 'connected', since, problems: [problem('guild 1'), problem('guild 2')], problemCount: 2 },
      { status: 'connected', since, problems: [problem('guild 2')], problemCount: 1 },
      { status: 'connected', since },
    ]);
  });

  it('lists 20 and counts all', () => {
    for (let guild = 0; guild < 25; guild += 1) record.problem(`guild ${guild}`, forbidden);
    const state = told.at(-1);
    expect(state?.status === 'connected' && [state.problems?.length, state.problemCount]).toEqual([20, 25]);
  });
});
