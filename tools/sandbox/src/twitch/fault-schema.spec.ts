import { armedFaultSchema, concerns, twitchFaultSchema } from './fault-schema.js';

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

  it('takes a login in any case', () => {
    const fault = armedFaultSchema.parse({ kind: 'lose-ack', login: 'Bot' });
    expect(fault).toMatchObject({ login: 'bot' });
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
