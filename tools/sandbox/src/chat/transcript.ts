import { type ChatMessage, type ChatPlatform } from './chat-platform.js';

/** Shows control characters as a dot, so that nobody's text can move the cursor or recolour the terminal. Keeps line breaks. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/[^\n\P{Cc}]/gu, '·');
}

/** Gives each message the label of who wrote it: a person by the name that was chosen here, others by the platform's. */
export class Transcript {
  readonly #people = new Map<string, string>();

  constructor(private readonly platform: ChatPlatform) {}

  /** A person of this session. */
  add(person: string): void {
    this.#people.set(this.platform.authorOf(person), person);
  }

  /** Whether a person of this session wrote it. */
  isOwn({ author }: ChatMessage): boolean {
    return this.#people.has(author);
  }

  /** How a person is shown: `anna (+15551234567)` where the platform shows another name. */
  labelOf(author: string): string {
    const person = this.#people.get(author);
    return person === undefined || person === author ? author : `${person} (${author})`;
  }

  /** @param to the person of the room, where a room is one person's own */
  format(message: ChatMessage, to?: string): string {
    const towards = to === undefined || message.author === this.platform.authorOf(to) ? '' : ` → ${to}`;
    const label = `${this.labelOf(message.author)}${towards}: `;
    return `${label}${printable(message.text).replaceAll('\n', `\n${' '.repeat(label.length)}`)}`;
  }
}
