import { z } from 'zod';
import { parseEnvironment } from './environment.js';

const schema = z.object({
  FAKE_TOKEN: z.string().min(8),
  FAKE_PORT: z.coerce.number().int().max(65_535).default(4010),
  FAKE_MODE: z.enum(['on', 'off']).optional(),
});

describe('parseEnvironment', () => {
  it('gives the config, typed and with defaults, and leaves other variables out', () => {
    expect(parseEnvironment(schema, { FAKE_TOKEN: 'long enough', PATH: '/bin' })).toEqual({
      ok: true,
      config: { FAKE_TOKEN: 'long enough', FAKE_PORT: 4010 },
    });
  });

  it.each([undefined, '', '  ', '\n'])('takes %j as not set', (value) => {
    const environment = { FAKE_TOKEN: 'long enough', FAKE_PORT: value, FAKE_MODE: value };
    expect(parseEnvironment(schema, environment)).toEqual({
      ok: true,
      config: { FAKE_TOKEN: 'long enough', FAKE_PORT: 4010 },
    });
    expect(parseEnvironment(schema, { FAKE_TOKEN: value })).toMatchObject({ ok: false });
  });

  it('tells every fault at once, by variable, and no value', () => {
    const result = parseEnvironment(schema, { FAKE_TOKEN: 'secret', FAKE_PORT: '99999', FAKE_MODE: 'maybe' });
    expect(result.ok ? [] : result.faults.map(({ variable }) => variable)).toEqual([
      'FAKE_TOKEN',
      'FAKE_PORT',
      'FAKE_MODE',
    ]);
    expect(JSON.stringify(result)).not.toMatch(/secret|99999|maybe/);
  });

  it('changes nothing of a value but what the schema says', () => {
    const token = ' padded secret ';
    expect(parseEnvironment(schema, { FAKE_TOKEN: token })).toMatchObject({ config: { FAKE_TOKEN: token } });
  });
});
