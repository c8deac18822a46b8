import { planText } from '@bitbrat/connectors-core';
import { TWITCH_CAPABILITIES } from './capabilities.js';

/**
 * A character that chat clients show as nothing and that Twitch neither removes nor takes for white space; clients have used it for years
 * to repeat a text.
 */
const INVISIBLE = '\u{E0000}';

/** Room that the parts of a long text leave for white space that is moved into them. */
const MOVED_LIMIT = 10;

/**
 * The texts of the messages that carry `text`, in order, each fit to be sent as it is.
 *
 * Control characters become spaces, so that none ends the line or frames an action. A text that would begin a command (`/`, `.`, `\`,
 * white space in front included) gets an invisible character in front, so that it is shown and nothing is executed.
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
  return toFront(visible).map((part) => (/^\s*[/.\\]/u.test(part) ? `${INVISIBLE}${part}` : part));
}

/** The same text to the eye, and another one to Twitch, which refuses a text that is identical to the one before. */
export function vary(text: string): string {
  return `${text} ${INVISIBLE}`;
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
