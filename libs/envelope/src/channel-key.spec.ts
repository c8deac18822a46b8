import { ORDERING_BUCKETS, orderingKeyOf } from './channel-key.js';

describe('orderingKeyOf', () => {
  it.each([
    ['twilio', 'CH1', 'b58'],
    ['discord', '1234567890', 'b55'],
  ])('%s %s is the same in every process and release', (connector, channel, expected) => {
    expect(orderingKeyOf(connector, channel)).toBe(expected);
  });

  it('spreads channels over all buckets evenly enough', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 6400; i++) {
      const key = orderingKeyOf('twilio', `CH${i}`);
      expect(key).toMatch(/^b[0-6][0-9]$/);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(ORDERING_BUCKETS);
    expect(Math.max(...counts.values())).toBeLessThan(200);
  });
});
