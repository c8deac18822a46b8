import { type JsonObject } from '../../json.js';
import {
  type Attachment,
  type Channel,
  channelTypes,
  effectiveAccess,
  type Guild,
  isThread,
  type Message,
  type User,
} from '../model/records.js';

/** Permission bits, as in Discord's "Bitwise Permission Flags". */
const permissions = {
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readMessageHistory: 1n << 16n,
  mentionEveryone: 1n << 17n,
  sendMessagesInThreads: 1n << 38n,
};
const everything = Object.values(permissions).reduce((sum, bit) => sum | bit);
const denied = {
  full: 0n,
  'read-only': permissions.sendMessages | permissions.sendMessagesInThreads,
  none: permissions.viewChannel,
};

/** What a message is shown with. */
export interface MessageView {
  /** Base of the attachments' URLs, e.g. `http://127.0.0.1:4010/discord/cdn`. */
  readonly cdnUrl: string;
  /** Finds the message that is answered. */
  find(id: string): Message | undefined;
  findUser(id: string): User | undefined;
  /** Whether the content is shown; without it content, files, embeds and components are empty. */
  shows(message: Message): boolean;
}

export function toWireUser(user: User): JsonObject {
  return {
    id: user.id,
    username: user.username,
    discriminator: user.kind === 'person' ? '0' : '0000',
    global_name: user.kind === 'person' ? user.username : null,
    avatar: null,
    bot: user.kind !== 'person',
    system: false,
    banner: null,
    accent_color: null,
    public_flags: 0,
  };
}

/** A member without its user, as messages carry it. */
export function toWireMember(joinedAt: string): JsonObject {
  return {
    nick: null,
    avatar: null,
    banner: null,
    roles: [],
    joined_at: joinedAt,
    premium_since: null,
    communication_disabled_until: null,
    deaf: false,
    mute: false,
    pending: false,
    flags: 0,
  };
}

export function toWireChannel(channel: Channel): JsonObject {
  const base = { id: channel.id, type: channelTypes[channel.kind], last_message_id: channel.lastMessageId };
  if (channel.recipient !== undefined) {
    return { ...base, flags: 0, recipients: [toWireUser(channel.recipient)] };
  }
  const guildId = channel.guild?.id;
  if (isThread(channel)) {
    return {
      ...base,
      guild_id: guildId,
      parent_id: channel.parent?.id,
      owner_id: null,
      name: channel.name,
      flags: 0,
      rate_limit_per_user: 0,
      message_count: channel.messages.length,
      total_message_sent: channel.messages.length,
      member_count: 1,
      thread_metadata: {
        archived: channel.archived,
        auto_archive_duration: 1440,
        archive_timestamp: channel.createdAt,
        create_timestamp: channel.createdAt,
        locked: false,
      },
    };
  }
  return {
    ...base,
    guild_id: guildId,
    parent_id: null,
    name: channel.name,
    topic: null,
    position: 0,
    nsfw: false,
    flags: 0,
    rate_limit_per_user: 0,
    permission_overwrites: toOverwrites(channel),
  };
}

function toOverwrites(channel: Channel): readonly JsonObject[] {
  if (channel.access === 'full' || channel.guild === undefined) return [];
  return [{ id: channel.guild.id, type: 0, allow: '0', deny: denied[channel.access].toString() }];
}

/** A guild as REST and the head of GUILD_CREATE show it. */
export function toWireGuild(guild: Guild, bot: User): JsonObject {
  return {
    id: guild.id,
    name: guild.name,
    icon: null,
    splash: null,
    discovery_splash: null,
    banner: null,
    description: null,
    owner_id: bot.id,
    application_id: null,
    region: 'loopback',
    afk_channel_id: null,
    afk_timeout: 300,
    system_channel_id: null,
    system_channel_flags: 0,
    rules_channel_id: null,
    public_updates_channel_id: null,
    safety_alerts_channel_id: null,
    verification_level: 0,
    default_message_notifications: 0,
    explicit_content_filter: 0,
    mfa_level: 0,
    nsfw_level: 0,
    premium_tier: 0,
    premium_progress_bar_enabled: false,
    preferred_locale: 'en-US',
    vanity_url_code: null,
    max_members: 500_000,
    features: [],
    emojis: [],
    stickers: [],
    roles: [toWireRole(guild.id, '@everyone', everything, 0), toWireRole(guild.roleId, 'moderators', 0n, 1)],
  };
}

