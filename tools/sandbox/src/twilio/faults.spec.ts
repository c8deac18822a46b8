import { armedFaultSchema, faultSchema } from './fault-schema.js';
import { FaultRules, seededRandom } from './faults.js';

const arm = (rules: FaultRules, fault: object): string => rules.arm(armedFaultSchema.parse(fault));

describe('FaultRules', () => {
  it('strikes as often as counted, the oldest rule first', () => {
    const rules = new FaultRules(() => 0, 1);
    arm(rules, { kind: 'refuse-connections', how: 'http', status: 503, count: 2 });
    arm(rules, { kind: 'refuse-connections', how: 'reset', count: 1 });
    const strikes = Array.from({ length: 4 }, () => rules.strike('refuse-connections')?.how);
    expect(strikes).toEqual(['http', 'http', 'reset', undefined]);
    expect(rules.list()).toEqual([]);
  });

  it('ends after its duration', () => {
    let now = 0;
    const rules = new FaultRules(() => now, 1);
    arm(rules, { kind: 'no-replay', durationMs: 100 });
    now = 99;
    expect(rules.strike('no-replay')).toBeDefined();
    now = 100;
    expect(rules.strike('no-replay')).toBeUndefined();
  });

  it('strikes a share of the cases, the same ones for the same seed', () => {
    const run = (seed: number): boolean[] => {
      const rules = new FaultRules(() => 0, seed);
      arm(rules, { kind: 'no-replay', probability: 0.3 });
      return Array.from({ length: 1_000 }, () => rules.strike('no-replay') !== undefined);
    };
    const strikes = run(7);
    expect(strikes).toEqual(run(7));
    expect(strikes).not.toEqual(run(8));
    expect(strikes.filter(Boolean).length).toBeGreaterThan(250);
    expect(strikes.filter(Boolean).length).toBeLessThan(350);
  });

  it('passes over what does not match, and heals by id or altogether', () => {
    const rules = new FaultRules(() => 0, 1);
    const first = arm(rules, { kind: 'webhook', action: 'lose', event: 'onMessageAdded' });
    arm(rules, { kind: 'lose-push' });
    expect(rules.strike('webhook', ({ event }) => event === 'onConversationAdded')).toBeUndefined();
    expect(rules.list().map(({ strikes }) => strikes)).toEqual([0, 0]);
    expect([rules.heal('fault-9'), rules.heal(first), rules.heal(), rules.heal()]).toEqual([0, 1, 1, 0]);
  });
});

describe('fault schema', () => {
  it.each([
    [{ kind: 'explode' }],
    [{ kind: 'drop', replay: 'no' }],
    [{ kind: 'request', target: 'moon' }],
    [{ kind: 'request', target: 'rest', path: '(' }],
    [{ kind: 'request', target: 'rest', status: 200 }],
    [{ kind: 'lose-push', probability: 1.5 }],
    [{ kind: 'no-replay', count: 0 }],
    [{ kind: 'no-replay', typo: true }],
  ])('refuses %j', (fault) => {
    expect(faultSchema.safeParse(fault).success).toBe(false);
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
