import { type ConnectorCapabilities, type LengthUnit } from './capabilities.js';
import { ConnectorError } from './connector-error.js';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Code units that the segmenter gets at a time. Its time grows with the square of the text's length (Node 20 to 22: a
 * minute for 240,000 units), and texts come from outside.
 */
const SEGMENTER_WINDOW = 1024;

/** Length of a text as the platform counts it. */
export function lengthOf(text: string, unit: LengthUnit): number {
  return unit === 'utf16' ? text.length : Array.from(text).length;
}

/**
 * The texts of the messages that carry `text` to a platform, in order.
 *
 * No character is lost or cut: the parts joined are the text (after line breaks became spaces, where the platform has
 * none, and lone surrogates U+FFFD). A part ends after white space where that wastes less than half of it, else
 * between two graphemes; a grapheme that is longer than a whole message is cut between code points. A part of white
 * space alone would be refused, so white space shares a part with its neighbour, as far as its length allows.
 * @throws ConnectorError PAYLOAD_INVALID where there is nothing but white space
 */
export function planText(text: string, limits: ConnectorCapabilities['text']): string[] {
  const wellFormed = text.toWellFormed();
  const body = limits.multiline ? wellFormed : wellFormed.replace(/[\r\n]+/g, ' ');
  if (body.trim() === '') throw new ConnectorError('PAYLOAD_INVALID', 'the text is empty');
  if (lengthOf(body, limits.unit) <= limits.maxLength) return [body];
  return pack(toPieces(body, limits), limits.maxLength);
}

/** What is never divided between two parts, and its length in the platform's unit. */
interface Piece {
  readonly text: string;
  readonly length: number;
}

/** As few parts as the breaks after white space allow. */
function pack(pieces: readonly Piece[], maxLength: number): string[] {
  const parts: string[] = [];
  let part: Piece[] = [];
  let length = 0;
  let head = { count: 0, length: 0 }; // the part up to its last white space
  const flush = (count: number, flushed: number): void => {
    parts.push(textOf(part.slice(0, count)));
    part = part.slice(count);
    length -= flushed;
    head = { count: 0, length: 0 };
  };
  for (const piece of pieces) {
    if (length + piece.length > maxLength && head.length * 2 >= maxLength) flush(head.count, head.length);
    if (part.length > 0 && length + piece.length > maxLength) flush(part.length, length);
    part.push(piece);
    length += piece.length;
    if (/\s$/u.test(piece.text)) head = { count: part.length, length };
  }
  parts.push(textOf(part));
  return parts;
}

const textOf = (pieces: readonly Piece[]): string => pieces.map((piece) => piece.text).join('');

/**
 * Graphemes, each with the white space that follows it, so that no part is white space alone. Of white space that
 * does not fit, the rest goes with the grapheme behind it, and what does not fit there either stands alone.
 */
function toPieces(text: string, { maxLength, unit }: ConnectorCapabilities['text']): Piece[] {
  const pieces: Piece[] = [];
  let open: Piece | undefined; // a visible grapheme that takes the white space behind it
  let blank: Piece = { text: '', length: 0 }; // white space that waits for the grapheme behind it
  for (const grapheme of splitGraphemes(text, maxLength, unit)) {
    const visible = grapheme.trim() !== '';
    const length = lengthOf(grapheme, unit);
    if (!visible && open !== undefined && blank.length === 0 && open.length + length <= maxLength) {
      open = { text: open.text + grapheme, length: open.length + length };
      continue;
    }
    if (blank.length + length > maxLength) {
      if (open !== undefined) pieces.push(open);
      open = undefined;
      pieces.push(blank);
      blank = { text: '', length: 0 };
    }
    const joined = { text: blank.text + grapheme, length: blank.length + length };
    if (visible) {
      if (open !== undefined) pieces.push(open);
      open = joined;
      blank = { text: '', length: 0 };
    } else {
      blank = joined;
    }
  }
  if (open !== undefined) pieces.push(open);
  if (blank.length > 0) pieces.push(blank);
  return pieces;
}

/** The graphemes of a text; one that is longer than a message comes in pieces of whole code points. */
function* splitGraphemes(text: string, maxLength: number, unit: LengthUnit): Generator<string> {
  for (const segment of graphemesOf(text)) {
    if (lengthOf(segment, unit) <= maxLength) {
      yield segment;
      continue;
    }
    let piece = '';
    let length = 0;
    for (const codePoint of segment) {
      const size = lengthOf(codePoint, unit);
      if (length > 0 && length + size > maxLength) {
        yield piece;
        piece = '';
        length = 0;
      }
      piece += codePoint;
      length += size;
    }
    yield piece;
  }
}

/** The graphemes of a well-formed text, in time that grows with its length. */
function* graphemesOf(text: string): Generator<string> {
  let start = 0;
  let size = SEGMENTER_WINDOW;
  while (start < text.length) {
    let end = start + size;
    // Half a surrogate pair would look like a boundary.
    if ((text.codePointAt(end - 1) ?? 0) > 0xffff) end += 1;
    const window = text.slice(start, end);
    const segments = Array.from(segmenter.segment(window), ({ segment }) => segment);
    // What stands last may go on behind the window; whether it does is seen when it comes first.
    const unfinished = end < text.length ? (segments.pop() ?? '') : '';
    yield* segments;
    start += window.length - unfinished.length;
    size = segments.length === 0 ? size * 2 : SEGMENTER_WINDOW;
  }
}
