import { FaultRules } from './fault-rules.js';
import { type ArmedFault, armedFaultSchema, type FaultInput } from './fault-schema.js';

describe('FaultRules', () => {
  let now = 0;
  const armed = (fault: FaultInput): ArmedFault => armedFaultSchema.parse(fault);
  const create = (): FaultRules<ArmedFault> => new FaultRules(() => now, 1);

  beforeEach(() => {
    now = 0;
  });

  it('strikes as often and as long as it was armed for', () => {
    const rules = create();
    rules.arm(armed({ kind: 'no-hello', count: 2 }));
    rules.arm(armed({ kind: 'no-heartbeat-ack', durationMs: 100 }));
    const hits = [1, 2, 3].map(() => rules.strike('no-hello') !== undefined);
    expect(hits).toEqual([true, true, false]);
    now = 99;
    expect(rules.strike('no-heartbeat-ack')).toBeDefined();
    now = 100;
    expect(rules.strike('no-heartbeat-ack')).toBeUndefined();
    expect(rules.list()).toEqual([]);
  });

  it('strikes what matches, oldest first, until it is healed', () => {
    const rules = create();
    const first = rules.arm(armed({ kind: 'request', status: 500 }));
    rules.arm(armed({ kind: 'request', status: 502 }));
    expect(rules.strike('request')?.status).toBe(500);
    expect(rules.strike('request', ({ status }) => status === 502)?.status).toBe(502);
    expect([rules.heal(first), rules.heal(first), rules.heal()]).toEqual([1, 0, 1]);
    expect(rules.strike('request')).toBeUndefined();
  });

  it('strikes its share of the cases, the same one for the same seed', () => {
    const hits = (): number => {
      const rules = create();
      rules.arm(armed({ kind: 'no-hello', probability: 0.3 }));
      return Array.from({ length: 1_000 }, () => rules.strike('no-hello')).filter(Boolean).length;
    };
    expect(hits()).toBe(hits());
    expect(hits()).toBeGreaterThan(250);
    expect(hits()).toBeLessThan(350);
  });
});
