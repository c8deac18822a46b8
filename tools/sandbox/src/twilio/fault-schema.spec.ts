import { faultSchema } from './fault-schema.js';

describe('faultSchema', () => {
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
