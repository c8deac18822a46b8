import { planChatTexts, vary } from './chat-text.js';

const FAMILY = '👨‍👩‍👧‍👦';

/** Numbers in [0, 1) that are the same in each run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const PIECES = [
  'a',
  'word',
  ' ',
  '   ',
  '\t',
  '/',
  '.',
  '\\',
  '\r\n',
  '\n',
  '\0',
  '\u0001',
  '/ban x',
  FAMILY,
  'é',
  '\ud800',
  '你好',
  ';',
  ':',
  '@',
];

function randomText(random: () => number): string {
  const count = Math.floor(random() * 400);
  return Array.from({ length: count }, () => PIECES[Math.floor(random() * PIECES.length)]).join('');
}

/** What a reader sees, white space apart. */
function visible(text: string): string {
  return text.replace(/[\s\p{Cc}\u{E0000}]+/gu, '');
}

describe('planChatTexts', () => {
  it.each([
    ['hello', ['hello']],
    ['one\r\ntwo\nthree', ['one two three']],
    ['nul\0bell\u0007del\u007f', ['nul bell del ']],
    ['\u0001ACTION waves\u0001', [' ACTION waves ']],
    ['/ban alice', ['\u{E0000}/ban alice']],
    ['  /ban alice', ['\u{E0000}  /ban alice']],
    ['\r\n/ban alice', ['\u{E0000} /ban alice']],
    ['\0/ban alice', ['\u{E0000} /ban alice']],
    ['/me waves', ['\u{E0000}/me waves']],
    ['.timeout bob 1', ['\u{E0000}.timeout bob 1']],
    ['...', ['\u{E0000}...']],
    ['\\ban bob', ['\u{E0000}\\ban bob']],
    ['a /ban', ['a /ban']],
    ['half \ud83d emoji', ['half \ufffd emoji']],
  ])('%j becomes %j', (text, expected) => {
    expect(planChatTexts(text)).toEqual(expected);
  });

  it.each(['', '   ', '\r\n', '\0\0', '\u0001'])('%j is empty', (text) => {
    expect(() => planChatTexts(text)).toThrow('empty');
  });

  it('defuses each part of a long text', () => {
    const parts = planChatTexts(`${'x'.repeat(470)} /ban alice ${'y'.repeat(470)} .timeout bob`);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(part).not.toMatch(/^\s*[/.\\]/);
  });

  it('keeps the space between two parts, which Twitch would cut at the end of the first', () => {
    const text = Array.from({ length: 400 }, (_, i) => `w${i}`).join(' ');
    const parts = planChatTexts(text);
    expect(parts.map((part) => part.trimEnd()).join('')).toBe(text);
  });

  it('keeps whole emoji together', () => {
    const parts = planChatTexts(FAMILY.repeat(909));
    for (const part of parts) expect(part).toBe(FAMILY.repeat(part.length / FAMILY.length));
    expect(parts.join('')).toBe(FAMILY.repeat(909));
  });

  it('sends no part of white space alone', () => {
    expect(planChatTexts(`a${' '.repeat(2_000)}b`).map((part) => part.trim())).toEqual(['a', 'b']);
  });

  it('lets nothing through that ends a line, frames an action or begins a command, and loses nothing to be seen', () => {
    const random = randomNumbers(7);
    for (let i = 0; i < 300; i++) {
      const text = `${randomText(random)}x`;
      const parts = planChatTexts(text);
      for (const part of parts) {
        expect(part).not.toMatch(/[^\P{Cc}\t]/u);
        expect(part).not.toMatch(/^\s*[/.\\]/u);
        expect(part.isWellFormed()).toBe(true);
        expect(vary(part).length).toBeLessThan(500);
      }
      expect(visible(parts.join(''))).toBe(visible(text.toWellFormed()));
    }
  });
});

describe('vary', () => {
  it('looks the same and is another text', () => {
    expect(vary('hi')).not.toBe('hi');
    expect(visible(vary('hi'))).toBe('hi');
    expect(vary('hi').trimEnd()).toBe(vary('hi'));
  });
});
