import { ApiError } from '../api-error.js';
import { toContentType } from './content-type.js';
import {
  type ChannelChange,
  channelChangeSchema,
  type ChannelInput,
  channelSchema,
  type InboundMessage,
  inboundMessageSchema,
} from './control-schema.js';
import { type DiscordModel } from '../model/discord-model.js';
import { type Attachment, type Channel, type Message } from '../model/records.js';

/** Where a message ended up. */
export interface MessageReceipt {
  readonly id: string;
  readonly channelId: string;
}

/** What people and administrators do. Everything throws `ApiError` that says what is wrong. */
export class ControlActions {
  /** @param defaultGuildId the guild of new channels, unless they name another; its first channel takes messages. */
  constructor(
    private readonly model: DiscordModel,
    private readonly defaultGuildId: string,
  ) {}

  /** Writes a message as somebody who is not our bot. */
  receiveMessage(input: InboundMessage): MessageReceipt {
    const message = inboundMessageSchema.parse(input);
    const kind = message.webhook ? 'webhook' : message.bot ? 'bot' : 'person';
    const author = this.model.user(message.author, kind, message.authorId);
    const channel = message.dm ? this.model.directChannel(author) : this.#target(message.channelId);
    if (message.replyTo !== undefined && this.message(message.replyTo).channel !== channel) {
      throw new ApiError(400, 0, `replyTo: message ${message.replyTo} is not in channel ${channel.id}.`);
    }
    const { id } = this.model.addMessage(channel, {
      author,
      content: message.content,
      replyTo: message.replyTo,
      embeds: message.embeds,
      attachments: message.attachments.map(({ filename, contentType, text, base64 }) => ({
        filename,
        contentType: toContentType(filename, contentType),
        description: undefined,
        bytes: base64 === undefined ? Buffer.from(text ?? '') : Buffer.from(base64, 'base64'),
      })),
    });
    return { id, channelId: channel.id };
  }

  /** Creates a channel, or with `parentId` a thread. */
  createChannel(input: ChannelInput): Channel {
    const { parentId, guildId = this.defaultGuildId, kind, ...fields } = channelSchema.parse(input);
    const parent = parentId === undefined ? undefined : this.channel(parentId);
    const guild = parent === undefined ? this.model.findGuild(guildId) : parent.guild;
    if (guild === undefined) throw new ApiError(404, 0, `There is no guild ${guildId}.`);
    if (fields.id !== undefined && this.model.findChannel(fields.id) !== undefined) {
      throw new ApiError(409, 0, `There is a channel ${fields.id} already.`);
    }
    const given = kind ?? (parent === undefined ? 'text' : 'thread');
    return this.model.addChannel({ ...fields, kind: given, guild, parent });
  }

  /** Changes a channel. */
  updateChannel(id: string, change: ChannelChange): Channel {
    const channel = this.channel(id);
    const { name, access, archived } = channelChangeSchema.parse(change);
    this.model.updateChannel(channel, {
      ...(name === undefined ? {} : { name }),
      ...(access === undefined ? {} : { access }),
      ...(archived === undefined ? {} : { archived }),
    });
    return channel;
  }

  /** The channel of an id. Throws 404. */
  channel(id: string): Channel {
    const channel = this.model.findChannel(id);
    if (channel === undefined) throw new ApiError(404, 0, `There is no channel ${id}.`);
    return channel;
  }

  /** The message of an id. Throws 404. */
  message(id: string): Message {
    const message = this.model.findMessage(id);
    if (message === undefined) throw new ApiError(404, 0, `There is no message ${id}.`);
    return message;
  }

  /** An attachment of a channel. Throws 404. */
  attachment(channelId: string, id: string): Attachment {
    const found = this.model
      .findChannel(channelId)
      ?.messages.flatMap(({ attachments }) => attachments)
      .find((attachment) => attachment.id === id);
    if (found === undefined) throw new ApiError(404, 0, `Channel ${channelId} has no attachment ${id}.`);
    return found;
  }

  #target(channelId: string | undefined): Channel {
    if (channelId !== undefined) return this.channel(channelId);
    const guild = this.model.findGuild(this.defaultGuildId);
    const [first] = guild === undefined ? [] : this.model.channelsOf(guild, 'channels');
    if (first !== undefined) return first;
    throw new ApiError(400, 0, 'channelId: there is no channel. Create one: POST /discord/channels.');
  }
}
