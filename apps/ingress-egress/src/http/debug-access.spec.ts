import { mayDebug } from './debug-access.js';

const token = 'a-long-debug-token';

describe('mayDebug', () => {
  it.each([
    ['IPv4 loopback', '127.0.0.1', { host: '127.0.0.1:3000' }, undefined, true],
    ['IPv6 loopback', '::1', { host: '[::1]:3000' }, undefined, true],
    ['mapped loopback', '::ffff:127.0.0.1', { host: 'localhost' }, undefined, true],
    ['another machine', '10.0.0.7', { host: 'localhost' }, undefined, false],
    ['unknown address', undefined, { host: 'localhost' }, undefined, false],
    ['a name that points here', '127.0.0.1', { host: 'localhost.example:3000' }, undefined, false],
    ['an address in a name', '127.0.0.1', { host: '127.0.0.1.example' }, undefined, false],
    ['no name', '127.0.0.1', {}, undefined, false],
    ['a proxy', '127.0.0.1', { host: 'localhost', 'x-forwarded-for': '203.0.113.5' }, undefined, false],
    ['the token', '203.0.113.5', { host: 'x.example', authorization: `Bearer ${token}` }, token, true],
    ['a wrong token', '203.0.113.5', { authorization: 'Bearer a-long-debug-tokeN' }, token, false],
    ['a shorter token', '203.0.113.5', { authorization: 'Bearer a' }, token, false],
    ['no token from loopback though one is set', '127.0.0.1', { host: 'localhost' }, token, false],
  ])('%s', (_name, remoteAddress, headers, configured, expected) => {
    expect(mayDebug({ remoteAddress, headers, token: configured })).toBe(expected);
  });
});
