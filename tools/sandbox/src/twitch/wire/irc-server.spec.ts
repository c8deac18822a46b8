import { isChatUpgrade } from './irc-server.js';

describe('isChatUpgrade', () => {
  it.each([
    ['/', 'irc', true],
    ['/', undefined, true],
    ['/?p=:80', undefined, true],
    ['/', 'foo, IRC', true],
    ['/?v=10&encoding=json', 'irc', true],
    ['/twitch', undefined, true],
    ['/twitch/', undefined, true],
    ['/?v=10&encoding=json', undefined, false],
    ['/v3/wsconnect', undefined, false],
    ['/twitch/messages', undefined, false],
    ['//', undefined, false],
  ])('%s with subprotocol %s: %p', (url, protocols, expected) => {
    expect(isChatUpgrade(url, protocols)).toBe(expected);
  });
});
