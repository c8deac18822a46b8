import fc from 'fast-check';
import { compileFilter } from './filter.js';
import { StatusError } from './status-error.js';

const passes = (filter: string, attributes: Record<string, string>): boolean =>
  compileFilter(filter)(attributes);

describe('compileFilter', () => {
  it.each([
    ['', {}, true],
    ['attributes:kind', { kind: '' }, true],
    ['attributes:kind', {}, false],
    ['attributes.kind = "a"', { kind: 'a' }, true],
    ['attributes.kind="b"', { kind: 'a' }, false],
    ['attributes.ce-type = "chat.message.v1"', { 'ce-type': 'chat.message.v1' }, true],
    ['attributes."a b" = "c\\"d"', { 'a b': 'c"d' }, true],
    ['attributes.kind != "a"', { kind: 'b' }, true],
    ['attributes.kind != "a"', { kind: 'a' }, false],
    ['hasPrefix(attributes.kind, "chat.")', { kind: 'chat.message' }, true],
    ['hasPrefix(attributes.kind, "chat.")', {}, false],
    ['NOT attributes:kind', {}, true],
    ['-attributes:kind', { kind: 'a' }, false],
    ['attributes:a AND attributes:b', { a: '' }, false],
    ['attributes:a OR attributes:b', { a: '' }, true],
    ['attributes:a AND (attributes:b OR NOT attributes:c)', { a: '' }, true],
    ['attributes:constructor', {}, false],
  ])('%s takes %j: %s', (filter, attributes, expected) => {
    expect(passes(filter, attributes)).toBe(expected);
  });

  it.each([
    'attributes',
    'attributes.',
    'attributes.kind',
    'attributes.kind = a',
    'attributes.kind = "a',
    'data = "x"',
    'attributes:a attributes:b',
    'attributes:a AND attributes:b OR attributes:c',
    '(attributes:a',
    'hasPrefix(attributes.kind)',
    `attributes:${'a'.repeat(256)}`,
  ])('refuses %s', (filter) => {
    expect(() => compileFilter(filter)).toThrow(StatusError);
  });

  it('compiles or refuses any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc
            .array(
              fc.constantFrom(
                'attributes',
                ':',
                '.',
                'a',
                '=',
                '"x"',
                '(',
                ')',
                'NOT',
                '-',
                'AND',
                'OR',
                ' ',
              ),
            )
            .map((parts) => parts.join('')),
        ),
        (filter) => {
          try {
            compileFilter(filter)({ a: 'x' });
          } catch (error) {
            expect(error).toBeInstanceOf(StatusError);
          }
        },
      ),
    );
  });
});
