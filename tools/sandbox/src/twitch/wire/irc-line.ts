/** Tags of an outgoing message, unescaped. */
export type Tags = Readonly<Record<string, string>>;

/** A line as it came in, taken apart. */
export interface ParsedLine {
  /** Unescaped; a tag without a value has the value `''`. */
  readonly tags: ReadonlyMap<string, string>;
  readonly prefix: string | undefined;
  /** Upper case. */
  readonly command: string;
  /** The text after ` :` is the last of them. */
  readonly params: readonly string[];
}

/** A line to send. */
export interface WireMessage {
  readonly tags?: Tags;
  readonly prefix?: string;
  readonly command: string;
  /** Without spaces. */
  readonly params?: readonly string[];
  /** The last parameter, written after ` :`; may hold spaces and be empty. */
  readonly text?: string;
}

/** Every character that a tag's value cannot hold as it is, and how it is written: IRCv3 "Message Tags". */
const ESCAPES = [
  ['\\', '\\\\'],
  [';', '\\:'],
  [' ', '\\s'],
  ['\r', '\\r'],
  ['\n', '\\n'],
] as const;
const escapeOf = new Map<string, string>(ESCAPES);
const characterOf = new Map<string, string>(ESCAPES.map(([character, escape]) => [escape, character]));

/** Writes a tag's value. */
export function escapeTagValue(value: string): string {
  return value.replace(/[\\; \r\n]/g, (character) => escapeOf.get(character) ?? character);
}

/** Reads a tag's value; a backslash before any other character, or at the end, is left out. */
export function unescapeTagValue(value: string): string {
  return value.replace(/\\(.?)/gs, (escape, character: string) => characterOf.get(escape) ?? character);
}

/** The lines of a frame without empty ones. CR and LF each end a line, so that neither can hide a second command. */
export function splitLines(frame: string): readonly string[] {
  return frame.split(/[\r\n]+/).filter((line) => line !== '');
}

/** Takes a line apart. Undefined when it holds no command. */
export function parseIrcLine(line: string): ParsedLine | undefined {
  const [tagPart, afterTags] = line.startsWith('@') ? cut(line.slice(1)) : ['', line];
  const [prefix, afterPrefix] = afterTags.startsWith(':') ? cut(afterTags.slice(1)) : [undefined, afterTags];
  const textAt = afterPrefix.indexOf(' :');
  const head = textAt === -1 ? afterPrefix : afterPrefix.slice(0, textAt);
  const [command, ...params] = head.split(' ').filter((part) => part !== '');
  if (command === undefined) return undefined;
  if (textAt !== -1) params.push(afterPrefix.slice(textAt + 2));
  return { tags: parseTags(tagPart), prefix, command: command.toUpperCase(), params };
}

/** Writes a line without its CR LF. Tags are sorted by name, as Twitch writes them. */
export function formatIrcLine(message: WireMessage, withTags: boolean): string {
  const parts = [message.command, ...(message.params ?? [])];
  if (message.prefix !== undefined) parts.unshift(`:${message.prefix}`);
  if (withTags && message.tags !== undefined) parts.unshift(`@${formatTags(message.tags)}`);
  if (message.text !== undefined) parts.push(`:${message.text}`);
  return parts.join(' ');
}

function formatTags(tags: Tags): string {
  return Object.keys(tags)
    .sort()
    .map((name) => `${name}=${escapeTagValue(tags[name] ?? '')}`)
    .join(';');
}

function parseTags(text: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const tag of text.split(';')) {
    const equals = tag.indexOf('=');
    const name = equals === -1 ? tag : tag.slice(0, equals);
    if (name !== '') tags.set(name, equals === -1 ? '' : unescapeTagValue(tag.slice(equals + 1)));
  }
  return tags;
}

/** The first word, and what follows it without the spaces between. */
function cut(text: string): readonly [string, string] {
  const space = text.indexOf(' ');
  return space === -1 ? [text, ''] : [text.slice(0, space), text.slice(space).trimStart()];
}
