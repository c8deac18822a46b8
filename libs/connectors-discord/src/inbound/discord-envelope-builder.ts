import {
  type Attachment,
  type Channel,
  correlationIdOf,
  ENVELOPE_VERSION,
  envelopeId,
  type IngressEnvelope,
  type IngressType,
  type Metadata,
  type Sender,
} from '@bitbrat/envelope';
import {
  type NativeAttachment,
  type NativeMessage,
  type NativeReference,
} from '../platform/native-message.js';

/** The connector's name and the envelopes' source. */
export const DISCORD = 'discord';

const MAX_TIME_MS = Date.UTC(9999, 11, 31);

/** Where a message stands. */
export interface Place {
  readonly kind: 'channel' | 'thread' | 'direct';
  readonly name?: string;
  readonly guildId?: string;
  /** The channel that a thread belongs to. */
  readonly parentId?: string;
}

/** Discord message -> `IngressEnvelope`. Pure. */
export class DiscordEnvelopeBuilder {
  /** @param egressTopic full name of the topic that answers are published to */
  constructor(private readonly egressTopic: string) {}

  /**
   * @param roles the sender's, by name
   * @param receivedAt RFC 3339, UTC
   */
  build(message: NativeMessage, place: Place, roles: readonly string[], receivedAt: string): IngressEnvelope {
    const id = envelopeId(DISCORD, message.id);
    const body = {
      sender: toSender(message, roles),
      text: message.content,
      attachments: toAttachments(message),
    };
    const occurredAt = toUtc(message.timestamp) ?? receivedAt;
    return this.#envelope(
      id,
      'chat.message.v1',
      message,
      place,
      { ...body, occurredAt, receivedAt },
      toMetadata(message),
    );
  }

  /** A message as it reads after an edit. The revision is the edit's time, so each edit has an id of its own. */
  buildEdited(
    message: NativeMessage,
    place: Place,
    roles: readonly string[],
    receivedAt: string,
  ): IngressEnvelope {
    const occurredAt = toUtc(message.editedTimestamp ?? message.timestamp) ?? receivedAt;
    const id = envelopeId(DISCORD, message.id, occurredAt);
    const body = {
      sender: toSender(message, roles),
      text: message.content,
      attachments: toAttachments(message),
    };
    return this.#envelope(
      id,
      'chat.message.edited.v1',
      message,
      place,
      { ...body, occurredAt, receivedAt },
      toMetadata(message),
    );
  }

  /**
   * Tells that a message is gone. Discord says neither who deleted it nor when.
   * @param author who wrote it, where that is still known
   */
  buildDeleted(
    message: NativeReference,
    place: Place,
    author: Sender | undefined,
    receivedAt: string,
  ): IngressEnvelope {
    const id = envelopeId(DISCORD, message.id, 'deleted');
    const sender = author ?? { id: 'unknown', displayName: 'unknown', roles: [], isBot: false };
    const body = { sender, text: '', attachments: [], occurredAt: receivedAt, receivedAt };
    return this.#envelope(id, 'chat.message.deleted.v1', message, place, body, {});
  }

  #envelope(
    id: string,
    type: IngressType,
    message: NativeReference,
    place: Place,
    body: Pick<IngressEnvelope, 'sender' | 'text' | 'attachments' | 'occurredAt' | 'receivedAt'>,
    metadata: Metadata,
  ): IngressEnvelope {
    const guildId = message.guildId ?? place.guildId;
    return {
      v: ENVELOPE_VERSION,
      id,
      type,
      source: DISCORD,
      from: body.sender.id,
      channel: toChannel(message.channelId, place),
      ...body,
      correlationId: correlationIdOf(id),
      replyTo: {
        topic: this.egressTopic,
        connector: DISCORD,
        destination: message.channelId,
        inReplyTo: message.id,
      },
      metadata: {
        ...(guildId === undefined ? {} : { guildId }),
        channelId: message.channelId,
        messageId: message.id,
        ...(place.kind === 'thread' ? { threadId: message.channelId } : {}),
        ...(place.parentId === undefined ? {} : { parentChannelId: place.parentId }),
        ...metadata,
      },
    };
  }
}

/** Who wrote a message: the name that the guild shows, else the account's own. */
export function toSender({ author, member }: NativeMessage, roles: readonly string[]): Sender {
  return {
    id: author.id,
    displayName: member?.nick ?? author.globalName ?? author.username,
    login: author.username,
    roles: [...roles],
    isBot: author.isBot,
  };
}

function toChannel(id: string, { kind, name }: Place): Channel {
  return { id, kind, ...(name === undefined ? {} : { name }) };
}

function toAttachments({ attachments }: NativeMessage): Attachment[] {
  return attachments.flatMap((attachment) => (isHttp(attachment) ? [{ ...attachment }] : []));
}

function isHttp({ url }: NativeAttachment): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

function toMetadata(message: NativeMessage): Metadata {
  const { referencedMessageId, isForward, stickers, type } = message;
  return {
    messageType: type,
    ...(referencedMessageId === undefined ? {} : { referencedMessageId }),
    ...(isForward ? { forwarded: true } : {}),
    ...(stickers.length === 0 ? {} : { stickers: [...stickers] }),
  };
}

/** Discord writes `+00:00` and microseconds; the envelope wants `Z`. */
function toUtc(timestamp: string): string | undefined {
  const ms = Date.parse(timestamp);
  // Beyond the year 9999 the text has another form.
  return Number.isNaN(ms) || ms < 0 || ms > MAX_TIME_MS ? undefined : new Date(ms).toISOString();
}
