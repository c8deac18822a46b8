import { createHash } from 'node:crypto';
import { channelOf, type ChatLine, isName } from './chat-line.js';

/** What of a Twitch message the envelope is made of. */
export interface NativeMessage {
  readonly id: string;
  /** `chat`, `action` (`/me`), `whisper`, or what a notice with a text of its writer is about: `resub`, `announcement`, … */
  readonly type: string;
  /** Numeric user id; the login where Twitch gave none. */
  readonly userId: string;
  readonly login: string;
  readonly displayName: string;
  readonly text: string;
  /** Milliseconds since 1970; undefined where Twitch gave none, as for whispers. */
  readonly sentAt: number | undefined;
  /** Undefined for a whisper. */
  readonly room: { readonly id: string; readonly name: string } | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** The CTCP frame of `/me`. */
const CTCP = '\u0001';
const ACTION = `${CTCP}ACTION `;

/** The message that somebody has written with this line; undefined where the line is none or lacks what makes one. */
export function toNativeMessage(line: ChatLine): NativeMessage | undefined {
  const { command, params, source, tags } = line;
  const text = params[1];
  if (text === undefined) return undefined;
  const room = channelOf(line);
  switch (command) {
    case 'PRIVMSG': {
      if (room === undefined || !isName(source)) return undefined;
      const action = actionIn(text);
      return toMessage(line, room, {
        type: action === undefined ? 'chat' : 'action',
        login: source,
        text: action ?? text,
      });
    }
    case 'USERNOTICE': {
      const login = tags['login'] ?? '';
      if (room === undefined || !isName(login)) return undefined;
      return toMessage(line, room, { type: tags['msg-id'] ?? 'notice', login, text });
    }
    case 'WHISPER':
      if (!isName(source)) return undefined;
      return toMessage(line, undefined, { type: 'whisper', login: source, text });
    default:
      return undefined;
  }
}

function toMessage(
  { raw, tags }: ChatLine,
  room: string | undefined,
  facts: Pick<NativeMessage, 'type' | 'login' | 'text'>,
): NativeMessage {
  return {
    ...facts,
    id: usable(idOf(tags, room)) ?? createHash('sha256').update(raw).digest('hex').slice(0, 32),
    userId: present(tags['user-id']) ?? facts.login,
    displayName: present(tags['display-name']) ?? facts.login,
    sentAt: sentAtOf(tags),
    room: room === undefined ? undefined : { id: present(tags['room-id']) ?? room, name: room },
    tags,
  };
}

/** When Twitch sent the line, in milliseconds since 1970; undefined where it does not say so. */
export function sentAtOf(tags: ChatLine['tags']): number | undefined {
  const sentAt = Number(tags['tmi-sent-ts'] ?? '');
  return isTime(sentAt) ? sentAt : undefined;
}

function actionIn(text: string): string | undefined {
  if (!text.startsWith(ACTION)) return undefined;
  return text.slice(ACTION.length, text.endsWith(CTCP) ? -CTCP.length : undefined);
}

/** A whisper is numbered within the conversation of the two. */
function idOf(tags: Readonly<Record<string, string>>, room: string | undefined): string | undefined {
  if (room !== undefined) return present(tags['id']);
  const [thread, message] = [present(tags['thread-id']), present(tags['message-id'])];
  return thread === undefined || message === undefined ? undefined : `${thread}-${message}`;
}

/** An envelope's id has no room for a longer one; Twitch's hold 36 characters. */
function usable(id: string | undefined): string | undefined {
  return id !== undefined && id.length <= 200 ? id : undefined;
}

function present(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** What RFC 3339 can write, which ends with the year 9999, and not the zero of a missing tag. */
function isTime(ms: number): boolean {
  return Number.isInteger(ms) && ms > 0 && ms < Date.UTC(10_000);
}
