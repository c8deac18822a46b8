import { type JsonObject, type JsonValue } from '../../json.js';

/** Discord's channel types, as in its "Channel Types". */
export const channelTypes = {
  text: 0,
  direct: 1,
  voice: 2,
  announcement: 5,
  'announcement-thread': 10,
  thread: 11,
  'private-thread': 12,
} as const;

/** The sandbox's name of a channel type. */
export type ChannelKind = keyof typeof channelTypes;

/** What the bot may do in a channel: all, only read, or not even see it. */
export type Access = 'full' | 'read-only' | 'none';

/** Somebody who writes: a person, a bot or a webhook. */
export interface User {
  readonly id: string;
  readonly username: string;
  readonly kind: 'person' | 'bot' | 'webhook';
}

/** A guild and when the bot joined it. */
export interface Guild {
  readonly id: string;
  readonly name: string;
  /** Its only role beside `@everyone`, named `moderators`; anybody may mention it. */
  readonly roleId: string;
  /** RFC 3339. */
  readonly joinedAt: string;
}

/** Anything that holds messages. */
export interface Channel {
  readonly id: string;
  readonly kind: ChannelKind;
  /** Empty for a direct channel. */
  name: string;
  /** Undefined for a direct channel. */
  readonly guild: Guild | undefined;
  /** The channel that a thread belongs to. */
  readonly parent: Channel | undefined;
  /** Who else is in a direct channel. */
  readonly recipient: User | undefined;
  access: Access;
  archived: boolean;
  lastMessageId: string | null;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Oldest first. */
  readonly messages: Message[];
}

/** A file of a message. */
export interface Attachment {
  readonly id: string;
  readonly filename: string;
  readonly contentType: string;
  readonly description: string | undefined;
  readonly bytes: Buffer;
}

/** Whom a message pings. */
export interface Pings {
  readonly everyone: boolean;
  /** User ids. */
  readonly users: readonly string[];
  /** Role ids. */
  readonly roles: readonly string[];
}

/** A stored message. */
export interface Message {
  readonly id: string;
  readonly channel: Channel;
  readonly author: User;
  content: string;
  readonly nonce: string | number | undefined;
  /** The message that this one answers, by id; it may be gone. */
  readonly replyTo: string | undefined;
  attachments: readonly Attachment[];
  embeds: readonly JsonObject[];
  components: readonly JsonObject[];
  flags: number;
  readonly tts: boolean;
  /** What the sender allowed, as sent; null when nothing was said. */
  allowedMentions: JsonValue;
  pings: Pings;
  /** RFC 3339. */
  readonly timestamp: string;
  /** RFC 3339; null until the first edit. */
  editedTimestamp: string | null;
}

/** Whether a channel is a thread of some kind. */
export function isThread(channel: Channel): boolean {
  return channel.parent !== undefined;
}

/** What the bot may do in a channel; a thread is never more open than its parent. */
export function effectiveAccess(channel: Channel): Access {
  const parent = channel.parent?.access ?? 'full';
  if (channel.access === 'none' || parent === 'none') return 'none';
  return channel.access === 'read-only' || parent === 'read-only' ? 'read-only' : 'full';
}
