import { toGrowth } from './growth.js';
import { type Sample } from './sample.js';

const sample = (messages: number, fields: Partial<Sample> = {}): Sample => ({
  messages,
  seconds: messages,
  rssMb: 200,
  heapMb: 60,
  buffersMb: 2,
  resources: { Timeout: 9, TCPSocketWrap: 6, PipeWrap: 1 },
  listeners: { Socket: 40 },
  topics: 5,
  subscriptions: 4,
  ...fields,
});

const hundred = (fields: (share: number) => Partial<Sample>): Sample[] =>
  Array.from({ length: 101 }, (_, i) => sample(i * 100, fields(i / 100)));

const bad = (samples: readonly Sample[]): string[] =>
  toGrowth(samples).flatMap(({ name, ok }) => (ok ? [] : [name]));

describe('toGrowth', () => {
  it.each<[string, (share: number) => Partial<Sample>, string[]]>([
    ['nothing', () => ({}), []],
    ['a heap that goes up and down', (share) => ({ heapMb: 60 + ((share * 100) % 7) }), []],
    [
      'what was needed for warming up',
      (share) => ({ heapMb: share < 0.1 ? 20 : 60, rssMb: share < 0.1 ? 80 : 200 }),
      [],
    ],
    ['what shrinks', (share) => ({ heapMb: 90 - 40 * share }), []],
    ['a heap that grows', (share) => ({ heapMb: 60 + 15 * share }), ['heap after GC, MiB']],
    ['timers', (share) => ({ resources: { Timeout: Math.round(10 * share) } }), ['timers']],
    ['sockets', (share) => ({ resources: { TCPSocketWrap: Math.round(10 * share) } }), ['sockets']],
    [
      'listeners',
      (share) => ({ listeners: { Socket: 40, Other: Math.round(1_500 * share) } }),
      ['listeners'],
    ],
    ['topics', (share) => ({ topics: share < 0.5 ? 5 : 6 }), ['topics']],
  ])('%s', (_name, fields, expected) => {
    expect(bad(hundred(fields))).toEqual(expected);
  });

  it('says how a figure went', () => {
    const heap = toGrowth(hundred((share) => ({ heapMb: 60 + 20 * share }))).find(({ name }) =>
      name.startsWith('heap'),
    );
    expect(heap).toMatchObject({ first: 62, last: 80, most: 80, limit: 10, ok: false });
    expect(heap?.growth).toBeCloseTo(18);
  });

  it('says nothing of a single sample', () => {
    expect(toGrowth([sample(0)])).toEqual([]);
  });
});
