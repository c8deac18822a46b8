import fc from 'fast-check';
import { boundWaits } from './rate-limit-headers.js';

describe('boundWaits', () => {
  it('leaves no wait of more than 15 minutes and nothing that is no number, whatever is sent', () => {
    const value = fc.oneof(
      fc.stringMatching(/^[!-~]{0,20}$/),
      fc.double().map(String),
      fc.nat({ max: 100_000 }).map(String),
    );
    fc.assert(
      fc.property(value, value, (retryAfter, resetAfter) => {
        const headers = new Headers({ 'Retry-After': retryAfter, 'X-RateLimit-Reset-After': resetAfter });
        boundWaits(headers);
        for (const [, kept] of headers) {
          expect(Number(kept)).toBeGreaterThanOrEqual(0);
          expect(Number(kept)).toBeLessThanOrEqual(900);
        }
      }),
    );
  });

  it.each(['0', '0.300', '64', '900'])('leaves %s as it is', (seconds) => {
    const headers = new Headers({ 'retry-after': seconds, 'x-ratelimit-remaining': '0' });
    boundWaits(headers);
    expect([...headers]).toEqual([
      ['retry-after', seconds],
      ['x-ratelimit-remaining', '0'],
    ]);
  });
});
