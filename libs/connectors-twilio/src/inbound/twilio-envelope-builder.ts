import {
  type Attachment,
  type Channel,
  correlationIdOf,
  ENVELOPE_VERSION,
  envelopeId,
  type IngressEnvelope,
  type Metadata,
  type Sender,
} from '@bitbrat/envelope';
import { parseAddress } from '../platform/address.js';
import { readConsent } from '../consent/consent-words.js';
import { type NativeMedia, type NativeMessage } from '../platform/native-message.js';
import { type NativeOptOut } from '../platform/native-opt-out.js';

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

  /**
   * What the platform says about getting messages by refusing one. As `buildConsent`, but no message of the person stands behind it: there is no
   * keyword and nothing to answer. One refusal has one id, however often it is told.
   * @param receivedAt RFC 3339, UTC
   */
  buildOptOut(optOut: NativeOptOut, receivedAt: string): IngressEnvelope {
    const { conversationName, conversationSid, occurredAt, phone, refused } = optOut;
    const { address: from, channelType } = parseAddress(phone.address);
    const isMessage = 'messageSid' in refused;
    // A message to several phones has a refusal from each. An event's id may be longer than an envelope's, so it is hashed.
    const id = isMessage
      ? envelopeId(TWILIO, refused.messageSid, `consent:${phone.participantSid}`)
      : envelopeId(TWILIO, conversationSid, `consent:${correlationIdOf(refused.eventId)}`);
    return {
      v: ENVELOPE_VERSION,
      id,
      type: 'contact.consent.v1',
      source: TWILIO,
      from,
      sender: toSender(from),
      channel: toChannel(conversationSid, conversationName),
      text: '',
      attachments: [],
      occurredAt,
      receivedAt,
      correlationId: correlationIdOf(id),
      replyTo: { topic: this.egressTopic, connector: TWILIO, destination: conversationSid },
      metadata: {
        conversationSid,
        ...(isMessage ? { messageSid: refused.messageSid } : {}),
        channelType,
        participantSid: phone.participantSid,
        ...(phone.proxyAddress === undefined ? {} : { proxyAddress: phone.proxyAddress }),
        consent: 'out',
        nativeCode: '21610',
      },
    };
  }

  /** @param receivedAt RFC 3339, UTC */
  build(message: NativeMessage, receivedAt: string): IngressEnvelope {
    const id = envelopeId(TWILIO, message.sid);
    const { address, channelType } = parseAddress(message.author ?? '');
    // A message without an author is one whose participant was deleted; the participant's SID still tells people apart.
    const from = address || message.participantSid || 'unknown';
    return {
      v: ENVELOPE_VERSION,
      id,
      type: 'chat.message.v1',
      source: TWILIO,
      from,
      sender: toSender(from),
      channel: toChannel(message.conversationSid, message.conversationName),
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

function toSender(id: string): Sender {
  return { id, displayName: id, roles: [], isBot: false };
}

function toChannel(id: string, name: string | null): Channel {
  return { id, kind: 'conversation', ...(name === null ? {} : { name }) };
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
