import { ManualClock } from '@bitbrat/foundation/testing';
import fc from 'fast-check';
import { MAX_REMEMBERED, REPEAT_INTERVAL_MS, RepeatFilter } from './repeat-filter.js';

interface Line {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function aFilter(): { clock: ManualClock; summaries: Line[]; filter: RepeatFilter } {
  const clock = new ManualClock();
  const summaries: Line[] = [];
  const filter = new RepeatFilter(clock, (_level, event, fields) => summaries.push({ event, fields }));
  return { clock, summaries, filter };
}

describe('RepeatFilter', () => {
  it('admits the first of equal warnings at once, and reports the others once per interval', async () => {
    const { clock, filter, summaries } = aFilter();
    const admitted = Array.from({ length: 3_038 }, () =>
      filter.admits('warn', 'twilio.webhook-refused', { status: 403, reason: 'the signature is wrong' }),
    );
    expect(admitted.filter(Boolean)).toHaveLength(1);
    await clock.advance(REPEAT_INTERVAL_MS);
    expect(summaries).toEqual([
      {
        event: 'twilio.webhook-refused',
        fields: { status: 403, reason: 'the signature is wrong', repeated: 3_037, withinSeconds: 60 },
      },
    ]);
    expect(
      filter.admits('warn', 'twilio.webhook-refused', { status: 403, reason: 'the signature is wrong' }),
    ).toBe(false);
    await clock.advance(2 * REPEAT_INTERVAL_MS);
    expect(summaries).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
    expect(
      filter.admits('warn', 'twilio.webhook-refused', { status: 403, reason: 'the signature is wrong' }),
    ).toBe(true);
  });

  it.each([
    ['measurements', { waitMs: 100, attempt: 1 }, { waitMs: 900, attempt: 2 }],
    [
      'times in sentences',
      { reason: 'since 2026-01-01T00:00:00.000Z' },
      { reason: 'since 2026-01-01T00:00:01Z' },
    ],
    [
      'durations in sentences',
      { error: 'Deadline exceeded after 59.998s' },
      { error: 'Deadline exceeded after 60.1s' },
    ],
    [
      'UUIDs in sentences',
      { error: { message: 'request 5f0c8e0a-7e0b-4f8e-9d3a-0123456789ab failed' } },
      { error: { message: 'request 6f0c8e0a-7e0b-4f8e-9d3a-0123456789ab failed' } },
    ],
  ])('takes for equal what differs by %s', (_name, one, other) => {
    const { filter } = aFilter();
    expect([filter.admits('warn', 'x', one), filter.admits('warn', 'x', other)]).toEqual([true, false]);
  });

  it.each([
    ['event', ['warn', 'a', {}], ['warn', 'b', {}]],
    ['level', ['warn', 'a', {}], ['error', 'a', {}]],
    ['status', ['warn', 'a', { status: 403 }], ['warn', 'a', { status: 404 }]],
    ['channel', ['warn', 'a', { channelId: '1' }], ['warn', 'a', { channelId: '2' }]],
    ['message', ['error', 'a', { envelope: 'twilio:IM1' }], ['error', 'a', { envelope: 'twilio:IM2' }]],
    ['error', ['error', 'a', { error: { message: 'x' } }], ['error', 'a', { error: { message: 'y' } }]],
    [
      'port in a sentence',
      ['warn', 'a', { reason: 'port 80 is in use' }],
      ['warn', 'a', { reason: 'port 81 is in use' }],
    ],
  ] as const)('admits both of two that differ by %s', (_name, one, other) => {
    const { filter } = aFilter();
    const admitted = [one, other].map(([level, event, fields]) => filter.admits(level, event, { ...fields }));
    expect(admitted).toEqual([true, true]);
  });

  it('admits every info and debug', () => {
    const { filter } = aFilter();
    for (const level of ['info', 'debug'] as const) {
      expect([1, 2].map(() => filter.admits(level, 'x', {}))).toEqual([true, true]);
    }
  });

  it('accounts for each event, whatever order they come in, and remembers a bounded number', async () => {
    const events = fc.array(
      fc.record({ event: fc.integer({ min: 0, max: 2 * MAX_REMEMBERED }), waitMs: fc.nat(200) }),
      { maxLength: 2_000 },
    );
    await fc.assert(
      fc.asyncProperty(events, async (sequence) => {
        const { clock, filter, summaries } = aFilter();
        let admitted = 0;
        for (const { event, waitMs } of sequence) {
          await clock.advance(waitMs);
          if (filter.admits('warn', String(event), {})) admitted += 1;
        }
        filter.flush();
        const repeated = summaries.reduce((sum, { fields }) => sum + Number(fields['repeated']), 0);
        expect(admitted + repeated).toBe(sequence.length);
        expect(new Set(sequence.map(({ event }) => event)).size).toBeLessThanOrEqual(admitted);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 20, verbose: true },
    );
  });
});
