import { type Variable } from '../architecture/architecture.js';

/** What a variable may hold, for people: `whole number, 1 to 100`. */
export function describeType({ maximum, minimum, type, values }: Variable): string {
  switch (type) {
    case 'boolean':
      return '`true` or `false`';
    case 'enum':
      return (values ?? []).map((value) => `\`${value}\``).join(', ');
    case 'integer':
      if (minimum === undefined || maximum === undefined) return 'whole number';
      return `whole number, ${minimum} to ${maximum}`;
    case 'list':
      return 'list, comma-separated';
    case 'url':
      return 'URL';
    case 'string':
      return 'text';
    default:
      return type satisfies never;
  }
}
