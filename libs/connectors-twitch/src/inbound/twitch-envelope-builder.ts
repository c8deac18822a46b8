import {
  type Channel,
  correlationIdOf,
  ENVELOPE_VERSION,
  envelopeId,
  type IngressEnvelope,
  type Metadata,
} from '@bitbrat/envelope';
import { type NativeMessage } from '../platform/native-message.js';

/** The connector's name and the envelopes' source. */
export const TWITCH = 'twitch';

/** Badges that stand for a role in the channel ("PRIVMSG tags"); a founder is a subscriber of the first hour. */
const ROLES: Readonly<Record<string, string>> = {
  broadcaster: 'broadcaster',
  moderator: 'moderator',
  lead_moderator: 'moderator',
  vip: 'vip',
  subscriber: 'subscriber',
  founder: 'subscriber',
};

/** Tags that are handed on as they are, by the name that they get. */
const HANDED_ON: Readonly<Record<string, string>> = {
  color: 'color',
  'custom-reward-id': 'rewardId',
  emotes: 'emotes',
  'msg-id': 'noticeId',
  'reply-parent-msg-id': 'replyParentMessageId',
  'reply-parent-user-id': 'replyParentUserId',
  'reply-parent-user-login': 'replyParentUserLogin',
  'reply-thread-parent-msg-id': 'replyThreadMessageId',
  'room-id': 'roomId',
  'source-id': 'sourceMessageId',
  'source-room-id': 'sourceRoomId',
  'system-msg': 'systemMessage',
  'thread-id': 'threadId',
};

/** Twitch message -> `IngressEnvelope`. Pure. */
export class TwitchEnvelopeBuilder {
  /** @param egressTopic full name of the topic that answers are published to */
  constructor(private readonly egressTopic: string) {}

  /** @param receivedAt RFC 3339, UTC */
  build(message: NativeMessage, receivedAt: string): IngressEnvelope {
    const id = envelopeId(TWITCH, message.id);
    const { displayName, login, room, sentAt, tags, text, userId } = message;
    return {
      v: ENVELOPE_VERSION,
      id,
      type: 'chat.message.v1',
      source: TWITCH,
      from: userId,
      sender: { id: userId, displayName, login, roles: rolesOf(tags), isBot: false },
      channel: toChannel(message),
      text,
      attachments: [],
      occurredAt: sentAt === undefined ? receivedAt : new Date(sentAt).toISOString(),
      receivedAt,
      correlationId: correlationIdOf(id),
      replyTo: {
        topic: this.egressTopic,
        connector: TWITCH,
        destination: room === undefined ? toWhisperDestination(login) : room.name,
        inReplyTo: message.id,
      },
      metadata: toMetadata(message),
    };
  }
}

/** The destination of a whisper's answer; no channel can have such a name. */
export function toWhisperDestination(login: string): string {
  return `@${login}`;
}

/** `subscriber/12,premium/1` -> version by badge. */
export function parseBadges(badges: string | undefined): Record<string, string> {
  const pairs = (badges ?? '').split(',').flatMap((badge): [string, string][] => {
    const slash = badge.indexOf('/');
    return slash <= 0 ? [] : [[badge.slice(0, slash), badge.slice(slash + 1)]];
  });
  return Object.fromEntries(pairs);
}

/** The sender's roles in the channel, each once. */
export function rolesOf(tags: Readonly<Record<string, string>>): string[] {
  const byBadge = Object.keys(parseBadges(tags['badges'])).flatMap((badge) =>
    Object.hasOwn(ROLES, badge) ? (ROLES[badge] ?? []) : [],
  );
  const byTag = [
    ...(tags['mod'] === '1' ? ['moderator'] : []),
    ...(tags['vip'] === undefined || tags['vip'] === '0' ? [] : ['vip']),
    ...(tags['subscriber'] === '1' ? ['subscriber'] : []),
  ];
  return [...new Set([...byBadge, ...byTag])];
}

function toChannel({ displayName, id, room, tags }: NativeMessage): Channel {
  if (room !== undefined) return { id: room.id, kind: 'channel', name: room.name };
  const thread = tags['thread-id'] ?? '';
  return { id: thread === '' ? id : thread, kind: 'direct', name: displayName };
}

function toMetadata({ id, tags, type }: NativeMessage): Metadata {
  const bits = Number(tags['bits'] ?? '');
  const handedOn = Object.entries(HANDED_ON).flatMap(([tag, name]): [string, string][] => {
    const value = tags[tag] ?? '';
    return value === '' ? [] : [[name, value]];
  });
  return {
    messageId: id,
    messageType: type,
    badges: parseBadges(tags['badges']),
    ...Object.fromEntries(handedOn),
    ...(Number.isInteger(bits) && bits > 0 ? { bits } : {}),
    ...(tags['first-msg'] === '1' ? { firstMessage: true } : {}),
    // Twitch sends these for every message while a chat is shared; only a foreign one is marked.
    ...(isForeign(tags) ? { sharedChat: true } : {}),
  };
}

function isForeign(tags: Readonly<Record<string, string>>): boolean {
  const source = tags['source-room-id'] ?? '';
  return source !== '' && source !== tags['room-id'];
}
