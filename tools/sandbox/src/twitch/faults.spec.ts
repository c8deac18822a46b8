import { armedFaultSchema, concerns, twitchFaultSchema } from './fault-schema.js';
import { TwitchFaults } from './faults.js';

describe('TwitchFaults', () => {
  it('strikes what matches, as often as it should', () => {
    const faults = new TwitchFaults(
      () => 0,
      () => 0,
    );
    faults.arm(armedFaultSchema.parse({ kind: 'lose-ack', login: 'Bot', count: 2 }));
    const strike = (login: string): boolean =>
      faults.strike('lose-ack', (fault) => concerns(fault, login, 'c')) !== undefined;
    expect([strike('bot'), strike('other'), strike('bot'), strike('bot')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(faults.strike('no-pong')).toBeUndefined();
    expect(faults.list()).toEqual([]);
  });

  it('heals by time, by id, and all at once', () => {
    let now = 0;
    const faults = new TwitchFaults(
      () => now,
      () => 0,
    );
    faults.arm(armedFaultSchema.parse({ kind: 'no-pong', durationMs: 10 }));
    const id = faults.arm(armedFaultSchema.parse({ kind: 'login-failure' }));
    faults.arm(armedFaultSchema.parse({ kind: 'silent' }));
    now = 10;
    expect(faults.list().map(({ fault }) => fault.kind)).toEqual(['login-failure', 'silent']);
    expect(faults.heal(id)).toBe(1);
    expect(faults.heal('unknown')).toBe(0);
    faults.heal();
    expect(faults.list()).toEqual([]);
  });

  it('strikes a share by the random numbers', () => {
    const numbers = [0.4, 0.6];
    const faults = new TwitchFaults(
      () => 0,
      () => numbers.shift() ?? 1,
    );
    faults.arm(armedFaultSchema.parse({ kind: 'no-pong', probability: 0.5 }));
    expect(faults.strike('no-pong')).toBeDefined();
    expect(faults.strike('no-pong')).toBeUndefined();
  });
});

describe('twitchFaultSchema', () => {
  it.each([
    { kind: 'unknown' },
    { kind: 'drop', how: 'gently' },
    { kind: 'refuse-message' },
    { kind: 'no-pong', count: 0 },
    { kind: 'no-pong', surprise: true },
    {},
  ])('refuses %j', (fault) => {
    expect(twitchFaultSchema.safeParse(fault).success).toBe(false);
  });

  it.each([
    [{}, true],
    [{ login: 'bot' }, true],
    [{ login: 'other' }, false],
    [{ channel: '#c' }, true],
    [{ channel: 'c', login: 'bot' }, true],
    [{ channel: 'd' }, false],
  ])('knows whom %j is about', (fault, expected) => {
    expect(concerns(fault, 'bot', 'c')).toBe(expected);
  });
});
