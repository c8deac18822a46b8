import { type Channel, type ChannelRules, type ChatMessage } from '../model/channels.js';
import { type Tags } from '../wire/irc-line.js';
import { type ConnectionView } from '../wire/irc-server.js';

/** A message as the control API shows it. */
export interface TwitchMessageView {
  /** Position in the channel, from 1. */
  readonly seq: number;
  readonly id: string;
  readonly channel: string;
  readonly login: string;
  readonly userId: string;
  readonly displayName: string;
  readonly text: string;
  /** Written with `/me`. */
  readonly action: boolean;
  /** Id of the message that it answers. */
  readonly replyTo: string | null;
  /** Tags beyond those of an ordinary message. */
  readonly tags: Tags;
  /** `irc`: by a connected client. `control`: through the control API. */
  readonly via: 'irc' | 'control';
  /** RFC 3339, UTC. */
  readonly sentAt: string;
  /** The text was longer than 500 characters: its end is missing. */
  readonly cut: boolean;
  readonly deleted: boolean;
}

/** A channel as the control API shows it. */
export interface TwitchChannelView extends ChannelRules {
  readonly name: string;
  readonly roomId: string;
  readonly moderators: readonly string[];
  readonly vips: readonly string[];
  /** Banned for good or timed out. */
  readonly banned: readonly string[];
  /** Who is in it, by login; once per connection. */
  readonly members: readonly string[];
  readonly messages: number;
}

/** What is open and what has been seen. */
export interface TwitchStats {
  readonly connections: readonly ConnectionView[];
  /** Connections asked for since the start, refused ones included. */
  readonly upgrades: number;
  readonly channels: number;
  readonly messages: number;
  readonly commands: number;
  readonly faults: number;
}

export function toMessageView(message: ChatMessage): TwitchMessageView {
  const { author, replyTo, extraTags, sentAt, ...rest } = message;
  return {
    seq: rest.seq,
    id: rest.id,
    channel: rest.channel,
    login: author.login,
    userId: author.id,
    displayName: author.displayName,
    text: rest.text,
    action: rest.action,
    replyTo: replyTo ?? null,
    tags: extraTags,
    via: rest.via,
    sentAt: new Date(sentAt).toISOString(),
    cut: rest.cut,
    deleted: rest.deleted,
  };
}

export function toChannelView(channel: Channel, members: readonly string[]): TwitchChannelView {
  return {
    name: channel.name,
    roomId: channel.owner.id,
    ...channel.rules,
    moderators: [...channel.moderators],
    vips: [...channel.vips],
    banned: [...channel.bans.keys()],
    members,
    messages: channel.messages.length,
  };
}
