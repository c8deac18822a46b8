import { trimOldest } from '../../history-limit.js';
import { type JsonObject, type JsonValue } from '../../json.js';
import { type AllowedMentions, resolvePings } from './mentions.js';
import {
  type Access,
  type Attachment,
  type Channel,
  type ChannelKind,
  type Guild,
  isThread,
  type Message,
  type User,
} from './records.js';
import { type SnowflakeSource } from './snowflake.js';

/** What happened to the state, told to each listener in the order of subscription. */
export type ModelChange =
  | { readonly kind: 'guild-added' | 'guild-removed'; readonly guild: Guild }
  | {
      readonly kind: 'channel-added' | 'channel-updated' | 'channel-removed';
      readonly channel: Channel;
    }
  | {
      readonly kind: 'message-added' | 'message-updated' | 'message-removed';
      readonly message: Message;
    }
  | { readonly kind: 'typing'; readonly channel: Channel; readonly user: User };

/** A file that is to become an attachment. */
export type NewAttachment = Omit<Attachment, 'id'>;

/** A message to store. Whether it may be sent has been checked before. */
export interface NewMessage {
  readonly author: User;
  readonly content: string;
  readonly replyTo?: string | undefined;
  readonly attachments?: readonly NewAttachment[];
  readonly embeds?: readonly JsonObject[];
  readonly components?: readonly JsonObject[];
  readonly nonce?: string | number | undefined;
  readonly tts?: boolean;
  readonly flags?: number;
  readonly allowedMentions?: AllowedMentions | undefined;
}

/** A channel or thread to create. */
export interface NewChannel {
  readonly id?: string | undefined;
  readonly kind: ChannelKind;
  readonly name: string;
  readonly guild: Guild;
  readonly parent?: Channel | undefined;
  readonly access?: Access | undefined;
}

/** Guilds, channels, users and messages: the state that outlives every connection. */
export class DiscordModel {
  readonly #guilds = new Map<string, Guild>();
  /** Guilds that the bot was removed from. They go on without it. */
  readonly #left = new Set<Guild>();
  readonly #channels = new Map<string, Channel>();
  readonly #users = new Map<string, User>();
  readonly #messages = new Map<string, Message>();
  readonly #listeners: ((change: ModelChange) => void)[] = [];

  /**
   * @param bot the account that the bot's token belongs to. @param now milliseconds since the Unix epoch.
   * @param historyLimit messages kept per channel
   */
  constructor(
    readonly bot: User,
    private readonly ids: SnowflakeSource,
    private readonly now: () => number,
    private readonly historyLimit: number,
  ) {
    this.#users.set(bot.id, bot);
  }

  /** Calls `listener` after each change, synchronously. */
  onChange(listener: (change: ModelChange) => void): void {
    this.#listeners.push(listener);
  }

