/** A property of a value of unknown shape; undefined where it has none. */
export function propertyOf(value: unknown, key: string): unknown {
  const hasProperties = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return hasProperties ? Reflect.get(value, key) : undefined;
}
