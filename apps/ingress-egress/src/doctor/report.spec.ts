import { count, type DoctorRow, formatRow, formatSummary, secretsOf, toShown } from './report.js';

const row = (status: DoctorRow['status'], found = 'found', cure?: string): DoctorRow => ({
  area: 'bus',
  check: 'bus',
  status,
  found,
  ...(cure === undefined ? {} : { cure }),
});

describe('formatRow', () => {
  it.each<[DoctorRow, string]>([
    [row('ok'), '  ok       bus                          found'],
    [
      row('fault', 'found', 'cure'),
      `  fault    bus                          found\n${' '.repeat(39)} -> cure`,
    ],
  ])('%#', (given, expected) => {
    expect(formatRow(given)).toBe(expected);
  });
});

describe('formatSummary', () => {
  it.each<[DoctorRow[], string]>([
    [[], '0 ok, 0 warnings, 0 faults'],
    [[row('ok'), row('warning'), row('fault'), row('fault')], '1 ok, 1 warning, 2 faults'],
  ])('%#', (rows, expected) => {
    expect(formatSummary(count(rows))).toBe(expected);
  });
});

describe('secretsOf', () => {
  it('takes the values of variables that are secrets, longest first', () => {
    const environment = {
      TWILIO_AUTH_TOKEN: 'twilio-auth',
      TWITCH_ACCESS_TOKEN: 'oauth:twitch-access-token',
      TWILIO_TOKEN_TTL_SECONDS: '3600',
      TWILIO_IDENTITY: 'a-long-identity',
      DEBUG_TOKEN: undefined,
    };
    expect(secretsOf(environment)).toEqual(['twitch-access-token', 'twilio-auth']);
  });
});

describe('toShown', () => {
  it('hides secrets, and what would steer a terminal', () => {
    const told = row('fault', 'refused: very-secret\u001b[31m\nnext', 'not very-secret');
    expect(toShown(told, ['very-secret'])).toEqual({
      area: 'bus',
      check: 'bus',
      status: 'fault',
      found: 'refused: [redacted] [31m next',
      cure: 'not [redacted]',
    });
  });
});
