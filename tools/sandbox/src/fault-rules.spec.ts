import { FaultRules, seededRandom } from './fault-rules.js';

interface Limits {
  readonly skip?: number;
  readonly count?: number;
  readonly durationMs?: number;
  readonly probability?: number;
}
type TestFault =
  | ({ readonly kind: 'refuse'; readonly status: number; readonly user?: string } & Limits)
  | ({ readonly kind: 'silence' } & Limits);

describe('FaultRules', () => {
  const create = (now: () => number = () => 0, random: () => number = () => 0): FaultRules<TestFault> =>
    new FaultRules(now, random);

  it('strikes as often as counted, the oldest rule first', () => {
    const rules = create();
    rules.arm({ kind: 'refuse', status: 503, count: 2 });
    rules.arm({ kind: 'refuse', status: 401, count: 1 });
    const strikes = Array.from({ length: 4 }, () => rules.strike('refuse')?.status);
    expect(strikes).toEqual([503, 503, 401, undefined]);
    expect(rules.list()).toEqual([]);
  });

  it('lets as many matching cases pass first as it says', () => {
    const rules = create();
    rules.arm({ kind: 'refuse', status: 503, user: 'ada', skip: 2, count: 1 });
    const strike = (user: string): number | undefined =>
      rules.strike('refuse', (fault) => fault.user === user)?.status;
    expect(['ada', 'bob', 'ada', 'ada', 'ada'].map(strike)).toEqual([
      undefined,
      undefined,
      undefined,
      503,
      undefined,
    ]);
  });

  it('ends after its duration', () => {
    let now = 0;
    const rules = create(() => now);
    rules.arm({ kind: 'silence', durationMs: 100 });
    rules.arm({ kind: 'refuse', status: 503 });
    now = 99;
    expect(rules.strike('silence')).toBeDefined();
    now = 100;
    expect(rules.strike('silence')).toBeUndefined();
    expect(rules.list().map(({ fault }) => fault.kind)).toEqual(['refuse']);
  });

  it('strikes what matches, and counts that alone', () => {
    const rules = create();
    rules.arm({ kind: 'refuse', status: 503, user: 'ada', count: 2 });
    rules.arm({ kind: 'silence' });
    const strike = (name: string): boolean =>
      rules.strike('refuse', ({ user }) => user === name) !== undefined;
    expect(['ada', 'bob'].map(strike)).toEqual([true, false]);
    expect(rules.list().map(({ strikes }) => strikes)).toEqual([1, 0]);
    expect(['ada', 'ada'].map(strike)).toEqual([true, false]);
  });

  it('passes over an older rule that does not match', () => {
    const rules = create();
    rules.arm({ kind: 'refuse', status: 500 });
    rules.arm({ kind: 'refuse', status: 502 });
    expect(rules.strike('refuse')?.status).toBe(500);
    expect(rules.strike('refuse', ({ status }) => status === 502)?.status).toBe(502);
  });

  it('heals by id or altogether', () => {
    const rules = create();
    const first = rules.arm({ kind: 'silence' });
    rules.arm({ kind: 'refuse', status: 503 });
    expect([rules.heal('fault-9'), rules.heal(first), rules.heal(first)]).toEqual([0, 1, 0]);
    expect(rules.strike('silence')).toBeUndefined();
    expect([rules.heal(), rules.heal()]).toEqual([1, 0]);
    expect(rules.strike('refuse')).toBeUndefined();
    expect(rules.list()).toEqual([]);
  });

  it('strikes a share by the random numbers', () => {
    const numbers = [0.4, 0.6];
    const rules = create(
      () => 0,
      () => numbers.shift() ?? 1,
    );
    rules.arm({ kind: 'silence', probability: 0.5 });
    expect(rules.strike('silence')).toBeDefined();
    expect(rules.strike('silence')).toBeUndefined();
  });

  it('strikes its share of the cases, the same ones for the same seed', () => {
    const run = (seed: number): boolean[] => {
      const rules = create(() => 0, seededRandom(seed));
      rules.arm({ kind: 'silence', probability: 0.3 });
      return Array.from({ length: 1_000 }, () => rules.strike('silence') !== undefined);
    };
    const strikes = run(7);
    expect(strikes).toEqual(run(7));
    expect(strikes).not.toEqual(run(8));
    expect(strikes.filter(Boolean).length).toBeGreaterThan(250);
    expect(strikes.filter(Boolean).length).toBeLessThan(350);
  });
});

describe('seededRandom', () => {
  it('stays in [0, 1)', () => {
    const random = seededRandom(42);
    const values = Array.from({ length: 10_000 }, random);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
  });
});
