import { mayDebug } from './debug-access.js';

const token = 'a-long-debug-token';

describe('mayDebug', () => {
  it.each([
    ['IPv4 loopback', '127.0.0.1', {}, undefined, true],
    ['IPv6 loopback', '::1', {}, undefined, true],
    ['mapped loopback', '::ffff:127.0.0.1', {}, undefined, true],
    ['another machine', '10.0.0.7', {}, undefined, false],
    ['unknown address', undefined, {}, undefined, false],
    ['a proxy on this machine', '127.0.0.1', { 'x-forwarded-for': '203.0.113.5' }, undefined, false],
    ['the token', '203.0.113.5', { authorization: `Bearer ${token}` }, token, true],
    ['a wrong token', '203.0.113.5', { authorization: 'Bearer a-long-debug-tokeN' }, token, false],
    ['a shorter token', '203.0.113.5', { authorization: 'Bearer a' }, token, false],
    ['no token from loopback though one is set', '127.0.0.1', {}, token, false],
  ])('%s', (_name, remoteAddress, headers, configured, expected) => {
    expect(mayDebug({ remoteAddress, headers, token: configured })).toBe(expected);
  });
});
