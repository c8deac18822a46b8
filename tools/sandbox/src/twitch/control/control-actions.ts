import { randomUUID } from 'node:crypto';
import { type z } from 'zod';
import { type Channel } from '../model/channels.js';
import { ControlError } from './control-error.js';
import { type channelPatchSchema, type TwitchEvent, type userMessageSchema } from './control-schema.js';
import { type Tags } from '../wire/irc-line.js';
import { notice } from '../model/notices.js';
import { type TwitchParts } from '../twitch-parts.js';
import { appearance, noticeLine, roomState, SERVER, standing } from '../wire/wire-messages.js';

/** Where a user's message ended up. */
export interface TwitchMessageReceipt {
  readonly id: string;
  /** Null for a whisper. */
  readonly channel: string | null;
  readonly userId: string;
  /** Position in the channel; null for a whisper. */
  readonly seq: number | null;
  /** How many connections were sent it. */
  readonly delivered: number;
}

/**
 * Writes as a user does.
 * @throws ControlError when the author is banned there, or the message that is answered does not exist
 */
export function writeAsUser(
  message: z.output<typeof userMessageSchema>,
  deps: TwitchParts,
): TwitchMessageReceipt {
  const author = deps.users.ensure(message.login, { id: message.userId, displayName: message.displayName });
  if (message.whisper !== undefined) {
    const to = deps.users.ensure(message.whisper);
    const sent = deps.chat.whisper(author, to, message.text, message.tags, deps.irc.connections);
    return { ...sent, channel: null, userId: author.id, seq: null };
  }
  const channel = deps.channels.ensure(message.channel ?? '');
  if (deps.now() < (channel.bans.get(author.login) ?? 0)) {
    throw new ControlError(409, `${author.login} is banned in ${channel.name} and cannot write there.`);
  }
  if (message.replyTo !== undefined && channel.find(message.replyTo) === undefined) {
    throw new ControlError(404, `replyTo: there is no message ${message.replyTo} in ${channel.name}.`);
  }
  if (message.id !== undefined && channel.find(message.id) !== undefined) {
    throw new ControlError(409, `id: there is a message ${message.id} in ${channel.name} already.`);
  }
  const posted = deps.chat.post(
    channel,
    {
      author,
      text: message.text,
      action: message.action,
      replyTo: message.replyTo,
      extraTags: { ...specialTags(message, deps), ...message.tags },
      via: 'control',
      cut: false,
    },
    undefined,
    message.id,
  );
  const delivered = deps.chat.members(channel).length;
  return { id: posted.id, channel: channel.name, userId: author.id, seq: posted.seq, delivered };
}

/**
 * Lets an event reach the clients.
 * @returns how many connections it was meant for
 * @throws ControlError when it is about a message that does not exist
 */
export function applyEvent(event: TwitchEvent, deps: TwitchParts): number {
  switch (event.kind) {
    case 'usernotice': {
      const channel = deps.channels.ensure(event.channel);
      userNotice(event, channel, deps);
      return deps.chat.members(channel).length;
    }
    case 'clearchat': {
      const channel = deps.channels.ensure(event.channel);
      if (event.login !== undefined) {
        deps.chat.ban(channel, deps.users.ensure(event.login), event.durationSeconds);
      } else {
        for (const message of channel.messages) message.deleted = true;
        deps.chat.clear(channel);
      }
      return deps.chat.members(channel).length;
    }
    case 'clearmsg': {
      const channel = deps.channels.ensure(event.channel);
      const message = channel.find(event.messageId);
      if (message === undefined) {
        throw new ControlError(404, `There is no message ${event.messageId} in ${channel.name}.`);
      }
      deps.chat.remove(channel, message);
      return deps.chat.members(channel).length;
    }
    case 'notice': {
      const { text, msgId } = notice(event.msgId, event.channel);
      const line = noticeLine(event.channel, { msgId, text: event.text ?? text });
      const targets = deps.irc.targets(event.login);
      for (const connection of targets) connection.send(line, 'twitch.tv/commands');
      return targets.length;
    }
    case 'ping': {
      const targets = deps.irc.targets(event.login);
      for (const connection of targets) connection.ping();
      return targets.length;
    }
    case 'raw': {
      const targets = deps.irc.targets(event.login);
      for (const connection of targets) connection.sendRaw(event.line);
      return targets.length;
    }
  }
  event satisfies never;
  return 0;
}

/** Changes who may do what in a channel, and tells those who are there. */
export function patchChannel(
  channel: Channel,
  patch: z.output<typeof channelPatchSchema>,
  deps: TwitchParts,
): void {
  const { moderators, vips, banned } = patch;
  const { suspended, slowSeconds, emoteOnly, subscribersOnly, followersOnly } = channel.rules;
  channel.rules = {
    suspended: patch.suspended ?? suspended,
    slowSeconds: patch.slowSeconds ?? slowSeconds,
    emoteOnly: patch.emoteOnly ?? emoteOnly,
    subscribersOnly: patch.subscribersOnly ?? subscribersOnly,
    followersOnly: patch.followersOnly ?? followersOnly,
  };
  if (vips !== undefined) {
    channel.vips.clear();
    for (const login of vips) channel.vips.add(login);
  }
  if (moderators !== undefined) {
    channel.moderators.clear();
    for (const login of moderators) channel.moderators.add(login);
  }
  if (banned !== undefined) {
    channel.bans.clear();
    for (const login of banned) channel.bans.set(login, Infinity);
  }
  deps.chat.broadcast(channel, roomState(channel), 'twitch.tv/commands');
}

function userNotice(
  event: Extract<TwitchEvent, { kind: 'usernotice' }>,
  channel: Channel,
  deps: TwitchParts,
): void {
  const user = deps.users.ensure(event.login, { id: event.userId, displayName: event.displayName });
  deps.chat.broadcast(
    channel,
    {
      tags: {
        ...appearance(user),
        ...standing(user, channel),
        emotes: '',
        flags: '',
        id: randomUUID(),
        login: user.login,
        'msg-id': event.msgId,
        'room-id': channel.owner.id,
        subscriber: '0',
        'system-msg': event.systemMessage,
        'tmi-sent-ts': String(deps.now()),
        'user-id': user.id,
        ...event.tags,
      },
      prefix: SERVER,
      command: 'USERNOTICE',
      params: [`#${channel.name}`],
      ...(event.text === undefined ? {} : { text: event.text }),
    },
    'twitch.tv/commands',
  );
}

function specialTags(message: z.output<typeof userMessageSchema>, { channels }: TwitchParts): Tags {
  const { bits, rewardId, sourceChannel } = message;
  const source = sourceChannel === undefined ? undefined : channels.ensure(sourceChannel);
  return {
    ...(bits === undefined ? {} : { bits: String(bits) }),
    ...(rewardId === undefined ? {} : { 'custom-reward-id': rewardId }),
    ...(source === undefined
      ? {}
      : {
          'source-badge-info': '',
          'source-badges': '',
          'source-id': randomUUID(),
          'source-room-id': source.owner.id,
        }),
  };
}