function toWireRole(id: string, name: string, granted: bigint, position: number): JsonObject {
  return {
    id,
    name,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    icon: null,
    unicode_emoji: null,
    position,
    permissions: granted.toString(),
    managed: false,
    mentionable: position > 0,
    flags: 0,
  };
}

/** What GUILD_CREATE adds to a guild. Threads that the bot cannot see are left out, channels are not. */
export function toWireGuildCreate(
  guild: Guild,
  bot: User,
  channels: readonly Channel[],
  threads: readonly Channel[],
): JsonObject {
  return {
    ...toWireGuild(guild, bot),
    joined_at: guild.joinedAt,
    large: false,
    unavailable: false,
    member_count: 1,
    members: [{ ...toWireMember(guild.joinedAt), user: toWireUser(bot) }],
    channels: channels.map(toWireChannel),
    threads: threads.filter((thread) => effectiveAccess(thread) !== 'none').map(toWireChannel),
    presences: [],
    voice_states: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}

/** A message as REST answers it. */
export function toWireMessage(message: Message, view: MessageView): JsonObject {
  const { channel } = message;
  const answered = message.replyTo === undefined ? undefined : view.find(message.replyTo);
  return {
    id: message.id,
    channel_id: channel.id,
    author: toWireUser(message.author),
    webhook_id: message.author.kind === 'webhook' ? message.author.id : undefined,
    ...toWireContent(message, view),
    timestamp: message.timestamp,
    edited_timestamp: message.editedTimestamp,
    tts: message.tts,
    mention_everyone: message.pings.everyone,
    mentions: message.pings.users.flatMap((id) => {
      const user = view.findUser(id);
      return user === undefined ? [] : [toWireUser(user)];
    }),
    mention_roles: message.pings.roles,
    pinned: false,
    flags: message.flags,
    nonce: message.nonce,
    type: message.replyTo === undefined ? 0 : 19,
    ...(message.replyTo === undefined
      ? {}
      : {
          message_reference: {
            type: 0,
            message_id: message.replyTo,
            channel_id: channel.id,
            guild_id: channel.guild?.id,
          },
          referenced_message: answered === undefined ? null : toWireReferenced(answered, view),
        }),
  };
}

function toWireReferenced(message: Message, view: MessageView): JsonObject {
  // Discord nests one level deep: the answered message does not bring the one that it answers itself.
  return toWireMessage({ ...message, replyTo: undefined }, { ...view, shows: () => view.shows(message) });
}

function toWireContent(message: Message, view: MessageView): JsonObject {
  if (!view.shows(message)) return { content: '', attachments: [], embeds: [], components: [] };
  return {
    content: message.content,
    embeds: message.embeds,
    components: message.components,
    attachments: message.attachments.map((attachment) => {
      const url = toAttachmentUrl(view.cdnUrl, message.channel.id, attachment);
      return {
        id: attachment.id,
        filename: attachment.filename,
        description: attachment.description,
        content_type: attachment.contentType,
        size: attachment.bytes.length,
        url,
        proxy_url: url,
      };
    }),
  };
}

/** Where an attachment's bytes are. @param cdnUrl e.g. `http://127.0.0.1:4010/discord/cdn`. */
export function toAttachmentUrl(cdnUrl: string, channelId: string, { id, filename }: Attachment): string {
  return `${cdnUrl}/attachments/${channelId}/${id}/${encodeURIComponent(filename)}`;
}
