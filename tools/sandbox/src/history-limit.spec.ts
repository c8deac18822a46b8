import { trimOldest } from './history-limit.js';

describe('trimOldest', () => {
  const entries = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it.each([
    { name: 'few', count: 3, gone: [], left: entries(3) },
    { name: 'half as many again', count: 15, gone: [], left: entries(15) },
    { name: 'one more', count: 16, gone: [0, 1, 2, 3, 4, 5], left: [6, 7, 8, 9, 10, 11, 12, 13, 14, 15] },
  ])('leaves the newest: $name', ({ count, gone, left }) => {
    const list = entries(count);
    expect(trimOldest(list, 10)).toEqual(gone);
    expect(list).toEqual(left);
  });
});
