import { type Client, type GuildBasedChannel } from 'discord.js';
import { type ChannelFacts } from '../inbound/feed-contract.js';
import { type NativeMessage } from '../platform/native-message.js';

/** View Channel and Read Message History ("Bitwise Permission Flags"). */
const READ_HISTORY = (1n << 10n) | (1n << 16n);

/** What the SDK's cache knows of a guild's channel; undefined where it knows nothing. */
export function factsOfChannel(client: Client, channelId: string): ChannelFacts | undefined {
  const channel = client.channels.cache.get(channelId);
  if (channel === undefined || channel.isDMBased()) return undefined;
  const { guildId, id, name } = channel;
  const readable = isReadable(client, channel);
  if (!channel.isThread()) return { id, kind: 'channel', name, guildId, readable };
  const { parentId } = channel;
  return { id, kind: 'thread', name, guildId, readable, ...(parentId === null ? {} : { parentId }) };
}

/** Names of the roles of a message's sender; a role that the cache lacks goes by its id. */
export function roleNamesOf(client: Client, { guildId, member }: NativeMessage): readonly string[] {
  if (guildId === undefined || member === undefined) return [];
  const roles = client.guilds.cache.get(guildId)?.roles.cache;
  return member.roleIds.map((id) => roles?.get(id)?.name ?? id);
}

/** What cannot be told from the cache is tried. */
function isReadable(client: Client, channel: GuildBasedChannel): boolean {
  if (client.user === null) return true;
  try {
    return channel.permissionsFor(client.user)?.has(READ_HISTORY) ?? true;
  } catch {
    return true;
  }
}
