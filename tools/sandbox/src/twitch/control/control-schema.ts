import { z } from 'zod';
import { waitMs } from '../../control-request.js';

/** A line break would end the IRC line; nobody can write one on Twitch. */
const line = z.string().refine((text) => !/[\r\n]/.test(text), 'must not hold a line break');
const login = z
  .string()
  .regex(/^[A-Za-z0-9_]{1,25}$/, 'expected a login: 1 to 25 letters, digits, underscores')
  .toLowerCase();
const channel = z
  .string()
  .regex(/^#?[A-Za-z0-9_]{1,25}$/, 'expected the name of a channel')
  .transform((name) => name.replace(/^#/, '').toLowerCase());
const userId = z.string().regex(/^\d{1,20}$/, 'expected decimal digits');
const tags = z.record(z.string().regex(/^[A-Za-z0-9-]+$/, 'expected the name of a tag'), z.string());

const author = {
  /** Who writes. The account is made when there is none. */
  login,
  userId: userId.optional(),
  displayName: line.min(1).max(25).optional(),
};

/** What `POST /twitch/messages` takes: somebody writes in a channel, or whispers. */
export const userMessageSchema = z
  .strictObject({
    ...author,
    channel: channel.optional(),
    /** Login of the recipient of a private message. */
    whisper: login.optional(),
    text: line.min(1).max(2_000),
    /** Written with `/me`. */
    action: z.boolean().default(false),
    /** A cheer of so many bits. */
    bits: z.int().min(1).optional(),
    /** Id of the message in the channel that it answers. */
    replyTo: z.string().optional(),
    /** The channel-point reward that is redeemed. */
    rewardId: z.string().min(1).optional(),
    /** The channel in which it was written, in a shared chat. */
    sourceChannel: channel.optional(),
    /** Further tags, and others than the sandbox would write. */
    tags: tags.default({}),
    /** The message's id; a new UUID when left out. */
    id: z.string().min(1).optional(),
  })
  .refine(({ channel: room, whisper }) => (room === undefined) !== (whisper === undefined), {
    error: 'give either "channel" or "whisper"',
    path: ['channel'],
  });

/** What `POST /twitch/events` takes: whatever else reaches the clients. */
export const twitchEventSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('usernotice'),
    channel,
    ...author,
    /** `sub`, `resub`, `subgift`, `raid`, `announcement`, ...: "USERNOTICE tags", msg-id. */
    msgId: z.string().min(1),
    systemMessage: line.default(''),
    /** What the user wrote with it. */
    text: line.min(1).optional(),
    tags: tags.default({}),
  }),
  /** A moderator clears the chat, or bans or times out a user. */
  z.strictObject({
    kind: z.literal('clearchat'),
    channel,
    login: login.optional(),
    durationSeconds: z.int().min(1).optional(),
  }),
  /** A moderator takes a message away. */
  z.strictObject({ kind: z.literal('clearmsg'), channel, messageId: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('notice'),
    channel: channel.optional(),
    msgId: z.string().min(1),
    text: line.min(1).optional(),
    /** Whose connections get it: all when left out. */
    login: login.optional(),
  }),
  z.strictObject({ kind: z.literal('ping'), login: login.optional() }),
  /** A line as it stands, to try what the real Twitch might send. */
  z.strictObject({ kind: z.literal('raw'), line: line.min(1), login: login.optional() }),
]);

/** What `PATCH /twitch/channels/{name}` takes. What is left out stays as it is. */
export const channelPatchSchema = z.strictObject({
  suspended: z.boolean().optional(),
  slowSeconds: z.int().min(0).optional(),
  emoteOnly: z.boolean().optional(),
  subscribersOnly: z.boolean().optional(),
  followersOnly: z.boolean().optional(),
  /** All moderators, by login. */
  moderators: z.array(login).optional(),
  /** All VIPs, by login. */
  vips: z.array(login).optional(),
  /** All who are banned, by login. */
  banned: z.array(login).optional(),
});

/** What `POST /twitch/tokens` takes: a new pair of tokens for a login. */
export const tokenRequestSchema = z.strictObject({
  ...author,
  /** The bot's, when left out. */
  scopes: z.array(z.string().min(1)).optional(),
  /** Milliseconds. */
  lifeMs: z.int().min(1).optional(),
});

/** What can be asked of a channel's messages. */
export const messageQuerySchema = z.object({
  /** Only what came after this message: its `seq` or its id. */
  after: z.string().default('0'),
  waitMs,
});

/** A user's message, as a caller writes it. */
export type UserMessageInput = z.input<typeof userMessageSchema>;
/** An event, as a caller writes it. */
export type TwitchEventInput = z.input<typeof twitchEventSchema>;
/** An event. */
export type TwitchEvent = z.infer<typeof twitchEventSchema>;
/** New rules of a channel, as a caller writes them. */
export type ChannelPatchInput = z.input<typeof channelPatchSchema>;
/** Wanted tokens, as a caller writes them. */
export type TokenRequestInput = z.input<typeof tokenRequestSchema>;
