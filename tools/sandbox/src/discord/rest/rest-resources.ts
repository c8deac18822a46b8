import { type JsonObject, parseJson } from '../../json.js';
import { ApiError, missingAccess, missingPermissions, unknownChannel, unknownGuild } from '../api-error.js';
import { type DiscordModel } from '../model/discord-model.js';
import { applicationFlags, type PrivilegedIntent } from '../wire/intents.js';
import { createDirectSchema, readForm } from './message-form.js';
import { type Channel, effectiveAccess, type Guild } from '../model/records.js';
import { toWireChannel, toWireGuild, toWireUser } from '../wire/wire.js';

/** The channel of an id. Throws 404/10003, or 403/50001 when the bot cannot see it. */
export function requireReadable(model: DiscordModel, channelId: string): Channel {
  const channel = model.findChannel(channelId);
  if (channel === undefined) throw unknownChannel();
  if (effectiveAccess(channel) === 'none' || !model.isMember(channel.guild)) throw missingAccess();
  return channel;
}

/** As `requireReadable`; throws 403/50013 when the bot cannot write there. */
export function requireWritable(model: DiscordModel, channelId: string): Channel {
  const channel = requireReadable(model, channelId);
  if (effectiveAccess(channel) !== 'full') throw missingPermissions();
  return channel;
}

/** "Get Channel". */
export function getChannel(model: DiscordModel, channelId: string): JsonObject {
  return toWireChannel(requireReadable(model, channelId));
}

/** "Get Guild". */
export function getGuild(model: DiscordModel, guildId: string): JsonObject {
  return toWireGuild(requireGuild(model, guildId), model.bot);
}

/** "Get Guild Channels": all that the guild has, threads left out. */
export function listChannels(model: DiscordModel, guildId: string): readonly JsonObject[] {
  return model.channelsOf(requireGuild(model, guildId), 'channels').map(toWireChannel);
}

/** "List Active Guild Threads": those that the bot sees. */
export function listActiveThreads(model: DiscordModel, guildId: string): JsonObject {
  const threads = model
    .channelsOf(requireGuild(model, guildId), 'threads')
    .filter((thread) => effectiveAccess(thread) !== 'none');
  return { threads: threads.map(toWireChannel), members: [] };
}

/** "Create DM". Throws 400/50033 for somebody whom nobody knows, and for the bot itself. */
export function createDirect(model: DiscordModel, body: Buffer): JsonObject {
  const { recipient_id: recipientId } = readForm(createDirectSchema, parseJson(body.toString('utf8')));
  const recipient = model.findUser(recipientId);
  if (recipient?.kind !== 'person') throw new ApiError(400, 50033, 'Invalid Recipient(s)');
  return toWireChannel(model.directChannel(recipient));
}

/** "Get Current Application". */
export function getApplication(context: {
  readonly model: DiscordModel;
  readonly privilegedIntents: readonly PrivilegedIntent[];
}): JsonObject {
  const { bot } = context.model;
  return {
    id: bot.id,
    name: bot.username,
    icon: null,
    description: '',
    bot_public: false,
    bot_require_code_grant: false,
    verify_key: '',
    flags: applicationFlags(context.privilegedIntents),
    approximate_guild_count: context.model.guilds().length,
    bot: toWireUser(bot),
  };
}

function requireGuild(model: DiscordModel, guildId: string): Guild {
  const guild = model.findGuild(guildId);
  if (guild === undefined) throw unknownGuild();
  return guild;
}
