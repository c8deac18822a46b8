import {
  compareSnowflakes,
  isSnowflake,
  newerSnowflake,
  olderSnowflake,
  snowflakeAt,
  snowflakeTime,
} from './snowflake.js';

describe('snowflakes', () => {
  it.each([
    ['175928847299117063', true],
    ['1307000000000000001', true],
    ['1234', false],
    ['17592884729911706x', false],
    ['012345678901234567', false],
    ['123456789012345678901', false],
    ['', false],
  ])('%j is one: %j', (text, expected) => {
    expect(isSnowflake(text)).toBe(expected);
  });

  it('are ordered by age, to the last digit', () => {
    const ids = ['1307000000000000002', '999999999999999999', '1307000000000000001'];
    expect(ids.sort(compareSnowflakes)).toEqual([
      '999999999999999999',
      '1307000000000000001',
      '1307000000000000002',
    ]);
    expect(compareSnowflakes('5', '5')).toBe(0);
    expect(newerSnowflake('9', '10')).toBe('10');
    expect(newerSnowflake('9', undefined)).toBe('9');
    expect(newerSnowflake(undefined, '9')).toBe('9');
    expect(newerSnowflake(undefined, undefined)).toBeUndefined();
    expect(olderSnowflake('9', '10')).toBe('9');
    expect(olderSnowflake('9', undefined)).toBe('9');
    expect(olderSnowflake(undefined, '9')).toBe('9');
    expect(olderSnowflake(undefined, undefined)).toBeUndefined();
  });

  it('tell their time, as in the example of the documentation', () => {
    expect(snowflakeTime('175928847299117063')).toBe(1_462_015_105_796);
    expect(snowflakeTime(snowflakeAt(1_462_015_105_796))).toBe(1_462_015_105_796);
    expect(compareSnowflakes(snowflakeAt(1_462_015_105_796), '175928847299117063')).toBeLessThan(0);
    expect(snowflakeAt(0)).toBe('0');
  });
});
