import { isLoopback, mayDebug } from './debug-access.js';

const token = 'a-long-debug-token';
const local = { host: '127.0.0.1:3000' };

describe('mayDebug', () => {
  it.each([
    ['IPv4 loopback', true, local, true],
    ['IPv6 loopback', true, { host: '[::1]:3000' }, true],
    ['localhost', true, { host: 'LOCALHOST' }, true],
    ['a listener that others can reach', false, local, false],
    ['a name that points here', true, { host: 'localhost.example:3000' }, false],
    ['an address in a name', true, { host: '127.0.0.1.example' }, false],
    ['no name', true, {}, false],
    ['a proxy that says so', true, { ...local, 'x-forwarded-for': '203.0.113.5' }, false],
    ['a proxy that says so otherwise', true, { ...local, via: '1.1 nginx' }, false],
    ['a token where none is set', false, { ...local, authorization: `Bearer ${token}` }, false],
    [
      'the same page',
      true,
      { ...local, origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-origin' },
      true,
    ],
    ['an address that was typed', true, { ...local, 'sec-fetch-site': 'none' }, true],
    ['a page of another site', true, { ...local, 'sec-fetch-site': 'cross-site' }, false],
    ['a page of another port', true, { ...local, 'sec-fetch-site': 'same-site' }, false],
    ['a post of another origin', true, { ...local, origin: 'https://evil.example' }, false],
    ['a post of an opaque origin', true, { ...local, origin: 'null' }, false],
  ])('without a token: %s', (_name, isLoopbackOnly, headers, expected) => {
    expect(mayDebug({ headers, token: undefined, isLoopbackOnly })).toBe(expected);
  });

  it.each([
    ['the token', `Bearer ${token}`, true],
    ['the scheme in lower case', `bearer ${token}`, true],
    ['the scheme in capitals', `BEARER ${token}`, true],
    ['more than one space', `Bearer   ${token}`, true],
    ['no space', `Bearer${token}`, false],
    ['the token in capitals', `Bearer ${token.toUpperCase()}`, false],
    ['the token alone', token, false],
    ['a scheme that ends so', `xBearer ${token}`, false],
    ['a wrong token', 'Bearer a-long-debug-tokeN', false],
    ['the beginning of the token', 'Bearer a', false],
    ['more than the token', `Bearer ${token}x`, false],
    ['an empty token', 'Bearer ', false],
    ['another scheme', `Basic ${token}`, false],
    ['none', undefined, false],
  ])('with a token, wherever the server listens: %s', (_name, authorization, expected) => {
    for (const isLoopbackOnly of [true, false]) {
      const headers = { ...local, ...(authorization === undefined ? {} : { authorization }) };
      expect(mayDebug({ headers, token, isLoopbackOnly })).toBe(expected);
    }
  });
});

describe('isLoopback', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.7', false],
    ['::ffff:10.0.0.7', false],
    ['128.0.0.1', false],
    ['fe80::1', false],
    ['127.0.0.1.example', false],
    ['', false],
  ])('%s: %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected);
  });
});
