import { z } from 'zod';

const idSchema = z.string().regex(/^\d{1,20}$/);

/** Entries that are as documented; the others are left out. */
const listOf = <T>(entry: z.ZodType<T>): z.ZodType<T[]> =>
  z
    .array(z.unknown())
    .catch([])
    .transform((entries) =>
      entries.flatMap((wire) => {
        const parsed = entry.safeParse(wire);
        return parsed.success ? [parsed.data] : [];
      }),
    );

const userSchema = z.object({
  id: idSchema,
  username: z.string().catch('unknown'),
  global_name: z.string().nullish().catch(undefined),
  bot: z.boolean().optional(),
});

const memberSchema = z.object({ nick: z.string().nullish().catch(undefined), roles: listOf(z.string()) });

const attachmentSchema = z.object({
  url: z.string(),
  filename: z.string().optional().catch(undefined),
  content_type: z.string().nullish().catch(undefined),
  size: z.number().optional().catch(undefined),
});

/** A message as the gateway and the REST API write it ("Message Object"). History has no `member` and no `guild_id`.
 *
 * Strict where it says who wrote what and where; a part beside that is left out where it is not as documented: the text must not be lost for it.
 */
const wireMessageSchema = z.object({
  id: idSchema,
  channel_id: idSchema,
  guild_id: idSchema.optional(),
  author: userSchema,
  member: memberSchema.nullish().catch(undefined),
  content: z.string(),
  timestamp: z.string().catch(''),
  edited_timestamp: z.string().nullish(),
  type: z.number(),
  webhook_id: z.string().optional(),
  mentions: listOf(z.object({ id: idSchema })),
  attachments: listOf(attachmentSchema),
  embeds: listOf(z.unknown()),
  components: listOf(z.unknown()),
  sticker_items: listOf(z.object({ name: z.string() })),
  poll: z.unknown().optional(),
  message_reference: z
    .object({ type: z.number().optional(), message_id: idSchema.optional() })
    .nullish()
    .catch(undefined),
});

const referenceSchema = z.object({
  id: idSchema,
  channel_id: idSchema,
  guild_id: idSchema.optional(),
});

const bulkSchema = z.object({
  ids: listOf(idSchema),
  channel_id: idSchema,
  guild_id: idSchema.optional(),
});

/** "Message Types" that a person writes: an ordinary message and an answer. All others tell of an event, e.g. a pin. */
export const MESSAGE_TYPES = { default: 0, reply: 19 } as const;

/** "Message Reference Types": 1 is a forwarded message. */
const FORWARD = 1;

export interface NativeAttachment {
  readonly url: string;
  readonly contentType?: string;
  readonly fileName?: string;
  /** Bytes. */
  readonly size?: number;
}

/** What of a Discord message the envelope is made of. Plain data. */
export interface NativeMessage {
  readonly id: string;
  readonly channelId: string;
  /** Missing in a direct channel. */
  readonly guildId?: string;
  readonly author: {
    readonly id: string;
    readonly username: string;
    readonly globalName?: string;
    readonly isBot: boolean;
  };
  /** Missing in history. */
  readonly member?: { readonly nick?: string; readonly roleIds: readonly string[] };
  readonly content: string;
  /** RFC 3339, any offset. */
  readonly timestamp: string;
  readonly editedTimestamp?: string;
  readonly type: number;
  readonly webhookId?: string;
  /** Ids of the users that the text mentions. */
  readonly mentions: readonly string[];
  readonly attachments: readonly NativeAttachment[];
  readonly stickers: readonly string[];
  /** Whether it has anything beside text and attachments: embeds, components, a poll, a forwarded message. */
  readonly hasExtras: boolean;
  /** The message that is answered. */
  readonly referencedMessageId?: string;
  readonly isForward: boolean;
}

/** Names a message of which nothing else is known. */
export interface NativeReference {
  readonly id: string;
  readonly channelId: string;
  readonly guildId?: string;
}

/** Reads a message. @param guildId where the message does not say it @returns undefined where it is none */
export function toNativeMessage(wire: unknown, guildId?: string): NativeMessage | undefined {
  const parsed = wireMessageSchema.safeParse(wire);
  if (!parsed.success) return undefined;
  const { author, member, message_reference: reference, ...message } = parsed.data;
  const guild = message.guild_id ?? guildId;
  const isForward = reference?.type === FORWARD;
  const referenced = isForward ? undefined : reference?.message_id;
  return {
    id: message.id,
    channelId: message.channel_id,
    ...(guild === undefined ? {} : { guildId: guild }),
    author: {
      id: author.id,
      username: author.username,
      ...(author.global_name ? { globalName: author.global_name } : {}),
      isBot: author.bot === true,
    },
    ...(member ? { member: toMember(member) } : {}),
    content: message.content,
    timestamp: message.timestamp,
    ...(message.edited_timestamp ? { editedTimestamp: message.edited_timestamp } : {}),
    type: message.type,
    ...(message.webhook_id === undefined ? {} : { webhookId: message.webhook_id }),
    mentions: message.mentions.map(({ id }) => id),
    attachments: message.attachments.map(toNativeAttachment),
    stickers: message.sticker_items.map(({ name }) => name),
    hasExtras:
      message.embeds.length > 0 || message.components.length > 0 || Boolean(message.poll) || isForward,
    ...(referenced === undefined ? {} : { referencedMessageId: referenced }),
    isForward,
  };
}

/** Reads what names a message: a deletion, or an update that brings less than the whole message. */
export function toNativeReference(wire: unknown): NativeReference | undefined {
  const parsed = referenceSchema.safeParse(wire);
  return parsed.success ? toReference(parsed.data.id, parsed.data) : undefined;
}

/** Reads a deletion of many messages at once; what is none has none. */
export function toNativeReferences(wire: unknown): NativeReference[] {
  const parsed = bulkSchema.safeParse(wire);
  return parsed.success ? parsed.data.ids.map((id) => toReference(id, parsed.data)) : [];
}

function toReference(
  id: string,
  place: { readonly channel_id: string; readonly guild_id?: string | undefined },
): NativeReference {
  return {
    id,
    channelId: place.channel_id,
    ...(place.guild_id === undefined ? {} : { guildId: place.guild_id }),
  };
}

function toMember({ nick, roles }: z.infer<typeof memberSchema>): { nick?: string; roleIds: string[] } {
  return { ...(nick ? { nick } : {}), roleIds: roles };
}

function toNativeAttachment(wire: z.infer<typeof attachmentSchema>): NativeAttachment {
  const { content_type: contentType, filename, size, url } = wire;
  return {
    url,
    ...(contentType ? { contentType } : {}),
    ...(filename === undefined ? {} : { fileName: filename }),
    ...(Number.isSafeInteger(size) && size !== undefined && size >= 0 ? { size } : {}),
  };
}
