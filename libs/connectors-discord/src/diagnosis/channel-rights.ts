import { z } from 'zod';

/** "Bitwise Permission Flags" that the connector needs, by the names of Discord's settings. */
const NEEDED = {
  'View Channel': 1n << 10n,
  'Send Messages': 1n << 11n,
  'Attach Files': 1n << 15n,
  'Read Message History': 1n << 16n,
} as const;
const SEND_MESSAGES_IN_THREADS = 1n << 38n;
const ADMINISTRATOR = 1n << 3n;
const ALL = (1n << 64n) - 1n;

/** "Channel Types": threads, which have no overwrites of their own. */
const THREADS: ReadonlySet<number> = new Set([10, 11, 12]);

/** A right of the bot by the name of Discord's setting. */
export type Right = keyof typeof NEEDED | 'Send Messages in Threads';

const bits = z
  .string()
  .regex(/^\d{1,40}$/)
  .transform(BigInt);

/** A guild as far as rights follow from it. */
export const guildRightsSchema = z.object({
  id: z.string(),
  name: z.string(),
  owner_id: z.string(),
  roles: z.array(z.object({ id: z.string(), permissions: bits })),
});

/** A member as far as rights follow from it. */
export const memberRightsSchema = z.object({ roles: z.array(z.string()) });

/** A channel as far as rights follow from it. */
export const channelRightsSchema = z.object({
  id: z.string(),
  type: z.number(),
  name: z.string().nullish(),
  guild_id: z.string().nullish(),
  parent_id: z.string().nullish(),
  permission_overwrites: z.array(z.object({ id: z.string(), allow: bits, deny: bits })).default([]),
});

export type GuildRights = z.infer<typeof guildRightsSchema>;
export type ChannelRights = z.infer<typeof channelRightsSchema>;

/** The bot in a guild. */
export interface BotStanding {
  readonly userId: string;
  readonly guild: GuildRights;
  /** Ids of its roles, without `@everyone`. */
  readonly roleIds: readonly string[];
}

/** Whether it is a thread, whose rights are those of its parent. */
export function isThread({ type }: ChannelRights): boolean {
  return THREADS.has(type);
}

/**
 * The rights that the bot lacks in a channel, as "Permission Hierarchy" in Discord's documentation says. Pure.
 * @param rightsFrom the channel whose overwrites hold: for a thread its parent
 */
export function missingRights(bot: BotStanding, channel: ChannelRights, rightsFrom: ChannelRights): Right[] {
  const granted = permissionsIn(bot, rightsFrom);
  const needed: [Right, bigint][] = Object.entries(NEEDED).map(([name, bit]) => [name as Right, bit]); // keys of NEEDED
  return needed
    .map(([name, bit]): [Right, bigint] =>
      name === 'Send Messages' && isThread(channel)
        ? ['Send Messages in Threads', SEND_MESSAGES_IN_THREADS]
        : [name, bit],
    )
    .flatMap(([name, bit]) => ((granted & bit) === 0n ? [name] : []));
}

function permissionsIn({ guild, roleIds, userId }: BotStanding, channel: ChannelRights): bigint {
  if (guild.owner_id === userId) return ALL;
  const held = guild.roles.filter(({ id }) => id === guild.id || roleIds.includes(id));
  const base = union(held.map(({ permissions }) => permissions));
  if ((base & ADMINISTRATOR) !== 0n) return ALL;
  const overwritesOf = (ids: readonly string[]) =>
    channel.permission_overwrites.filter(({ id }) => ids.includes(id));
  return [[guild.id], roleIds, [userId]].map(overwritesOf).reduce((granted, overwrites) => {
    const denied = union(overwrites.map(({ deny }) => deny));
    const allowed = union(overwrites.map(({ allow }) => allow));
    return (granted & ~denied) | allowed;
  }, base);
}

function union(all: readonly bigint[]): bigint {
  return all.reduce((sum, each) => sum | each, 0n);
}
