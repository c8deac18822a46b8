import { z } from 'zod';

/** "Channel Types" that hold messages themselves: text, voice, announcement and stage channels, and the three kinds of threads. */
const MESSAGE_CHANNEL_TYPES = new Set([0, 2, 5, 10, 11, 12, 13]);

/** Stands for the last message of a channel that never had one: older than every message. */
export const NO_MESSAGE = '0';

const channelSchema = z.object({
  id: z.string(),
  type: z.number(),
  parent_id: z.string().nullish().catch(undefined),
  last_message_id: z
    .string()
    .regex(/^\d{1,20}$/)
    .nullish()
    .catch(undefined),
});

/** A list of which each entry is read by itself: one that is not as documented must not hide the others. */
const list = z.array(z.unknown()).catch([]);

const namedSchema = z.object({ id: z.string() });

const guildSchema = z.object({
  id: z.string(),
  unavailable: z.boolean().optional().catch(undefined),
  channels: list,
  threads: list,
});

const readySchema = z.object({
  user: z.object({ id: z.string() }),
  guilds: list,
});

/** A channel or thread as GUILD_CREATE lists it. */
export interface GuildChannel {
  readonly id: string;
  readonly parentId?: string;
  /** Id of its last message, which may be deleted; `0` where it never had one. */
  readonly newest?: string;
}

/** A guild as GUILD_CREATE brings it: its channels and open threads that hold messages. */
export interface GuildSnapshot {
  readonly id: string;
  readonly channels: readonly GuildChannel[];
}

/** What READY tells. */
export interface ReadyFacts {
  readonly botUserId: string;
  readonly guildIds: readonly string[];
}

/** @returns undefined where it is none, or one that Discord cannot show now */
export function toGuildSnapshot(wire: unknown): GuildSnapshot | undefined {
  const parsed = guildSchema.safeParse(wire);
  if (!parsed.success || parsed.data.unavailable === true) return undefined;
  const { channels, id, threads } = parsed.data;
  return { id, channels: [...channels, ...threads].flatMap(toGuildChannel) };
}

/** @returns undefined where it is none */
export function toReadyFacts(wire: unknown): ReadyFacts | undefined {
  const parsed = readySchema.safeParse(wire);
  if (!parsed.success) return undefined;
  return {
    botUserId: parsed.data.user.id,
    guildIds: parsed.data.guilds.flatMap((guild) => namedSchema.safeParse(guild).data?.id ?? []),
  };
}

function toGuildChannel(wire: unknown): GuildChannel[] {
  const parsed = channelSchema.safeParse(wire);
  if (!parsed.success || !MESSAGE_CHANNEL_TYPES.has(parsed.data.type)) return [];
  const { id, last_message_id: newest, parent_id: parentId } = parsed.data;
  return [
    {
      id,
      ...(parentId ? { parentId } : {}),
      ...(newest === undefined ? {} : { newest: newest ?? NO_MESSAGE }),
    },
  ];
}
