import fc from 'fast-check';
import { type ConnectorCapabilities } from '../capabilities.js';
import { ConnectorError } from '../connector-error.js';
import { lengthOf, planText } from './plan-text.js';

type Limits = ConnectorCapabilities['text'];

const FAMILY = '👨‍👩‍👧‍👦';
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const utf16 = (maxLength: number): Limits => ({ maxLength, unit: 'utf16', multiline: true });
const codePoints = (maxLength: number): Limits => ({ maxLength, unit: 'code-points', multiline: true });

/** Where graphemes begin. For short texts: the segmenter's time grows with the square of the length. */
function boundariesOf(text: string): Set<number> {
  return new Set([...Array.from(segmenter.segment(text), ({ index }) => index), text.length]);
}

/** Graphemes of a text that a message can hold must be whole: true where each part ends between two of them. */
function cutsNoGrapheme(parts: readonly string[]): boolean {
  const boundaries = boundariesOf(parts.join(''));
  let end = 0;
  return parts.every((part) => boundaries.has((end += part.length)));
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof ConnectorError ? error.code : undefined;
  }
}

/** The same numbers in each run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Whether the text can be told in parts of which none is white space alone, tried in every way. */
function canAvoidBlanks(text: string, { maxLength, unit }: Limits): boolean {
  const ends = [...boundariesOf(text)].sort((a, b) => a - b);
  const reachable = new Set([0]);
  for (const end of ends) {
    for (const start of reachable) {
      const part = text.slice(start, end);
      if (part.trim() !== '' && lengthOf(part, unit) <= maxLength) {
        reachable.add(end);
        break;
      }
    }
  }
  return reachable.has(text.length);
}

describe('planText, for any text', () => {
  const alphabet = [
    'a',
    'b',
    'word',
    ' ',
    ' ',
    '   ',
    '\n',
    '\r\n',
    '\t',
    'e\u0301',
    '🇩🇪',
    '👍🏽',
    FAMILY,
    '字',
    ' \u0301',
  ];
  const limits = [utf16(12), utf16(20), utf16(37), codePoints(8), codePoints(20)];

  it.each(limits)('keeps all its promises within %j', (limit) => {
    const random = randomNumbers(limit.maxLength);
    for (let round = 0; round < 400; round++) {
      const pick = (): string => alphabet[Math.floor(random() * alphabet.length)] ?? '';
      const text = `${Array.from({ length: Math.floor(random() * 60) }, pick).join('')}x`;
      const parts = planText(text, limit);
      expect(parts.join('')).toBe(text);
      expect(parts.every((part) => lengthOf(part, limit.unit) <= limit.maxLength)).toBe(true);
      expect(parts).not.toContain('');
      expect(cutsNoGrapheme(parts)).toBe(true);
    }
  });

  it('has no part of white space alone wherever that can be had', () => {
    const random = randomNumbers(7);
    for (let round = 0; round < 2_000; round++) {
      const limit =
        random() < 0.5 ? utf16(2 + Math.floor(random() * 8)) : codePoints(1 + Math.floor(random() * 8));
      const pick = (): string => ['a', ' ', ' ', ' ', '\n', '字'][Math.floor(random() * 6)] ?? '';
      const text = Array.from({ length: 1 + Math.floor(random() * 30) }, pick).join('');
      if (text.trim() === '') continue;
      const parts = planText(text, limit);
      const hasBlank = parts.some((part) => part.trim() === '');
      expect({ text, parts, hasBlank }).toEqual({ text, parts, hasBlank: !canAvoidBlanks(text, limit) });
    }
  });
});

