import { compareSnowflakes, isSnowflake, SnowflakeSource, snowflakeTime } from './snowflake.js';

describe('snowflakes', () => {
  it('grow with time, within a millisecond, and when the clock goes back', () => {
    const times = [1_700_000_000_000, 1_700_000_000_000, 1_699_999_999_000, 1_700_000_000_001];
    const source = new SnowflakeSource(() => times.shift() ?? 0);
    const ids = Array.from({ length: 4 }, () => source.next());
    expect([...ids].sort(compareSnowflakes)).toEqual(ids);
    expect(new Set(ids).size).toBe(4);
    expect(ids.map(snowflakeTime)).toEqual([
      1_700_000_000_000, 1_700_000_000_000, 1_700_000_000_000, 1_700_000_000_001,
    ]);
  });

  it.each([
    ['1', '2', -1],
    ['9', '10', -1],
    ['10', '9', 1],
    ['10', '10', 0],
  ])('compares %s with %s', (a, b, sign) => expect(Math.sign(compareSnowflakes(a, b))).toBe(sign));

  it.each([
    ['1000000000000000001', true],
    ['18446744073709551615', true],
    ['18446744073709551616', false],
    ['', false],
    ['-1', false],
    ['1x', false],
  ])('knows whether %p is one', (text, expected) => expect(isSnowflake(text)).toBe(expected));
});
