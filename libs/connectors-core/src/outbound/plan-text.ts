import { type ConnectorCapabilities, type LengthUnit } from '../capabilities.js';
import { ConnectorError } from '../connector-error.js';

type TextLimits = ConnectorCapabilities['text'];

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

const WHITE_SPACE = /^\s/u;
/** White space that nothing joins (UAX #29, GB4). */
const CONTROL = /^[\t-\r\u2028\u2029\ufeff]/u;
/** What makes one grapheme with other white space before it (UAX #29, GB9 and GB9a). */
const JOINS = /^[\p{M}\p{Grapheme_Extend}\p{Emoji_Modifier}\u200d\u0e33\u0eb3]/u;

/** Length of a text as the platform counts it. */
export function lengthOf(text: string, unit: LengthUnit): number {
  if (unit === 'utf16') return text.length;
  let length = 0;
  for (let i = 0; i < text.length; i += widthAt(text, i)) length += 1;
  return length;
}

/**
 * The texts of the messages that carry `text` to a platform, in order.
 *
 * No character is lost or cut: the parts joined are the text (after line breaks became spaces, where the platform has
 * none, and lone surrogates U+FFFD). A part ends after white space where that wastes less than half of it, else
 * between two graphemes; a grapheme that is longer than a whole message is cut between code points. A part of white
 * space alone would be refused, so white space shares a part with its neighbour, as far as its length allows.
 *
 * The time is linear in the length, whatever the text holds.
 * @throws ConnectorError PAYLOAD_INVALID where there is nothing but white space
 */
export function planText(text: string, limits: TextLimits): string[] {
  const wellFormed = text.toWellFormed();
  const body = limits.multiline ? wellFormed : wellFormed.replace(/[\r\n]+/g, ' ');
  if (body.trim() === '') throw new ConnectorError('PAYLOAD_INVALID', 'the text is empty');
  const parts: string[] = [];
  let start = 0;
  // Behind the grapheme that the last part has cut, if it has.
  let cutGraphemeEnd = 0;
  while (start < body.length) {
    const from = Math.max(start, cutGraphemeEnd);
    const limit = advance(body, start, limits.maxLength, limits.unit);
    const end = endOfPart(body, start, from, limit, limits);
    if (end === undefined && limit > cutGraphemeEnd) cutGraphemeEnd = graphemeEnd(body, start, limit);
    parts.push(body.slice(start, end ?? limit));
    start = end ?? limit;
  }
  return parts;
}

/**
 * Where the part ends that begins at `start` and may reach to `limit`; undefined where one grapheme reaches beyond it.
 * @param from where the first grapheme begins that may be cut from what is before it
 */
function endOfPart(
  text: string,
  start: number,
  from: number,
  limit: number,
  { maxLength, unit }: TextLimits,
): number | undefined {
  if (limit === text.length) return limit;
  if (from > limit) return undefined;
  const last = graphemeStart(text, from, limit);
  if (last === start) return undefined;
  const end = beforeSharedBlank(text, start, from, last);
  const half = Math.ceil(maxLength / 2);
  const earliest = unit === 'utf16' ? start + half : advance(text, start, half, unit);
  return lastWordEnd(text, start, end, Math.max(earliest, from)) ?? end;
}

/** Where the grapheme begins that holds the code unit at `index`. @param from the beginning of a grapheme */
function graphemeStart(text: string, from: number, index: number): number {
  // The code point behind a place, and what is before it, decide whether a grapheme ends there.
  const window = text.slice(from, index + widthAt(text, index));
  return from + (segmenter.segment(window).containing(index - from)?.index ?? 0);
}

/** Where the grapheme ends that begins at `start` and reaches beyond `limit`. */
function graphemeEnd(text: string, start: number, limit: number): number {
  for (let size = limit - start; ; size *= 2) {
    // Half a surrogate pair would look like another grapheme.
    const window = text.slice(start, start + size + (widthAt(text, start + size - 1) - 1));
    const length = segmenter.segment(window).containing(0)?.segment.length ?? 0;
    if (length < window.length || start + length === text.length) return start + length;
  }
}

/**
 * The end of a part that would end within white space, or before it: the white space and the grapheme before it go to the
 * next part, so that no part consists of white space alone.
 */
function beforeSharedBlank(text: string, start: number, from: number, end: number): number {
  if (!isBlank(text, end)) return end;
  const blank = blankStart(text, start, end);
  if (blank <= from) return end;
  const owner = graphemeStart(text, from, blank - 1);
  return blankStart(text, start, owner) === start ? end : owner;
}

/** The last place from `earliest` to `end` that has a visible character and white space before it. */
function lastWordEnd(text: string, start: number, end: number, earliest: number): number | undefined {
  for (let index = end; index >= earliest; index--) {
    if (!isBlank(text, index - 1)) continue;
    return blankStart(text, start, index) === start ? undefined : index;
  }
  return undefined;
}

/** Where the white space begins that ends at `end`; `end` where there is none. */
function blankStart(text: string, start: number, end: number): number {
  let index = end;
  while (index > start && isBlank(text, index - 1)) index -= 1;
  return index;
}

/** Whether the grapheme that begins at `index` is white space, which is always one code unit. */
function isBlank(text: string, index: number): boolean {
  const character = text.charAt(index);
  if (!WHITE_SPACE.test(character)) return false;
  return CONTROL.test(character) || !JOINS.test(String.fromCodePoint(text.codePointAt(index + 1) ?? 0));
}

/** The index `length` units behind `index`, or the last one before it that is between two code points; one code point at least. */
function advance(text: string, index: number, length: number, unit: LengthUnit): number {
  if (unit === 'utf16') {
    const end = index + Math.max(length, widthAt(text, index));
    if (end >= text.length) return text.length;
    return widthAt(text, end - 1) === 2 ? end - 1 : end;
  }
  let end = index;
  for (let count = 0; count < length && end < text.length; count++) end += widthAt(text, end);
  return end;
}

/** Code units of the code point at `index`. */
const widthAt = (text: string, index: number): number => ((text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1);
