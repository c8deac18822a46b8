import { type ConnectorCapabilities, type LengthUnit } from './capabilities.js';
import { ConnectorError } from './connector-error.js';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Length of a text as the platform counts it. */
export function lengthOf(text: string, unit: LengthUnit): number {
  return unit === 'utf16' ? text.length : Array.from(text).length;
}

/**
 * The texts of the messages that carry `text` to a platform, in order.
 *
 * No character is lost or cut: the parts joined are the text (after line breaks became spaces, where the platform has
 * none). A part ends after white space where that wastes less than half of it, else between two graphemes; a grapheme that is longer than
 * a whole message is cut between code points. A part of white space alone would be refused, so it stays with its neighbour where it fits.
 * @throws ConnectorError PAYLOAD_INVALID where there is nothing but white space
 */
export function planText(text: string, limits: ConnectorCapabilities['text']): string[] {
  const wellFormed = text.toWellFormed();
  const body = limits.multiline ? wellFormed : wellFormed.replace(/[\r\n]+/g, ' ');
  if (body.trim() === '') throw new ConnectorError('PAYLOAD_INVALID', 'the text is empty');
  const { maxLength, unit } = limits;
  if (lengthOf(body, unit) <= maxLength) return [body];

  const parts: string[] = [];
  let pieces: string[] = [];
  let length = 0;
  let breakAt = 0; // how many pieces of the part end with its last white space
  const flush = (count: number): void => {
    const part = pieces.slice(0, count).join('');
    if (part !== '') parts.push(part);
    pieces = pieces.slice(count);
    length = lengthOf(pieces.join(''), unit);
    breakAt = 0;
  };
  for (const grapheme of splitGraphemes(body, maxLength, unit)) {
    const size = lengthOf(grapheme, unit);
    if (length + size > maxLength) {
      const head = lengthOf(pieces.slice(0, breakAt).join(''), unit);
      flush(head * 2 >= maxLength ? breakAt : pieces.length);
    }
    pieces.push(grapheme);
    length += size;
    if (/^\s+$/u.test(grapheme)) breakAt = pieces.length;
  }
  flush(pieces.length);
  return parts;
}

/** The graphemes of a text; one that is longer than a message comes in pieces of whole code points. */
function* splitGraphemes(text: string, maxLength: number, unit: LengthUnit): Generator<string> {
  for (const { segment } of graphemes.segment(text)) {
    if (lengthOf(segment, unit) <= maxLength) {
      yield segment;
      continue;
    }
    let piece = '';
    for (const codePoint of segment) {
      if (lengthOf(piece + codePoint, unit) > maxLength) {
        yield piece;
        piece = '';
      }
      piece += codePoint;
    }
    yield piece;
  }
}
