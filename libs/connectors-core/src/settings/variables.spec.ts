import { z } from 'zod';
import { parseEnvironment } from './environment.js';
import { connectorSettings, endpointVariable, textVariable, wholeNumberVariable } from './variables.js';

const settings = connectorSettings('X_ENABLED', {
  variables: z.object({
    X_NAME: textVariable(/^[a-z]+$/, 'a name'),
    X_URL: endpointVariable(/^https?:$/, 'an http(s) URL').default('https://api.example'),
    X_SECONDS: wholeNumberVariable(5, 60, 10, 'seconds'),
  }),
  check: ({ X_NAME: name }) =>
    name === 'reserved' ? [{ variable: 'X_NAME', expected: 'expected another name' }] : [],
  toConfig: ({ X_NAME, X_SECONDS, X_URL }) =>
    ({ enabled: true, name: X_NAME, url: X_URL, seconds: X_SECONDS }) as const,
});

const read = (environment: Record<string, string>): unknown => parseEnvironment(settings, environment);
const faultsOf = (environment: Record<string, string>): unknown =>
  (read({ X_ENABLED: 'true', X_NAME: 'a', ...environment }) as { faults?: unknown }).faults; // a result of either kind

describe('connectorSettings', () => {
  it('is disabled unless it says true, whatever else is set', () => {
    expect(read({ X_NAME: '???' })).toEqual({ ok: true, config: { enabled: false } });
    expect(read({ X_ENABLED: 'false', X_NAME: '???' })).toEqual({ ok: true, config: { enabled: false } });
  });

  it('gives the config of an enabled connector', () => {
    expect(read({ X_ENABLED: 'true', X_NAME: 'a', X_SECONDS: '60' })).toEqual({
      ok: true,
      config: { enabled: true, name: 'a', url: 'https://api.example', seconds: 60 },
    });
  });

  it('reports every fault at once', () => {
    expect(read({ X_ENABLED: 'yes', X_URL: 'ftp://x', X_SECONDS: '4' })).toEqual({
      ok: false,
      faults: [
        { variable: 'X_ENABLED', expected: 'expected true or false' },
        { variable: 'X_NAME', expected: 'expected a name' },
        { variable: 'X_URL', expected: 'expected an http(s) URL' },
        { variable: 'X_SECONDS', expected: 'expected seconds, a whole number from 5 to 60' },
      ],
    });
    expect(faultsOf({ X_NAME: 'reserved' })).toEqual([
      { variable: 'X_NAME', expected: 'expected another name' },
    ]);
  });

  it.each(['4', '61', '-5', '1e1', '5.5', ' 5', 'five', '9999999999'])('refuses %j as a number', (value) => {
    expect(faultsOf({ X_SECONDS: value })).toHaveLength(1);
  });

  it.each(['ws://x', 'x', 'http://', 'http://user@x', 'http://x/#y'])(
    'refuses %j as an endpoint',
    (value) => {
      expect(faultsOf({ X_URL: value })).toHaveLength(1);
    },
  );
});
