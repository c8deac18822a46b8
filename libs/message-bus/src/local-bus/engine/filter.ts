import { StatusError } from './status-error.js';

/** Whether a subscription takes a message with these attributes. */
export type AttributeFilter = (attributes: Readonly<Record<string, string>>) => boolean;

/** The longest filter (Pub/Sub documentation, "Filter messages from a subscription"). */
const MAX_FILTER_BYTES = 256;

const TOKEN = /\s*(?:[()]|!=|[=,:.-]|"(?:[^"\\]|\\.)*"|[\p{L}_][\p{L}\p{N}_-]*|\S)/guy;

/**
 * Compiles a filter of Pub/Sub's language: `attributes:key`, `attributes.key = "v"`, `attributes.key != "v"`,
 * `hasPrefix(attributes.key, "p")`, with `NOT` or `-`, `AND`, `OR` and parentheses.
 *
 * @param source `''` takes every message
 * @throws StatusError `INVALID_ARGUMENT` that names the place
 */
export function compileFilter(source: string): AttributeFilter {
  if (source.trim() === '') return () => true;
  if (Buffer.byteLength(source) > MAX_FILTER_BYTES) {
    throw new StatusError('INVALID_ARGUMENT', `the filter is longer than ${MAX_FILTER_BYTES} bytes`);
  }
  return new FilterParser(tokenize(source)).parse();
}

function tokenize(source: string): string[] {
  return [...source.trimEnd().matchAll(TOKEN)].map(([token]) => token.trim());
}

class FilterParser {
  #next = 0;

  constructor(private readonly tokens: readonly string[]) {}

  parse(): AttributeFilter {
    const filter = this.#expression();
    if (this.#next < this.tokens.length) this.#fail('AND or OR');
    return filter;
  }

  /** Pub/Sub wants parentheses where AND and OR are mixed. */
  #expression(): AttributeFilter {
    const terms = [this.#term()];
    const operator = this.#peek();
    if (operator !== 'AND' && operator !== 'OR') return terms[0] ?? (() => true);
    while (this.#take(operator)) terms.push(this.#term());
    if (this.#peek() === 'AND' || this.#peek() === 'OR') this.#fail('parentheses around AND beside OR');
    return operator === 'AND'
      ? (attributes) => terms.every((term) => term(attributes))
      : (attributes) => terms.some((term) => term(attributes));
  }

  #term(): AttributeFilter {
    if (this.#take('NOT') || this.#take('-')) {
      const term = this.#term();
      return (attributes) => !term(attributes);
    }
    if (this.#take('(')) {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    if (this.#take('hasPrefix')) return this.#hasPrefix();
    this.#expect('attributes');
    if (this.#take(':')) {
      const key = this.#key();
      return (attributes) => Object.hasOwn(attributes, key);
    }
    this.#expect('.');
    const key = this.#key();
    if (this.#take('=')) {
      const value = this.#text();
      return (attributes) => Object.hasOwn(attributes, key) && attributes[key] === value;
    }
    this.#expect('!=');
    const value = this.#text();
    return (attributes) => Object.hasOwn(attributes, key) && attributes[key] !== value;
  }

  #hasPrefix(): AttributeFilter {
    this.#expect('(');
    this.#expect('attributes');
    this.#expect('.');
    const key = this.#key();
    this.#expect(',');
    const prefix = this.#text();
    this.#expect(')');
    return (attributes) => Object.hasOwn(attributes, key) && attributes[key]?.startsWith(prefix) === true;
  }

  #key(): string {
    const token = this.#peek() ?? '';
    if (token.startsWith('"')) return this.#text();
    if (!/^[\p{L}_]/u.test(token)) this.#fail('the key of an attribute');
    this.#next += 1;
    return token;
  }

  #text(): string {
    const token = this.#peek() ?? '';
    if (!token.startsWith('"')) this.#fail('a text in double quotes');
    this.#next += 1;
    return token.slice(1, -1).replaceAll(/\\(.)/gsu, '$1');
  }

  #peek(): string | undefined {
    return this.tokens[this.#next];
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#next += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) this.#fail(`\`${token}\``);
  }

  #fail(expected: string): never {
    const found = this.#peek();
    const place = found === undefined ? 'at the end' : `before \`${found}\``;
    throw new StatusError('INVALID_ARGUMENT', `the filter is malformed: expected ${expected} ${place}`);
  }
}
