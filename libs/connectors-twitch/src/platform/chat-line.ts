/** One line of Twitch's IRC, parsed and not interpreted. */
export interface ChatLine {
  /** `PRIVMSG`, `NOTICE`, `376`, … */
  readonly command: string;
  /** Tags by name, unescaped. A tag without a value is `''`. */
  readonly tags: Readonly<Record<string, string>>;
  /** The login before the `!` of the prefix, or the server's name; `''` where there is none. */
  readonly source: string;
  readonly params: readonly string[];
  /** As it came. */
  readonly raw: string;
}

/** What tmi.js's parser makes of a line. */
export interface ParsedLine {
  readonly raw: string;
  /** Escaped; `true` for a tag without a value. */
  readonly tags: Readonly<Record<string, string | true>>;
  readonly prefix: string | null;
  readonly command: string | null;
  readonly params: readonly string[];
}

/** To be called before tmi.js interprets the line: it turns the tags `0` and `1` into booleans, user ids and display names included. */
export function toChatLine({ command, params, prefix, raw, tags }: ParsedLine): ChatLine {
  return {
    command: command ?? '',
    tags: Object.fromEntries(
      Object.entries(tags).map(([name, value]) => [name, value === true ? '' : unescapeTag(value)]),
    ),
    source: prefix?.split('!', 1)[0] ?? '',
    params: [...params],
    raw,
  };
}

/** The channel that a line is about, without `#`; undefined where it is about none. */
export function channelOf({ params: [target = ''] }: ChatLine): string | undefined {
  return target.startsWith('#') && isName(target.slice(1)) ? target.slice(1).toLowerCase() : undefined;
}

/** Whether a login or a channel could have this name. Twitch's hold 25 characters; a name without end fits nowhere. */
export function isName(name: string): boolean {
  return name.length > 0 && name.length <= 100;
}

/**
 * A PRIVMSG line.
 * @throws Error where a part could end the line or begin another part: such input is to be refused before
 */
export function formatMessage(channel: string, text: string, tags: Readonly<Record<string, string>>): string {
  const tagged = Object.entries(tags).map(([name, value]) => `${name}=${value}`);
  const line = `@${tagged.join(';')} PRIVMSG #${channel} :${text}`;
  if (/[\0\r\n]/.test(line) || tagged.some((tag) => /[\s;]/.test(tag))) {
    throw new Error('a message would not fit on one line');
  }
  return line;
}

const ESCAPES: Readonly<Record<string, string>> = { ':': ';', s: ' ', r: '\r', n: '\n' };

/** "Escaping values" of IRCv3's message tags: an unknown escape is the character itself, a lone backslash at the end is nothing. */
function unescapeTag(value: string): string {
  return value.includes('\\')
    ? value.replace(/\\(.?)/gs, (_, escaped: string) => ESCAPES[escaped] ?? escaped)
    : value;
}
