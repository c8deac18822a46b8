import { figuresOf, type Sample } from './sample.js';

/**
 * The most that each figure may grow from warm-up to end.
 *
 * Heap and listeners go up and down by as much as one client of Twilio's SDK holds before it is replaced: some MiB, and a listener a message.
 */
export const LIMITS: Readonly<Record<string, number>> = {
  'RSS, MiB': 48,
  'heap after GC, MiB': 10,
  'buffers, MiB': 4,
  timers: 5,
  sockets: 5,
  'other resources': 5,
  listeners: 1_000,
  topics: 0,
  subscriptions: 0,
};

/** Share of the messages that come before the service has what it needs: code compiled, connections made. */
const WARM_UP = 0.1;
/** Messages after which the service's longest lists of what it has seen are full; a soak that is shorter than twice that ends before. */
const LISTS_ARE_FULL = 50_000;

/** How one figure went. */
export interface Growth {
  readonly name: string;
  /** At the first sample after warm-up. */
  readonly first: number;
  readonly last: number;
  readonly most: number;
  /** From the first sample after warm-up to the last, on the straight line that fits best. */
  readonly growth: number;
  readonly limit: number;
  readonly ok: boolean;
}

/** How each figure went after warm-up; none for fewer than two samples. Pure. */
export function toGrowth(samples: readonly Sample[]): readonly Growth[] {
  const end = samples.at(-1)?.messages ?? 0;
  const warmUp = Math.max(end * WARM_UP, end < 2 * LISTS_ARE_FULL ? 0 : LISTS_ARE_FULL);
  const warm = samples.filter(({ messages }) => messages >= warmUp);
  const [start] = warm;
  if (start === undefined || warm.length < 2) return [];
  return Object.keys(figuresOf(start)).map((name) => {
    const points = warm.map((sample) => ({ x: sample.messages, y: figuresOf(sample)[name] ?? 0 }));
    const values = points.map(({ y }) => y);
    const growth = slopeOf(points) * (end - start.messages);
    const limit = LIMITS[name] ?? 0;
    return {
      name,
      first: values[0] ?? 0,
      last: values.at(-1) ?? 0,
      most: Math.max(...values),
      growth,
      limit,
      ok: growth <= limit,
    };
  });
}

/** Of the line with the least squares. */
function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (pick: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const x = mean((point) => point.x);
  const y = mean((point) => point.y);
  return mean((point) => (point.x - x) * (point.y - y)) / mean((point) => (point.x - x) ** 2);
}
