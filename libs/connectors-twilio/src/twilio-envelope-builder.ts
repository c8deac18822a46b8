import {
  type Attachment,
  correlationIdOf,
  ENVELOPE_VERSION,
  envelopeId,
  type IngressEnvelope,
  type Metadata,
} from '@bitbrat/envelope';
import { parseAddress } from './address.js';
import { readConsent } from './consent-words.js';
import { type NativeMedia, type NativeMessage } from './native-message.js';

/** The connector's name and the envelopes' source. */
export const TWILIO = 'twilio';

/** Twilio message -> `IngressEnvelope`. Pure. A message that is a consent word has two: the message and what it means. */
export class TwilioEnvelopeBuilder {
  /** @param egressTopic full name of the topic that answers are published to */
  constructor(private readonly egressTopic: string) {}

  /**
   * What the sender says about getting messages; undefined where the message is no consent word.
   * @param receivedAt RFC 3339, UTC
   */
  buildConsent(message: NativeMessage, receivedAt: string): IngressEnvelope | undefined {
    const word = readConsent(message.author, message.body);
    if (word === undefined) return undefined;
    const id = envelopeId(TWILIO, message.sid, 'consent');
    const envelope = this.build(message, receivedAt);
    return {
      ...envelope,
      id,
      type: 'contact.consent.v1',
      text: '',
      attachments: [],
      correlationId: correlationIdOf(id),
      metadata: { ...envelope.metadata, ...word },
    };
  }

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
  const word = readConsent(message.author, message.body);
  const withoutUrl = message.media.filter((media) => media.url === undefined);
  return {
    conversationSid: message.conversationSid,
    messageSid: message.sid,
    messageIndex: message.index,
    channelType: participant?.type ?? channelType,
    ...(message.participantSid === null ? {} : { participantSid: message.participantSid }),
    ...(participant?.proxyAddress === undefined ? {} : { proxyAddress: participant.proxyAddress }),
    ...(word === undefined ? {} : { consent: word.consent }),
    ...(withoutUrl.length === 0 ? {} : { unavailableMedia: withoutUrl.map((media) => ({ ...media })) }),
  };
}
