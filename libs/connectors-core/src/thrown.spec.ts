import { messageOf, withTimeout } from '@bitbrat/foundation';
import { ManualClock } from '@bitbrat/foundation/testing';
import { toConnectorError } from './connector-error.js';
import { ConnectorScopes } from './manager/connector-scopes.js';
import { FaultClaims } from './manager/fault-claims.js';

const throwing = (): never => {
  throw new Error('do not ask');
};

const THROWN: [string, unknown][] = [
  ['an object without prototype', Object.create(null)],
  ['an object that has no text', { toString: throwing }],
  ['a symbol', Symbol('thrown')],
  ['undefined', undefined],
  ['an error whose message has no text', Object.assign(new Error(), { message: { toString: throwing } })],
  ['an error with a stack of another kind', Object.assign(new Error('one'), { stack: 42 })],
  ['an error that refuses its stack', Object.defineProperty(new Error('one'), 'stack', { get: throwing })],
];

describe.each(THROWN)('%s that is thrown', (_name, reason) => {
  it('has a text, and becomes an error of ours', () => {
    expect(typeof messageOf(reason)).toBe('string');
    expect(toConnectorError(reason).code).toBe('INTERNAL');
  });

  it('settles work that has a time limit', async () => {
    const thrown: Promise<unknown> = Promise.resolve().then(() => {
      throw reason;
    });
    const limited = withTimeout(new ManualClock(0), thrown, 100, () => new Error('too late'));
    await expect(limited).rejects.toBeInstanceOf(Error);
  });

  it.each(['uncaughtException', 'unhandledRejection'] as const)('is attributed as %s', (origin) => {
    const scopes = new ConnectorScopes();
    const failed: string[] = [];
    const suspect = {
      connector: { name: 'one', claimRejection: throwing } as never, // the claim asks for no more of it
      life: 1,
      fail: ({ code }: { code: string }) => {
        failed.push(code);
      },
    };
    const silent = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
    };
    const claims = new FaultClaims(new Map([['one', suspect]]), scopes, silent);
    expect(scopes.run({ connector: 'one', life: 1 }, () => claims.claim(reason, origin))).toBe('one');
    expect(failed).toEqual(['UPSTREAM_UNAVAILABLE']);
  });
});
