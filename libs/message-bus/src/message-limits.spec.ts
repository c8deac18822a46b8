import { assertResourceName, measureMessage } from './message-limits.js';
import { BusError, type OutgoingMessage } from './message-bus.js';

const message = (fields: Partial<OutgoingMessage>): OutgoingMessage => ({
  data: Buffer.from('x'),
  attributes: {},
  ...fields,
});
const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, '']));

describe('measureMessage', () => {
  it.each<[string, OutgoingMessage, number]>([
    ['body alone', message({}), 1],
    ['attributes alone', message({ data: new Uint8Array(), attributes: { k: 'é' } }), 3],
    ['all parts', message({ attributes: { key: 'value' }, orderingKey: 'b07' }), 12],
    ['the largest', message({ data: new Uint8Array(10_000_000) }), 10_000_000],
    ['100 attributes', message({ attributes: many(100) }), 291],
    ['largest attribute', message({ attributes: { ['k'.repeat(256)]: 'v'.repeat(1024) } }), 1281],
    ['largest ordering key', message({ orderingKey: 'k'.repeat(1024) }), 1025],
  ])('measures %s', (_name, input, bytes) => {
    expect(measureMessage(input)).toBe(bytes);
  });

  it.each<[string, OutgoingMessage, RegExp]>([
    ['nothing', message({ data: new Uint8Array() }), /empty: give it a body or an attribute/],
    ['too large a body', message({ data: new Uint8Array(10_000_001) }), /10000001 bytes, 10000000 are/],
    ['too large a sum', message({ data: new Uint8Array(9_999_999), orderingKey: 'ab' }), /10000001 bytes/],
    ['101 attributes', message({ attributes: many(101) }), /101 attributes, 100 are/],
    ['an empty key', message({ attributes: { '': 'v' } }), /key of 0 bytes/],
    ['a long key', message({ attributes: { ['é'.repeat(129)]: 'v' } }), /key of 258 bytes, 1 to 256/],
    ['a reserved key', message({ attributes: { google: 'v' } }), /may not begin with "goog"/],
    ['a long value', message({ attributes: { k: 'secret'.repeat(200) } }), /"k" of 1200 bytes, 1024 are/],
    ['a long ordering key', message({ orderingKey: 'k'.repeat(1025) }), /ordering key of 1025 bytes/],
  ])('refuses %s', (_name, input, expected) => {
    const measure = (): number => measureMessage(input);
    expect(measure).toThrow(BusError);
    expect(measure).toThrow(expected);
    expect(measure).not.toThrow(/secret/);
  });
});

describe('assertResourceName', () => {
  it.each(['internal.ingress.v1', 'abc', `a${'b'.repeat(254)}`, 'dev-Internal_x.~+%'])(
    'passes %s',
    (name) => {
      expect(() => {
        assertResourceName('topic', name);
      }).not.toThrow();
    },
  );

  it.each(['', 'ab', '1abc', '.abc', 'googly', 'a/b', 'a b c', 'abcé', `a${'b'.repeat(255)}`])(
    'refuses "%s"',
    (name) => {
      expect(() => {
        assertResourceName('subscription', name);
      }).toThrow(BusError);
    },
  );
});
