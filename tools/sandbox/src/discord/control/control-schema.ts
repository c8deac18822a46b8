import { z } from 'zod';

const id = z.string().regex(/^[0-9]{1,20}$/, { error: 'expected an id of Discord: decimal digits' });
const access = z.enum(['full', 'read-only', 'none']);
const name = z.string().min(1).max(100);

const attachmentSchema = z
  .strictObject({
    filename: z.string().min(1),
    /** Guessed from the file name unless given. */
    contentType: z.string().optional(),
    /** The bytes, either as text or in base64. */
    text: z.string().optional(),
    base64: z.base64().optional(),
  })
  .refine(({ text, base64 }) => (text === undefined) !== (base64 === undefined), {
    error: 'give the bytes as text or as base64, not both',
  });

/** A message that somebody writes. */
export const inboundMessageSchema = z
  .strictObject({
    /** The guild's first channel unless given. */
    channelId: id.optional(),
    /** Writes to the bot directly, instead of in a channel. */
    dm: z.boolean().default(false),
    /** The writer's name. The same name is the same user. */
    author: z.string().min(1).max(80),
    authorId: id.optional(),
    bot: z.boolean().default(false),
    webhook: z.boolean().default(false),
    content: z.string().max(4_000).default(''),
    /** Id of the message that this one answers. */
    replyTo: id.optional(),
    attachments: z.array(attachmentSchema).max(10).default([]),
    embeds: z.array(z.record(z.string(), z.json())).max(10).default([]),
  })
  .refine(({ dm, channelId }) => !dm || channelId === undefined, {
    error: 'a direct message has no channelId: the direct channel follows from the author',
  })
  .refine(({ bot, webhook }) => !bot || !webhook, { error: 'an author is a bot or a webhook, not both' })
  .refine(({ dm, bot, webhook }) => !dm || (!bot && !webhook), { error: 'only people write direct messages' })
  .refine(({ content, attachments, embeds }) => content !== '' || attachments.length + embeds.length > 0, {
    error: 'a message needs content, an attachment or an embed',
  });

/** A change of somebody's message. */
export const editSchema = z.strictObject({ content: z.string().max(4_000) });

/** A channel or thread to create. */
export const channelSchema = z
  .strictObject({
    id: id.optional(),
    name,
    kind: z
      .enum(['text', 'voice', 'announcement', 'thread', 'private-thread', 'announcement-thread'])
      .optional(),
    /** Makes a thread in this channel. */
    parentId: id.optional(),
    /** The first guild unless given. */
    guildId: id.optional(),
    access: access.optional(),
  })
  .refine(
    ({ kind, parentId }) => kind === undefined || kind.endsWith('thread') === (parentId !== undefined),
    {
      error: 'a thread needs a parentId, and nothing else has one',
    },
  );

/** A change of a channel. */
export const channelChangeSchema = z.strictObject({
  name: name.optional(),
  access: access.optional(),
  archived: z.boolean().optional(),
});

/** A guild that the bot joins. */
export const guildSchema = z.strictObject({ id: id.optional(), name });

/** Somebody's typing. */
export const typingSchema = z.strictObject({ channelId: id, author: z.string().min(1) });

/** A message as a caller writes it. */
export type InboundMessage = z.input<typeof inboundMessageSchema>;
/** A channel as a caller writes it. */
export type ChannelInput = z.input<typeof channelSchema>;
/** A change of a channel as a caller writes it. */
export type ChannelChange = z.input<typeof channelChangeSchema>;
/** A guild as a caller writes it. */
export type GuildInput = z.input<typeof guildSchema>;
