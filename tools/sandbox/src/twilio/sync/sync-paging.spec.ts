import { pageItems, type PageQuery } from './sync-paging.js';

const numbers = [0, 1, 3, 4, 7].map((key) => ({ key }));
const names = ['a', 'b', 'd'].map((key) => ({ key }));

describe('pages of Sync items', () => {
  it.each<[PageQuery<number>, number[], boolean, boolean]>([
    [{ order: 'asc', pageSize: 2 }, [0, 1], true, false],
    [{ order: 'asc', pageSize: 9 }, [0, 1, 3, 4, 7], false, false],
    [{ order: 'asc', pageSize: 2, from: 1 }, [1, 3], true, true],
    [{ order: 'asc', pageSize: 2, from: 2 }, [3, 4], true, true],
    [{ order: 'asc', pageSize: 9, from: 8 }, [], false, true],
    [{ order: 'desc', pageSize: 2 }, [7, 4], true, false],
    [{ order: 'desc', pageSize: 2, from: 3 }, [3, 1], true, true],
    [{ order: 'desc', pageSize: 9, from: 6 }, [4, 3, 1, 0], false, true],
    [{ order: 'desc', pageSize: 9, from: -1 }, [], false, true],
    [{ order: 'asc', pageSize: 1, only: 4 }, [4], false, false],
    [{ order: 'asc', pageSize: 1, only: 5 }, [], false, false],
  ])('%j', (query, keys, hasNext, hasPrevious) => {
    const page = pageItems(numbers, query);
    expect(page.items.map(({ key }) => key)).toEqual(keys);
    expect([page.hasNext, page.hasPrevious]).toEqual([hasNext, hasPrevious]);
  });

  it('goes by name in maps', () => {
    const page = pageItems<string, { key: string }>(names, { order: 'asc', pageSize: 2, from: 'c' });
    expect(page.items).toEqual([{ key: 'd' }]);
  });

  it('finds nothing in nothing', () => {
    expect(pageItems<number, { key: number }>([], { order: 'desc', pageSize: 5 }).items).toEqual([]);
  });
});
