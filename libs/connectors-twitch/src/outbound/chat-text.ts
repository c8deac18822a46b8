import { planText } from '@bitbrat/connectors-core';
import { TWITCH_CAPABILITIES } from '../capabilities.js';

/**
 * Stands in front of a text that Twitch could take for a command. It must be a character that nobody strips, and that
 * begins no command itself.
 */
const SHIELD = '> ';

/**
 * Characters that reach the chat for certain, signs of commands apart: printable ASCII, and letters that Unicode has had
 * since its first versions. Twitch drops some invisible characters and those of the newest versions of Unicode, and
 * which of them changes without notice.
 */
const KEPT = [
  '!-\\-0-\\[\\]-~',
  '\\u00c0-\\u024f\\u0391-\\u03a1\\u03a3-\\u03c9\\u0410-\\u044f\\u05d0-\\u05ea\\u0621-\\u063a\\u0641-\\u064a',
  '\\u0905-\\u0939\\u0e01-\\u0e2e\\u3041-\\u3094\\u30a1-\\u30fa\\u4e00-\\u9fa5\\uac00-\\ud7a3',
].join('');

/** `/`, `.` or `\` as the first character, whichever of those before it Twitch drops. */
const COMMAND = new RegExp(`^[^${KEPT}/.\\\\]*[/.\\\\]`, 'u');

/**
 * What Chatterino and 7TV append to a repeated text without a space. Twitch keeps it today because emoji need it, and does
 * not promise that.
 */
const JOINER = ' \u034f';

/** Room that the parts of a long text leave for white space that is moved into them. */
const MOVED_LIMIT = 10;

/**
 * The texts of the messages that carry `text`, in order, each fit to be sent as it is.
 *
 * Control characters become spaces, so that none ends the line or frames an action. A text that could begin a command
 * (`/`, `.`, `\`) gets `> ` in front, so that it is shown and nothing is executed.
 * @throws ConnectorError PAYLOAD_INVALID where there is nothing to see
 */
export function planChatTexts(text: string): string[] {
  const limits = TWITCH_CAPABILITIES.text;
  const printable = text.replace(/[^\P{Cc}\t\r\n]/gu, ' ');
  const whole = planText(printable, limits);
  const parts =
    whole.length === 1
      ? whole
      : planText(printable, { ...limits, maxLength: limits.maxLength - MOVED_LIMIT });
  // Twitch ignores a message of white space alone, and would never confirm it.
  const visible = parts.filter((part) => part.trim() !== '');
  return toFront(visible).map((part) => (COMMAND.test(part) ? `${SHIELD}${part}` : part));
}

/**
 * The same text to the eye, and another one to Twitch, which refuses a text that is identical to the one before: with its
 * first space doubled, or with a character at its end that is not shown. Twitch documents neither, so it may still refuse.
 */
export function vary(text: string): string {
  const shown = text.startsWith(SHIELD) ? text.slice(SHIELD.length) : text;
  const space = shown.indexOf(' ', shown.search(/\S/));
  const at = text.length - shown.length + space;
  const isInside = space > 0 && text.slice(at).trim() !== '';
  return isInside ? `${text.slice(0, at)} ${text.slice(at)}` : `${text}${JOINER}`;
}

/** Twitch cuts white space at a message's end, so what separates two parts stands at the front of the second. */
function toFront(parts: readonly string[]): string[] {
  const moved: string[] = [];
  let carried = '';
  for (const [i, part] of parts.entries()) {
    const body = i === parts.length - 1 ? part : part.trimEnd();
    const blank = part.slice(body.length);
    const fits = blank.length <= MOVED_LIMIT;
    moved.push(carried + (fits ? body : part));
    carried = fits ? blank : '';
  }
  return moved;
}
