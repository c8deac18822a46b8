/**
 * Takes the oldest entries out of a list that has grown half as long again as its limit, and returns them.
 *
 * Half the limit at once: taking one from the front of a long array for each new entry would be slow.
 */
export function trimOldest<T>(entries: T[], limit: number): readonly T[] {
  return entries.length > limit * 1.5 ? entries.splice(0, entries.length - limit) : [];
}
