import fc from 'fast-check';
import { formatMessage } from '../platform/chat-line.js';
import { planChatTexts, vary } from './chat-text.js';

const FAMILY = '👨‍👩‍👧‍👦';

/** What Twitch may drop before it looks for a command: models of which nobody knows the right one. */
const DROPPED: readonly (readonly [string, RegExp])[] = [
  ['nothing', /(?!)/gu],
  ['the tags block', /[\u{e0000}-\u{e0fff}]/gu],
  ['zero-width characters', /[\u200b-\u200f\u2060-\u206f\ufeff\u{e0000}-\u{e0fff}]/gu],
  ['whatever is not shown', /[\p{Cc}\p{Cf}\p{Mn}\p{Me}\p{Z}\p{Cn}\p{Co}\p{Default_Ignorable_Code_Point}]/gu],
  ['whatever is not of Unicode 1.1 or so', /[\u{2000}-\u{2fff}\u{a000}-\u{abff}\u{d7fc}-\u{10ffff}]/gu],
  ['whatever is neither ASCII nor a letter', /[^\u0020-\u007e\p{L}]/gu],
];

const PIECES = [
  ...[
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
  ],
  ...[
    '你好',
    ';',
    ':',
    '@',
    '\u{e0000}',
    '\u200b',
    '\u200d',
    '\u034f',
    '\u2060',
    '\ufeff',
    '\u00ad',
    '\u3164',
    '\ufe0f',
  ],
  ...['\u{1fac6}', '\u2028', '\u0085', '\u00a0', '> ', '. ', '/ ', '..', '\u202e', '\uff0f', '\u0338'],
];
const aText = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 600, size: 'max' }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 1_500, size: 'max' }),
  fc.string({ unit: 'grapheme', maxLength: 700, size: 'max' }),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }).map((pieces) => pieces.join('')),
);
/** A character that is seen at its end, so that there is something to send. */
const someText = aText.map((text) => `${text}x`);

/** What a reader sees, white space apart. */
function visible(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, '');
}

/** As Twitch reads a text: `/`, `.` or `\` before anything begins a command. */
function isCommand(text: string, dropped: RegExp): boolean {
  return /^[/.\\]/.test(text.replace(dropped, '').trim());
}

describe('planChatTexts', () => {
  it.each([
    ['hello', ['hello']],
    ['one\r\ntwo\nthree', ['one two three']],
    ['nul\0bell\u0007del\u007f', ['nul bell del ']],
    ['\u0001ACTION waves\u0001', [' ACTION waves ']],
    ['/ban alice', ['> /ban alice']],
    ['  /ban alice', ['>   /ban alice']],
    ['\r\n/ban alice', ['>  /ban alice']],
    ['\0/ban alice', ['>  /ban alice']],
    ['/me waves', ['> /me waves']],
    ['.timeout bob 1', ['> .timeout bob 1']],
    ['...', ['> ...']],
    ['\u{e0000}/ban alice', ['> \u{e0000}/ban alice']],
    ['\u200b\u034f /ban alice', ['> \u200b\u034f /ban alice']],
    ['\u{1fac6}/ban alice', ['> \u{1fac6}/ban alice']],
    ['你好/ban', ['你好/ban']],
    ['🎉 hello.', ['🎉 hello.']],
    ['\\ban bob', ['> \\ban bob']],
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

  it.each(DROPPED)('lets no command through where Twitch drops %s', (_, dropped) => {
    fc.assert(
      fc.property(someText, (text) => {
        const parts = planChatTexts(text);
        return parts.every((part) => !isCommand(part, dropped) && !isCommand(vary(part), dropped));
      }),
      { verbose: true },
    );
  });

  it('lets nothing through that ends a line or frames an action, within the limits of a line', () => {
    fc.assert(
      fc.property(someText, (text) => {
        for (const part of planChatTexts(text)) {
          expect(part).not.toMatch(/[^\P{Cc}\t]/u);
          expect(part.isWellFormed()).toBe(true);
          expect(vary(part).length).toBeLessThanOrEqual(500);
          const tags = { 'client-nonce': '0'.repeat(32), 'reply-parent-msg-id': '0'.repeat(128) };
          const line = formatMessage('c'.repeat(25), vary(part), tags);
          expect(line).not.toMatch(/[\0\r\n]/);
          expect(Buffer.byteLength(line)).toBeLessThanOrEqual(2_048);
        }
      }),
    );
  });

  it('loses nothing that is seen', () => {
    fc.assert(
      fc.property(someText, (text) => {
        const parts = planChatTexts(text);
        const shields = parts.filter((part) => part.startsWith('> ')).length;
        const seen = visible(parts.join(''));
        const expected = visible(text.toWellFormed());
        expect(seen.length - expected.length).toBeGreaterThanOrEqual(0);
        expect(seen.length - expected.length).toBeLessThanOrEqual(shields);
        expect(seen.replaceAll('>', '')).toBe(expected.replaceAll('>', ''));
      }),
    );
  });
});

describe('vary', () => {
  it.each([
    ['hi', 'hi \u034f'],
    ['hi there', 'hi  there'],
    ['hi there you', 'hi  there you'],
    ['hi ', 'hi  \u034f'],
    ['> /help me', '> /help  me'],
    ['> /help', '> /help \u034f'],
  ])('%j becomes %j', (text, expected) => {
    expect(vary(text)).toBe(expected);
  });

  it('looks the same and is another text, also where Twitch cuts white space at the ends', () => {
    fc.assert(
      fc.property(someText, (text) => {
        for (const part of planChatTexts(text)) {
          expect(vary(part).trim()).not.toBe(part.trim());
          expect(visible(vary(part)).replaceAll('\u034f', '')).toBe(visible(part).replaceAll('\u034f', ''));
        }
      }),
    );
  });
});
