/** One word of what a bot writes: which message it belongs to, and its place there from 0. */
export interface Word {
  readonly token: string;
  readonly place: number;
}

/**
 * A text whose every word tells the message and its place, so that what stands on a platform can be accounted for
 * without trusting the service: lost, doubled and misplaced parts show, however the text was split.
 */
export function wordsOf(token: string, count: number): string {
  return Array.from({ length: count }, (_, place) => `${token}.${place}`).join(' ');
}

const WORD = /\b([ae]\d+)\.(\d+)\b/g;

/** The words of a text in their order; whatever else stands in it is left out. */
export function readWords(text: string): readonly Word[] {
  return [...text.matchAll(WORD)].map(([, token = '', place]) => ({ token, place: Number(place) }));
}

/** What a person writes: its token first. */
export function personText(token: string, length: number): string {
  return `${token} ${'lorem ipsum '.repeat(Math.ceil(length / 12))}`.slice(0, Math.max(length, token.length));
}

/** The token of a person's text; undefined where it is none of the campaign's. */
export function readToken(text: string): string | undefined {
  return /^m\d+/.exec(text)?.[0];
}

/** The token of the answer to a person's message. */
export function answerToken(token: string): string {
  return token.replace('m', 'a');
}
