import { type JsonObject } from '../../json.js';
import { type DiscordModel, type ModelChange } from '../model/discord-model.js';
import { intents } from './intents.js';
import {
  type Channel,
  channelTypes,
  effectiveAccess,
  type Guild,
  isThread,
  type Message,
} from '../model/records.js';
import { type MessageView, toWireChannel, toWireGuildCreate, toWireMember, toWireMessage } from './wire.js';

/** An event before it is cut to what one session may see. */
export interface GatewayEvent {
  /** Discord's name, e.g. `MESSAGE_CREATE`. */
  readonly type: string;
  /** The intent that a session must have asked for. */
  readonly intent: number;
  /** Decides which shard gets it; undefined for what belongs to no guild. */
  readonly guildId: string | undefined;
  /** The event's data, with or without the content that needs the intent MESSAGE_CONTENT. */
  data(withContent: boolean): JsonObject;
}

/** What events are made from. */
export interface EventContext {
  readonly model: DiscordModel;
  readonly cdnUrl: string;
}

/** Whether the bot gets a message's content without the intent MESSAGE_CONTENT: its own, direct ones, mentions. */
export function isContentFree(message: Message, botId: string): boolean {
  return (
    message.author.id === botId || message.channel.guild === undefined || message.pings.users.includes(botId)
  );
}

/** How messages are shown to somebody with or without the intent MESSAGE_CONTENT. */
export function toMessageView({ model, cdnUrl }: EventContext, withContent: boolean): MessageView {
  return {
    cdnUrl,
    find: (id) => model.findMessage(id),
    findUser: (id) => model.findUser(id),
    shows: (message) => withContent || isContentFree(message, model.bot.id),
  };
}

/** GUILD_CREATE with all channels and threads. */
export function toGuildCreate(model: DiscordModel, guildId: string): GatewayEvent | undefined {
  const guild = model.findGuild(guildId);
  if (guild === undefined) return undefined;
  const data = (): JsonObject =>
    toWireGuildCreate(
      guild,
      model.bot,
      model.channelsOf(guild, 'channels'),
      model.channelsOf(guild, 'threads'),
    );
  return { type: 'GUILD_CREATE', intent: intents.GUILDS, guildId, data };
}

/** GUILD_DELETE: the bot was removed, or the guild has an outage. Nothing but the outage carries the flag. */
export function toGuildDelete(guildId: string, isOutage: boolean): GatewayEvent {
  const data = (): JsonObject => ({ id: guildId, ...(isOutage ? { unavailable: true } : {}) });
  return { type: 'GUILD_DELETE', intent: intents.GUILDS, guildId, data };
}

/** The event that tells of a change, or undefined when the bot may not know of it. */
export function toGatewayEvent(change: ModelChange, context: EventContext): GatewayEvent | undefined {
  if (change.kind !== 'guild-removed' && !context.model.isMember(guildOf(change))) return undefined;
  switch (change.kind) {
    case 'guild-added':
      return toGuildCreate(context.model, change.guild.id);
    case 'guild-removed':
      return toGuildDelete(change.guild.id, false);
    case 'channel-added':
    case 'channel-updated':
    case 'channel-removed':
      return toChannelEvent(change.kind, change.channel);
    case 'message-added':
    case 'message-updated':
    case 'message-removed':
      return toMessageEvent(change.kind, change.message, context);
    case 'typing':
      return toTypingEvent(change.channel, change.user.id);
  }
}

function guildOf(change: ModelChange): Guild | undefined {
  if ('guild' in change) return change.guild;
  return 'message' in change ? change.message.channel.guild : change.channel.guild;
}

const channelEvents = {
  'channel-added': ['CHANNEL_CREATE', 'THREAD_CREATE'],
  'channel-updated': ['CHANNEL_UPDATE', 'THREAD_UPDATE'],
  'channel-removed': ['CHANNEL_DELETE', 'THREAD_DELETE'],
} as const;

function toChannelEvent(kind: keyof typeof channelEvents, channel: Channel): GatewayEvent {
  const [channelEvent, threadEvent] = channelEvents[kind];
  const thread = isThread(channel);
  return {
    type: thread ? threadEvent : channelEvent,
    intent: intents.GUILDS,
    guildId: channel.guild?.id,
    data: () => ({
      ...toWireChannel(channel),
      ...(thread && kind === 'channel-added' ? { newly_created: true } : {}),
    }),
  };
}

const messageEvents = {
  'message-added': 'MESSAGE_CREATE',
  'message-updated': 'MESSAGE_UPDATE',
  'message-removed': 'MESSAGE_DELETE',
} as const;

function toMessageEvent(
  kind: keyof typeof messageEvents,
  message: Message,
  context: EventContext,
): GatewayEvent | undefined {
  const { channel } = message;
  if (effectiveAccess(channel) === 'none') return undefined;
  const { guild } = channel;
  const hasMember = guild !== undefined && message.author.kind !== 'webhook';
  return {
    type: messageEvents[kind],
    intent: guild === undefined ? intents.DIRECT_MESSAGES : intents.GUILD_MESSAGES,
    guildId: guild?.id,
    data: (withContent) =>
      kind === 'message-removed'
        ? { id: message.id, channel_id: channel.id, guild_id: guild?.id }
        : {
            ...toWireMessage(message, toMessageView(context, withContent)),
            channel_type: channelTypes[channel.kind],
            guild_id: guild?.id,
            member: hasMember ? toWireMember(guild.joinedAt) : undefined,
          },
  };
}

function toTypingEvent(channel: Channel, userId: string): GatewayEvent | undefined {
  if (effectiveAccess(channel) === 'none') return undefined;
  const { guild } = channel;
  return {
    type: 'TYPING_START',
    intent: guild === undefined ? intents.DIRECT_MESSAGE_TYPING : intents.GUILD_MESSAGE_TYPING,
    guildId: guild?.id,
    data: () => ({
      channel_id: channel.id,
      guild_id: guild?.id,
      user_id: userId,
      timestamp: Math.floor(Date.now() / 1_000),
    }),
  };
}