describe('planText', () => {
  it.each<[string, Limits, string[]]>([
    ['short', utf16(10), ['short']],
    ['exactly 10', utf16(10), ['exactly 10']],
    ['one two three', utf16(8), ['one two ', 'three']],
    ['a longerword', utf16(8), ['a longer', 'word']],
    ['aaaaaaaaaa        bbbb', utf16(10), ['aaaaaaaaa', 'a        ', 'bbbb']],
    ['aaaaaaaaaa ', utf16(10), ['aaaaaaaaa', 'a ']],
    ['         abcdef', utf16(10), ['         a', 'bcdef']],
    ['字字字字', codePoints(3), ['字字字', '字']],
    ['👍👍👍', utf16(4), ['👍👍', '👍']],
    ['👍👍👍', codePoints(2), ['👍👍', '👍']],
    ['👍👍👍', utf16(3), ['👍', '👍', '👍']],
  ])('%j within %j is %j', (text, limits, parts) => {
    expect(planText(text, limits)).toEqual(parts);
  });

  it('sends white space alone only where no neighbour can take it', () => {
    expect(planText(`a${' '.repeat(12)}`, utf16(4))).toEqual(['a   ', '    ', '    ', ' ']);
  });

  it.each([
    ['a\r\nb', 'a b'],
    ['a\n\n\r\rb\n', 'a b '],
    ['PRIVMSG\r\nQUIT', 'PRIVMSG QUIT'],
  ])('%j becomes %j where the platform has no line breaks', (text, expected) => {
    expect(planText(text, { maxLength: 500, unit: 'code-points', multiline: false })).toEqual([expected]);
    expect(planText(text, utf16(500))).toEqual([text]);
  });

  it.each(['', ' ', '\n', ' \t\r\n ', '\u00a0\u3000', '\ufeff'])('refuses %j', (text) => {
    for (const limits of [utf16(10), { ...utf16(10), multiline: false }]) {
      expect(codeOf(() => planText(text, limits))).toBe('PAYLOAD_INVALID');
    }
  });

  it('keeps 10,000 emoji families whole, in order, in as few parts as can be', () => {
    const text = FAMILY.repeat(10_000);
    const cases = [
      [utf16(1600), 145],
      [utf16(2000), 181],
      [codePoints(500), 71],
    ] as const;
    for (const [limits, perPart] of cases) {
      const parts = planText(text, limits);
      expect(parts.join('') === text).toBe(true);
      expect(parts.every((part) => part === FAMILY.repeat(part.length / FAMILY.length))).toBe(true);
      expect(parts).toHaveLength(Math.ceil(10_000 / perPart));
    }
  });

  it.each(['🇩🇪', '👍🏽', FAMILY, 'e\u0301\u0302', 'क्षि', '각'])(
    'keeps each %s whole wherever it stands in a long text',
    (grapheme) => {
      for (const offset of [0, 1, 2, 3]) {
        const text = 'x'.repeat(offset) + grapheme.repeat(1_000);
        const parts = planText(text, utf16(grapheme.length * 3));
        expect(parts.join('') === text).toBe(true);
        const tails = parts.map((part) => part.replace(/^x*/, ''));
        expect(tails.every((tail) => tail === grapheme.repeat(tail.length / grapheme.length))).toBe(true);
      }
    },
  );

  it('cuts a grapheme longer than a message between code points, not within', () => {
    const text = `a${'\u0301'.repeat(50)}${'\u{e0061}'.repeat(50)}`;
    for (const limits of [utf16(7), codePoints(7)]) {
      const parts = planText(text, limits);
      expect(parts.join('')).toBe(text);
      expect(parts.every((part) => part.isWellFormed() && lengthOf(part, limits.unit) <= 7)).toBe(true);
    }
  });

  it('replaces lone surrogates, which no platform takes', () => {
    expect(planText('a\ud83d b\udc68', utf16(100))).toEqual(['a\ufffd b\ufffd']);
  });

  it.each([
    ['words', 'lorem ipsum '.repeat(90_000)],
    ['white space', `a${' '.repeat(1_000_000)}a`],
    ['marks on one letter', `a${'\u0301'.repeat(1_000_000)}`],
  ])('splits a megabyte of %s in time that grows with its length', (_name, text) => {
    expect(planText(text, utf16(1600)).join('') === text).toBe(true);
  });
});

describe('planText, for any text and limit', () => {
  const piece = fc.constantFrom(
    ...[
      'a',
      'word',
      ' ',
      '   ',
      '\n',
      '\r',
      '\r\n',
      '\t',
      '\u00a0',
      '\u2028',
      '\ufeff',
      '字',
      '각',
      '\u1100',
    ],
    ...['e\u0301', ' \u0301', '\n\u0301', '\u0301', '\u200d', '\u0e33', 'क्षि', '🇩🇪', '🇩', '👍🏽', FAMILY],
    ...[
      '\ud800',
      '\udc00',
      '\0',
      '\u{e0061}',
      'a'.repeat(40),
      '\u0301'.repeat(40),
      `${FAMILY}\u200d`.repeat(5),
    ],
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
  );
  const limits: fc.Arbitrary<Limits> = fc.record({
    maxLength: fc.integer({ min: 2, max: 50 }),
    unit: fc.constantFrom('utf16', 'code-points'),
    multiline: fc.boolean(),
  });

  it('loses nothing, keeps within the limit, and cuts only a grapheme that is longer than it', () => {
    fc.assert(
      fc.property(text, limits, (given, limit) => {
        fc.pre(given.trim() !== '');
        const wellFormed = given.toWellFormed();
        const body = limit.multiline ? wellFormed : wellFormed.replace(/[\r\n]+/g, ' ');
        fc.pre(body.trim() !== '');
        const parts = planText(given, limit);
        expect(parts.join('')).toBe(body);
        expect(parts.filter((part) => part === '' || lengthOf(part, limit.unit) > limit.maxLength)).toEqual(
          [],
        );
        const tooLong = new Set<number>();
        for (const { index, segment } of segmenter.segment(body)) {
          if (lengthOf(segment, limit.unit) <= limit.maxLength) continue;
          for (let i = index; i < index + segment.length; i++) tooLong.add(i);
        }
        const boundaries = boundariesOf(body);
        let end = 0;
        const bad = parts.filter((part) => !boundaries.has((end += part.length)) && !tooLong.has(end));
        expect(bad).toEqual([]);
      }),
      { numRuns: 3_000 },
    );
  });

  const longest = 100_000;
  const kinds = {
    letters: 'a',
    words: 'lorem ipsum ',
    'white space': ' ',
    'line breaks': '\r\n',
    'no-break spaces with marks': '\u00a0\u0301',
    ideographs: '字',
    'letters with marks': 'e\u0301',
    flags: '🇩🇪',
    families: FAMILY,
    'lone surrogates': '\ud800',
    'one chain of joined people': '👩\u200d',
    'marks on one letter': '\u0301',
  };
  it.each(Object.entries(kinds))('takes less than 50 ms of CPU for 100,000 units of %s', (_name, unit) => {
    const given = `a${unit.repeat(Math.ceil(longest / unit.length))}`.slice(0, longest);
    const costs = [utf16(1600), utf16(2000), codePoints(500)].map((limit) => {
      // The least of several: the first compiles, and the machine is not ours alone.
      const runs = Array.from({ length: 5 }, () => {
        const before = process.cpuUsage();
        planText(given, limit);
        const { system, user } = process.cpuUsage(before);
        return (system + user) / 1_000;
      });
      return Math.min(...runs);
    });
    expect(Math.max(...costs)).toBeLessThan(50);
  });
});
