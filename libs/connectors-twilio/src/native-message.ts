import { type Media, type Message, type Participant } from '@twilio/conversations';
import { type Phone } from './native-opt-out.js';
import { propertyOf } from './property.js';

/** One media of a message; `url` is missing where the media service gave none. */
export interface NativeMedia {
  readonly sid: string;
  readonly contentType?: string;
  readonly fileName?: string;
  /** Bytes. */
  readonly size?: number;
  /** Expires after some minutes. */
  readonly url?: string;
}

/** What of a Twilio message the envelope is made of. Plain data: the SDK's object has getters, which a copy loses. */
export interface NativeMessage {
  readonly sid: string;
  readonly index: number;
  /** `+15550100`, `whatsapp:+15550100`, a chat identity, `system`; null where it was deleted. */
  readonly author: string | null;
  readonly body: string | null;
  /** RFC 3339; null where the platform gave none. */
  readonly dateCreated: string | null;
  readonly conversationSid: string;
  readonly conversationName: string | null;
  readonly participantSid: string | null;
  /** The participant that wrote it, where it is still there. */
  readonly participant?: { readonly type: string; readonly proxyAddress?: string };
  readonly media: readonly NativeMedia[];
}

/** @param urls temporary URLs by media SID */
export function toNativeMessage(
  message: Message,
  participant: Participant | undefined,
  urls: ReadonlyMap<string, string>,
): NativeMessage {
  const { dateCreated, conversation } = message;
  return {
    sid: message.sid,
    index: message.index,
    author: message.author,
    body: message.body,
    dateCreated: isValidDate(dateCreated) ? dateCreated.toISOString() : null,
    conversationSid: conversation.sid,
    conversationName: conversation.friendlyName,
    participantSid: message.participantSid,
    ...(participant === undefined ? {} : { participant: toParticipant(participant) }),
    media: (message.attachedMedia ?? []).map((media) => toNativeMedia(media, urls.get(media.sid))),
  };
}

/** The SDK makes an `Invalid Date` of what it cannot read. */
export function isValidDate(date: Date | null | undefined): date is Date {
  return date !== null && date !== undefined && !Number.isNaN(date.getTime());
}

/** A participant by SMS or WhatsApp; undefined for others. */
export function phoneOf(participant: Participant): Phone | undefined {
  const { bindings, sid, type } = participant;
  if (type !== 'sms' && type !== 'whatsapp') return undefined;
  const address = propertyOf(propertyOf(bindings, type), 'address');
  const { proxyAddress } = toParticipant(participant);
  if (typeof address !== 'string') return undefined;
  return { address, participantSid: sid, ...(proxyAddress === undefined ? {} : { proxyAddress }) };
}

function toParticipant(participant: Participant): { type: string; proxyAddress?: string } {
  const { type } = participant;
  // The SDK's type knows the e-mail binding alone; the platform sends one by the participant's type.
  const proxyAddress = propertyOf(propertyOf(participant.bindings, type), 'proxy_address');
  return { type, ...(typeof proxyAddress === 'string' ? { proxyAddress } : {}) };
}

function toNativeMedia(media: Media, url: string | undefined): NativeMedia {
  return {
    sid: media.sid,
    contentType: media.contentType,
    ...(media.filename === null ? {} : { fileName: media.filename }),
    ...(Number.isSafeInteger(media.size) ? { size: media.size } : {}),
    ...(url === undefined ? {} : { url }),
  };
}