  /** The guilds that the bot is in, in the order of their creation. */
  guilds(): readonly Guild[] {
    return [...this.#guilds.values()].filter((guild) => !this.#left.has(guild));
  }

  /** The guild of an id, if the bot is in it. */
  findGuild(id: string): Guild | undefined {
    const guild = this.#guilds.get(id);
    return guild !== undefined && this.isMember(guild) ? guild : undefined;
  }

  /** Whether the bot is in the guild; true of a direct channel. */
  isMember(guild: Guild | undefined): boolean {
    return guild === undefined || !this.#left.has(guild);
  }

  /** Removes the bot from a guild, or invites it back. Returns whether there is such a guild. */
  setMember(guildId: string, isMember: boolean): boolean {
    const guild = this.#guilds.get(guildId);
    if (guild === undefined) return false;
    if (isMember !== this.isMember(guild)) {
      if (isMember) this.#left.delete(guild);
      else this.#left.add(guild);
      this.#emit({ kind: isMember ? 'guild-added' : 'guild-removed', guild });
    }
    return true;
  }

  /** All channels, threads and direct channels in the order of their creation. */
  channels(): readonly Channel[] {
    return [...this.#channels.values()];
  }

  /** A guild's channels, or its threads that are not archived. */
  channelsOf(guild: Guild, which: 'channels' | 'threads'): readonly Channel[] {
    return this.channels().filter(
      (channel) =>
        channel.guild === guild &&
        (which === 'threads' ? isThread(channel) && !channel.archived : !isThread(channel)),
    );
  }

  findChannel(id: string): Channel | undefined {
    return this.#channels.get(id);
  }

  findUser(id: string): User | undefined {
    return this.#users.get(id);
  }

  findMessage(id: string): Message | undefined {
    return this.#messages.get(id);
  }

  addGuild(name: string, id: string = this.ids.next()): Guild {
    const guild: Guild = { id, name, roleId: this.ids.next(), joinedAt: this.#date() };
    this.#guilds.set(id, guild);
    this.#emit({ kind: 'guild-added', guild });
    return guild;
  }

  addChannel({ id = this.ids.next(), kind, name, guild, parent, access = 'full' }: NewChannel): Channel {
    const channel = this.#store({ id, kind, name, guild, parent, recipient: undefined, access });
    this.#emit({ kind: 'channel-added', channel });
    return channel;
  }

  /** The direct channel with a user, made when there is none. Discord tells nobody of a new one. */
  directChannel(recipient: User): Channel {
    const existing = this.channels().find((channel) => channel.recipient?.id === recipient.id);
    return (
      existing ??
      this.#store({
        id: this.ids.next(),
        kind: 'direct',
        name: '',
        guild: undefined,
        parent: undefined,
        recipient,
        access: 'full',
      })
    );
  }

  updateChannel(
    channel: Channel,
    fields: { readonly name?: string; readonly access?: Access; readonly archived?: boolean },
  ): void {
    Object.assign(channel, fields);
    this.#emit({ kind: 'channel-updated', channel });
  }

  /** Removes a channel with its messages and its threads. */
  removeChannel(channel: Channel): void {
    for (const thread of this.channels()) if (thread.parent === channel) this.removeChannel(thread);
    this.#channels.delete(channel.id);
    for (const { id } of channel.messages) this.#messages.delete(id);
    this.#emit({ kind: 'channel-removed', channel });
  }

  /** The user of an id, or of a name and kind; made when there is none. */
  user(username: string, kind: User['kind'], id?: string): User {
    const known =
      id === undefined
        ? [...this.#users.values()].find((user) => user.username === username && user.kind === kind)
        : this.#users.get(id);
    if (known?.username === username && known.kind === kind) return known;
    const user: User = { id: id ?? this.ids.next(), username, kind };
    this.#users.set(user.id, user);
    return user;
  }

  addMessage(channel: Channel, fields: NewMessage): Message {
    const allowedMentions: JsonValue = fields.allowedMentions ?? null;
    const message: Message = {
      id: this.ids.next(),
      channel,
      author: fields.author,
      content: fields.content,
      nonce: fields.nonce,
      replyTo: fields.replyTo,
      attachments: this.#attach(fields.attachments ?? []),
      embeds: fields.embeds ?? [],
      components: fields.components ?? [],
      flags: fields.flags ?? 0,
      tts: fields.tts ?? false,
      allowedMentions,
      pings: this.#pings(channel, fields.content, fields.replyTo, fields.allowedMentions),
      timestamp: this.#date(),
      editedTimestamp: null,
    };
    channel.messages.push(message);
    channel.lastMessageId = message.id;
    channel.archived = false;
    this.#messages.set(message.id, message);
    for (const { id } of trimOldest(channel.messages, this.historyLimit)) this.#messages.delete(id);
    this.#emit({ kind: 'message-added', message });
    return message;
  }

  editMessage(
    message: Message,
    fields: Partial<Pick<Message, 'content' | 'embeds' | 'components' | 'flags'>> & {
      readonly keptAttachments?: readonly Attachment[];
      readonly newAttachments?: readonly NewAttachment[];
      readonly allowedMentions?: AllowedMentions | undefined;
    },
  ): void {
    const { keptAttachments, newAttachments = [], allowedMentions, ...rest } = fields;
    const content = rest.content ?? message.content;
    const pings = this.#pings(message.channel, content, message.replyTo, allowedMentions);
    const attachments = [...(keptAttachments ?? message.attachments), ...this.#attach(newAttachments)];
    Object.assign(message, rest, { attachments, pings, editedTimestamp: this.#date() });
    if (allowedMentions !== undefined) message.allowedMentions = allowedMentions;
    this.#emit({ kind: 'message-updated', message });
  }

  removeMessage(message: Message): void {
    const { messages } = message.channel;
    messages.splice(messages.indexOf(message), 1);
    this.#messages.delete(message.id);
    this.#emit({ kind: 'message-removed', message });
  }

  /** Shows that somebody writes. */
  type(channel: Channel, user: User): void {
    this.#emit({ kind: 'typing', channel, user });
  }

  #store(
    fields: Pick<Channel, 'id' | 'kind' | 'name' | 'guild' | 'parent' | 'recipient' | 'access'>,
  ): Channel {
    const channel: Channel = {
      ...fields,
      archived: false,
      lastMessageId: null,
      createdAt: this.#date(),
      messages: [],
    };
    this.#channels.set(channel.id, channel);
    return channel;
  }

  #attach(files: readonly NewAttachment[]): readonly Attachment[] {
    return files.map((file) => ({ id: this.ids.next(), ...file }));
  }

  #pings(
    channel: Channel,
    content: string,
    replyTo: string | undefined,
    allowed: AllowedMentions | undefined,
  ): Message['pings'] {
    return resolvePings(content, allowed, {
      isUser: (id) => this.#users.has(id),
      isRole: (id) => channel.guild?.roleId === id,
      repliedUser: replyTo === undefined ? undefined : this.#messages.get(replyTo)?.author.id,
    });
  }

  #emit(change: ModelChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #date(): string {
    return new Date(this.now()).toISOString();
  }
}
