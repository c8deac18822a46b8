import {
  type Attachment,
  correlationIdOf,
  ENVELOPE_VERSION,
  envelopeId,
  type IngressEnvelope,
  type Metadata,
} from '@bitbrat/envelope';
import { type NativeMedia, type NativeMessage } from './native-message.js';

/** The connector's name and the envelopes' source. */
export const TWILIO = 'twilio';

/** An address apart from the channel that it belongs to. */
export interface TwilioAddress {
  /** `sms`, `whatsapp`, another channel's own prefix, `chat` for an identity. */
  readonly channelType: string;
  /** E.164 for phones, else the identity. */
  readonly address: string;
}

/** `whatsapp:+15550100` -> whatsapp and `+15550100`; `+15550100` -> sms; anything else is a chat identity. */
export function parseAddress(author: string): TwilioAddress {
  const [, channelType, phone] = /^(?:([a-z][a-z0-9]*):)?(\+\d{2,15})$/.exec(author) ?? [];
  if (phone === undefined) return { channelType: 'chat', address: author };
  return { channelType: channelType ?? 'sms', address: phone };
}

/** Twilio message -> `IngressEnvelope`. Pure. */
export class TwilioEnvelopeBuilder {
  /** @param egressTopic full name of the topic that answers are published to */
  constructor(private readonly egressTopic: string) {}

  /** @param receivedAt RFC 3339, UTC */
  build(message: NativeMessage, receivedAt: string): IngressEnvelope {
    const id = envelopeId(TWILIO, message.sid);
    const { address, channelType } = parseAddress(message.author ?? '');
    // A message without an author is one whose participant was deleted; the participant's SID still tells people apart.
    const from = address === '' ? (message.participantSid ?? 'unknown') : address;
    return {
      v: ENVELOPE_VERSION,
      id,
      type: 'chat.message.v1',
      source: TWILIO,
      from,
      sender: { id: from, displayName: from, roles: [], isBot: false },
      channel: {
        id: message.conversationSid,
        kind: 'conversation',
        ...(message.conversationName === null ? {} : { name: message.conversationName }),
      },
      text: message.body ?? '',
      attachments: message.media.flatMap(toAttachment),
      occurredAt: message.dateCreated ?? receivedAt,
      receivedAt,
      correlationId: correlationIdOf(id),
      replyTo: {
        topic: this.egressTopic,
        connector: TWILIO,
        destination: message.conversationSid,
        inReplyTo: message.sid,
      },
      metadata: toMetadata(message, channelType),
    };
  }
}

function toAttachment(media: NativeMedia): Attachment[] {
  const { url, contentType, fileName, size } = media;
  if (url === undefined) return [];
  return [
    {
      url,
      ...(contentType === undefined ? {} : { contentType }),
      ...(fileName === undefined ? {} : { fileName }),
      ...(size === undefined ? {} : { size }),
    },
  ];
}

function toMetadata(message: NativeMessage, channelType: string): Metadata {
  const { participant } = message;
  const withoutUrl = message.media.filter((media) => media.url === undefined);
  return {
    conversationSid: message.conversationSid,
    messageSid: message.sid,
    messageIndex: message.index,
    channelType: participant?.type ?? channelType,
    ...(message.participantSid === null ? {} : { participantSid: message.participantSid }),
    ...(participant?.proxyAddress === undefined ? {} : { proxyAddress: participant.proxyAddress }),
    ...(withoutUrl.length === 0 ? {} : { unavailableMedia: withoutUrl.map((media) => ({ ...media })) }),
  };
}
