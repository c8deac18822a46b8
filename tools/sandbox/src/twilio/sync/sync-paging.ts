/** Which items of a list or map are asked for. */
export interface PageQuery<K> {
  /** Only the item with exactly this key. */
  readonly only?: K | undefined;
  /** First key of the page, inclusive. One that does not exist stands for the next in the page's direction. */
  readonly from?: K | undefined;
  readonly order: 'asc' | 'desc';
  readonly pageSize: number;
}

/** Items in the order asked for, and whether there are more behind and before them. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}

/** Cuts a page out of items that are sorted by ascending key. */
export function pageItems<K extends string | number, T extends { readonly key: K }>(
  sorted: readonly T[],
  query: PageQuery<K>,
): Page<T> {
  if (query.only !== undefined) {
    const found = sorted[lowerBound(sorted, query.only)];
    return { items: found?.key === query.only ? [found] : [], hasNext: false, hasPrevious: false };
  }
  if (query.order === 'asc') {
    const start = query.from === undefined ? 0 : lowerBound(sorted, query.from);
    const end = Math.min(sorted.length, start + query.pageSize);
    return { items: sorted.slice(start, end), hasNext: end < sorted.length, hasPrevious: start > 0 };
  }
  const end = query.from === undefined ? sorted.length : upperBound(sorted, query.from);
  const start = Math.max(0, end - query.pageSize);
  return { items: sorted.slice(start, end).reverse(), hasNext: start > 0, hasPrevious: end < sorted.length };
}

/** Position of the first item whose key is not smaller than `key`. */
export function lowerBound<K extends string | number>(
  sorted: readonly { readonly key: K }[],
  key: K,
): number {
  return firstWhere(sorted, (itemKey) => itemKey >= key);
}

function upperBound<K extends string | number>(sorted: readonly { readonly key: K }[], key: K): number {
  return firstWhere(sorted, (itemKey) => itemKey > key);
}

function firstWhere<K>(sorted: readonly { readonly key: K }[], holds: (key: K) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && !holds(item.key)) low = middle + 1;
    else high = middle;
  }
  return low;
}
