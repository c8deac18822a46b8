import { type Channel, type ChatMessage } from '../model/channels.js';
import { type Tags, type WireMessage } from './irc-line.js';
import { type Notice } from '../model/notices.js';
import { type TwitchUser } from '../model/users.js';

/** The server's own prefix. */
export const SERVER = 'tmi.twitch.tv';

/** The prefix of a line that a user has caused. */
export function prefixOf(login: string): string {
  return `${login}!${login}@${login}.${SERVER}`;
}

/** What a client gets once it has logged in: 001 to 376. */
export function welcome(nick: string): readonly WireMessage[] {
  const line = (command: string, text: string): WireMessage => ({
    prefix: SERVER,
    command,
    params: [nick],
    text,
  });
  return [
    line('001', 'Welcome, GLHF!'),
    line('002', `Your host is ${SERVER}`),
    line('003', 'This server is rather new'),
    line('004', '-'),
    line('375', '-'),
    line('372', 'You are in a maze of twisty passages, all alike.'),
    line('376', '>'),
  ];
}

/** What an account is like everywhere. */
export function globalUserState(user: TwitchUser): WireMessage {
  return {
    tags: { ...appearance(user), 'emote-sets': '0', 'user-id': user.id, 'user-type': '' },
    prefix: SERVER,
    command: 'GLOBALUSERSTATE',
  };
}

/** What an account is like in a channel. After a message of its own: with that message's id and nonce. */
export function userState(user: TwitchUser, channel: Channel, acknowledged: Tags = {}): WireMessage {
  const { badges, mod, 'user-type': userType } = standing(user, channel);
  return {
    tags: {
      ...appearance(user),
      badges,
      mod,
      'emote-sets': '0',
      subscriber: '0',
      'user-type': userType,
      ...acknowledged,
    },
    prefix: SERVER,
    command: 'USERSTATE',
    params: [`#${channel.name}`],
  };
}

/** The rules of a channel. */
export function roomState(channel: Channel): WireMessage {
  const { rules } = channel;
  return {
    tags: {
      'emote-only': flag(rules.emoteOnly),
      'followers-only': rules.followersOnly ? '0' : '-1',
      r9k: '0',
      'room-id': channel.owner.id,
      slow: String(rules.slowSeconds),
      'subs-only': flag(rules.subscribersOnly),
    },
    prefix: SERVER,
    command: 'ROOMSTATE',
    params: [`#${channel.name}`],
  };
}

/** A message as everybody else in the channel gets it. */
export function privmsg(
  message: ChatMessage,
  channel: Channel,
  parent: ChatMessage | undefined,
): WireMessage {
  const { author, text, action } = message;
  return {
    tags: {
      ...appearance(author),
      ...standing(author, channel),
      emotes: '',
      'first-msg': '0',
      flags: '',
      id: message.id,
      'returning-chatter': '0',
      'room-id': channel.owner.id,
      subscriber: '0',
      'tmi-sent-ts': String(message.sentAt),
      turbo: '0',
      'user-id': author.id,
      ...(parent === undefined ? {} : replyTags(parent, channel)),
      ...message.extraTags,
    },
    prefix: prefixOf(author.login),
    command: 'PRIVMSG',
    params: [`#${channel.name}`],
    text: action ? `\u0001ACTION ${text}\u0001` : text,
  };
}

/** A private message. `messageId` counts within the conversation of the two, as at Twitch. */
export function whisper(
  from: TwitchUser,
  to: TwitchUser,
  text: string,
  messageId: string,
  extra: Tags,
): WireMessage {
  return {
    tags: {
      ...appearance(from),
      emotes: '',
      'message-id': messageId,
      'thread-id': threadId(from, to),
      turbo: '0',
      'user-id': from.id,
      'user-type': '',
      ...extra,
    },
    prefix: prefixOf(from.login),
    command: 'WHISPER',
    params: [to.login],
    text,
  };
}

/** Names the conversation of two users, whoever of them writes. */
export function threadId(one: TwitchUser, other: TwitchUser): string {
  const ids = [one.id, other.id].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return ids.join('_');
}

/** A NOTICE to one client, about a channel or, without one, about the connection. */
export function noticeLine(channel: string | undefined, { msgId, text }: Notice): WireMessage {
  return {
    tags: { 'msg-id': msgId },
    prefix: SERVER,
    command: 'NOTICE',
    params: [channel === undefined ? '*' : `#${channel}`],
    text,
  };
}

/** The NOTICE of a failed login, which has no id. */
export function loginFailure(text: string): WireMessage {
  return { prefix: SERVER, command: 'NOTICE', params: ['*'], text };
}

/** The color, the name and the badges that a user has everywhere. */
export function appearance(user: TwitchUser): Tags {
  return { 'badge-info': '', badges: '', color: '', 'display-name': user.displayName };
}

/** The badges and rights that a user has in a channel. */
export function standing(
  user: TwitchUser,
  channel: Channel,
): { readonly badges: string; readonly mod: string; readonly 'user-type': string } {
  if (user.login === channel.name) return { badges: 'broadcaster/1', mod: '0', 'user-type': '' };
  if (channel.moderators.has(user.login)) return { badges: 'moderator/1', mod: '1', 'user-type': 'mod' };
  return { badges: channel.vips.has(user.login) ? 'vip/1' : '', mod: '0', 'user-type': '' };
}

function replyTags(parent: ChatMessage, channel: Channel): Tags {
  const root = threadRoot(parent, channel);
  return {
    'reply-parent-display-name': parent.author.displayName,
    'reply-parent-msg-body': parent.text,
    'reply-parent-msg-id': parent.id,
    'reply-parent-user-id': parent.author.id,
    'reply-parent-user-login': parent.author.login,
    'reply-thread-parent-display-name': root.author.displayName,
    'reply-thread-parent-msg-id': root.id,
    'reply-thread-parent-user-id': root.author.id,
    'reply-thread-parent-user-login': root.author.login,
  };
}

function threadRoot(message: ChatMessage, channel: Channel): ChatMessage {
  let root = message;
  while (root.replyTo !== undefined) {
    const parent = channel.find(root.replyTo);
    if (parent === undefined) break;
    root = parent;
  }
  return root;
}

function flag(on: boolean): string {
  return on ? '1' : '0';
}
