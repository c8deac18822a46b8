import { ownUrl } from './own-url.js';

describe('ownUrl', () => {
  it.each([
    [undefined, 'http://127.0.0.1:3000'],
    ['', 'http://127.0.0.1:3000'],
    ['0.0.0.0', 'http://127.0.0.1:3000'],
    ['::', 'http://127.0.0.1:3000'],
    ['127.0.0.1', 'http://127.0.0.1:3000'],
    ['::1', 'http://[::1]:3000'],
    ['gateway.example', 'http://gateway.example:3000'],
  ])('%s: %s', (host, url) => {
    expect(ownUrl(host, 3_000)).toBe(url);
  });
});
