import fc from 'fast-check';
import { toGatewayUrl } from './gateway-url.js';

describe('toGatewayUrl', () => {
  it.each([
    ['wss://gateway.discord.gg', true, 'wss://gateway.discord.gg/'],
    ['wss://gateway-us-east1-b.discord.gg/?v=6#x', true, 'wss://gateway-us-east1-b.discord.gg/'],
    ['ws://127.0.0.1:4010', false, 'ws://127.0.0.1:4010/'],
    ['wss://gateway.discord.gg', false, 'wss://gateway.discord.gg/'],
  ])('takes %s', (url, isSecure, expected) => {
    expect(toGatewayUrl(url, isSecure)).toBe(expected);
  });

  it.each([
    ['a downgrade', 'ws://gateway.discord.gg'],
    ['http', 'http://gateway.discord.gg'],
    ['https', 'https://gateway.discord.gg'],
    ['a file', 'file:///etc/passwd'],
    ['a user', 'wss://user:secret@gateway.discord.gg'],
    ['no host', 'wss://'],
    ['words', 'gateway.discord.gg'],
    ['nothing', ''],
    ['null', null],
    ['a number', 7],
    ['an object', {}],
    ['a missing one', undefined],
  ])('refuses %s', (_name, url) => {
    expect(toGatewayUrl(url, true)).toBeUndefined();
  });

  it('gives a WebSocket address or nothing, whatever it gets', () => {
    const anything = fc.oneof(fc.anything(), fc.webUrl(), fc.webUrl({ validSchemes: ['ws', 'wss'] }));
    fc.assert(
      fc.property(anything, (url) => {
        const taken = toGatewayUrl(url, true);
        return taken === undefined || new URL(taken).protocol === 'wss:';
      }),
    );
  });
});
