import { type JsonObject, type JsonValue } from '../../json.js';
import {
  type Access,
  type Channel,
  type ChannelKind,
  effectiveAccess,
  type Message,
  type Pings,
  type User,
} from '../model/records.js';
import { type Counts } from '../model/traffic.js';
import { toAttachmentUrl } from '../wire/wire.js';

/** A channel as the control interface shows it. */
export interface ChannelView {
  readonly id: string;
  readonly kind: ChannelKind;
  readonly name: string;
  readonly guildId: string | null;
  /** Channel of a thread. */
  readonly parentId: string | null;
  /** Who else is in a direct channel. */
  readonly recipientId: string | null;
  readonly access: Access;
  readonly archived: boolean;
  readonly messageCount: number;
  readonly lastMessageId: string | null;
}

/** An attachment as the control interface shows it. */
export interface AttachmentView {
  readonly id: string;
  readonly filename: string;
  readonly contentType: string;
  readonly size: number;
  readonly url: string;
}

/** A message as the control interface shows it. */
export interface MessageView {
  readonly id: string;
  readonly channelId: string;
  readonly author: { readonly id: string; readonly name: string; readonly kind: User['kind'] };
  /** Whether our bot wrote it. */
  readonly fromBot: boolean;
  readonly content: string;
  readonly nonce: string | number | null;
  readonly replyTo: string | null;
  readonly attachments: readonly AttachmentView[];
  readonly embeds: readonly JsonObject[];
  /** As sent; null when nothing was said. */
  readonly allowedMentions: JsonValue;
  /** Whom it pinged. */
  readonly pings: Pings;
  readonly timestamp: string;
  readonly editedTimestamp: string | null;
}

/** What is open and what has been seen. */
export interface DiscordStats {
  readonly sockets: { readonly open: number; readonly silent: number };
  /** Gateway sessions, and how many of them have a socket. */
  readonly sessions: { readonly alive: number; readonly attached: number };
  /** IDENTIFYs that are left today. */
  readonly sessionStartsLeft: number;
  readonly channels: number;
  readonly messages: number;
  readonly faults: number;
  /** REST requests that a fault leaves without an answer. */
  readonly heldRequests: number;
  /** Answers of 401, 403 and 429 within the last ten minutes. */
  readonly invalidRequests: number;
  /** `rest` by operation (`createMessage`), `gateway` by what happened (`identify`, `resume`, `closed 4014`). */
  readonly counters: Counts<'rest' | 'gateway'>;
}

/** Shows a channel. */
export function toChannelView(channel: Channel): ChannelView {
  return {
    id: channel.id,
    kind: channel.kind,
    name: channel.name,
    guildId: channel.guild?.id ?? null,
    parentId: channel.parent?.id ?? null,
    recipientId: channel.recipient?.id ?? null,
    access: effectiveAccess(channel),
    archived: channel.archived,
    messageCount: channel.messages.length,
    lastMessageId: channel.lastMessageId,
  };
}

/** Shows a message. @param cdnUrl base of the attachments' URLs. */
export function toMessageView(message: Message, botId: string, cdnUrl: string): MessageView {
  const { author } = message;
  return {
    id: message.id,
    channelId: message.channel.id,
    author: { id: author.id, name: author.username, kind: author.kind },
    fromBot: author.id === botId,
    content: message.content,
    nonce: message.nonce ?? null,
    replyTo: message.replyTo ?? null,
    attachments: message.attachments.map((attachment) => ({
      id: attachment.id,
      filename: attachment.filename,
      contentType: attachment.contentType,
      size: attachment.bytes.length,
      url: toAttachmentUrl(cdnUrl, message.channel.id, attachment),
    })),
    embeds: message.embeds,
    allowedMentions: message.allowedMentions,
    pings: message.pings,
    timestamp: message.timestamp,
    editedTimestamp: message.editedTimestamp,
  };
}
