import { TokenStore } from './tokens.js';

const alice = { id: '1', login: 'alice', displayName: 'Alice' };
const request = { scopes: ['chat:read'], lifeMs: 1_000 };

describe('TokenStore', () => {
  let now: number;
  let tokens: TokenStore;

  beforeEach(() => {
    now = 0;
    tokens = new TokenStore(() => now);
  });

  it('makes tokens that tmi.js does not spoil, good for their life', () => {
    const { accessToken, refreshToken } = tokens.issue(alice, request);
    expect(accessToken).toMatch(/^[a-z0-9]{30}$/);
    expect(refreshToken).not.toBe(accessToken);
    now = 999;
    expect(tokens.check(accessToken)).toMatchObject({ user: alice, scopes: ['chat:read'], expiresAt: 1_000 });
    now = 1_000;
    expect(tokens.check(accessToken)).toBeUndefined();
  });

  it.each([
    [false, 'object'],
    [true, 'undefined'],
  ])('trades a refresh token (single use: %p)', (singleUse, second) => {
    const first = tokens.issue(alice, request);
    now = 5_000;
    const pair = tokens.refresh(first.refreshToken, 100, singleUse);
    expect(tokens.check(pair?.accessToken ?? '')).toMatchObject({ expiresAt: 5_100, scopes: ['chat:read'] });
    expect(typeof tokens.refresh(first.refreshToken, 100, singleUse)).toBe(second);
    expect(tokens.refresh(pair?.refreshToken ?? '', 100, singleUse)).toBeDefined();
    expect(tokens.refresh('made-up', 100, singleUse)).toBeUndefined();
  });

  it('revokes one, expires all of a user, and the refresh tokens if asked', () => {
    const [one, two] = [tokens.issue(alice, request), tokens.issue(alice, request)];
    expect(tokens.revoke(one.accessToken)).toBe(true);
    expect(tokens.revoke(one.accessToken)).toBe(false);
    expect(tokens.check(two.accessToken)).toBeDefined();
    expect(tokens.expire('bob', true)).toBe(0);
    expect(tokens.expire('alice', false)).toBe(1);
    expect(tokens.check(two.accessToken)).toBeUndefined();
    expect(tokens.refresh(two.refreshToken, 100, false)).toBeDefined();
    expect(tokens.expire(undefined, true)).toBe(4);
    expect(tokens.refresh(two.refreshToken, 100, false)).toBeUndefined();
  });
});
