import { z } from 'zod';
import { type JsonObject } from '../../json.js';
import { type DiscordModel } from '../model/discord-model.js';
import { type SessionIdentity } from './gateway-session.js';
import { applicationFlags, type PrivilegedIntent } from './intents.js';
import { type Guild } from '../model/records.js';
import { toWireMember, toWireUser } from './wire.js';

const membersSchema = z.object({
  guild_id: z.string(),
  user_ids: z.union([z.string().transform((id) => [id]), z.array(z.string())]).optional(),
  nonce: z.string().optional(),
});

/** READY's data: who the bot is, and its guilds, which GUILD_CREATE fills in later. */
export function toReady(
  { id, shard }: SessionIdentity,
  guilds: readonly Guild[],
  context: {
    readonly model: DiscordModel;
    readonly privilegedIntents: readonly PrivilegedIntent[];
  },
  resumeUrl: string,
): JsonObject {
  const { bot } = context.model;
  return {
    v: 10,
    user: { ...toWireUser(bot), verified: true, mfa_enabled: false, email: null },
    session_type: 'normal',
    session_id: id,
    resume_gateway_url: resumeUrl,
    shard,
    guilds: guilds.map((guild) => ({ id: guild.id, unavailable: true })),
    private_channels: [],
    relationships: [],
    presences: [],
    application: { id: bot.id, flags: applicationFlags(context.privilegedIntents) },
    _trace: [],
  };
}

/** The answer to a request for members, by id or for the bot alone. Undefined for a request that makes no sense. */
export function toMembersChunk(request: unknown, model: DiscordModel): JsonObject | undefined {
  const parsed = membersSchema.safeParse(request);
  const guild = parsed.success ? model.findGuild(parsed.data.guild_id) : undefined;
  if (!parsed.success || guild === undefined) return undefined;
  const asked = parsed.data.user_ids ?? [model.bot.id];
  const users = asked.flatMap((id) => model.findUser(id) ?? []);
  return {
    guild_id: guild.id,
    members: users.map((user) => ({ ...toWireMember(guild.joinedAt), user: toWireUser(user) })),
    not_found: asked.filter((id) => model.findUser(id) === undefined),
    chunk_index: 0,
    chunk_count: 1,
    nonce: parsed.data.nonce,
  };
}
