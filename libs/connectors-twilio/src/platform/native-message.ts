import { type Message, type Participant } from '@twilio/conversations';
import { type Phone } from './native-opt-out.js';
import { propertyOf } from './property.js';

/** Characters; a SID has 34. */
const MAX_SID_LENGTH = 64;

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

/**
 * What the platform sends is passed through by the SDK unchecked, so each field is checked here.
 * @param urls temporary URLs by media SID
 * @throws Error for a message that cannot be named: without its own SID or its conversation's
 */
export function toNativeMessage(
  message: Message,
  participant: Participant | undefined,
  urls: ReadonlyMap<string, string>,
): NativeMessage {
  const { dateCreated, index } = message;
  const media: unknown = message.attachedMedia;
  return {
    sid: sidOf(message),
    index: Number.isSafeInteger(index) ? index : -1,
    author: textIn(message, 'author'),
    body: textIn(message, 'body'),
    dateCreated: isValidDate(dateCreated) ? dateCreated.toISOString() : null,
    conversationSid: sidOf(message.conversation),
    conversationName: textIn(message.conversation, 'friendlyName'),
    participantSid: textIn(message, 'participantSid'),
    ...(participant === undefined ? {} : { participant: toParticipant(participant) }),
    media: Array.isArray(media) ? media.map((item) => toNativeMedia(item, urls)) : [],
  };
}

/** The first and the last moment that RFC 3339 can write, in milliseconds since 1970. */
const FIRST_MS = Date.parse('0000-01-01T00:00:00Z');
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The SDK makes an `Invalid Date` of what it cannot read. */
export function isValidDate(date: unknown): date is Date {
  return date instanceof Date && date.getTime() >= FIRST_MS && date.getTime() <= LAST_MS;
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
  const type = textIn(participant, 'type') ?? 'unknown';
  // The SDK's type knows the e-mail binding alone; the platform sends one by the participant's type.
  const proxyAddress = textIn(propertyOf(participant.bindings, type), 'proxy_address');
  return { type, ...(proxyAddress === null ? {} : { proxyAddress }) };
}

function toNativeMedia(media: unknown, urls: ReadonlyMap<string, string>): NativeMedia {
  const sid = textIn(media, 'sid') ?? 'unknown';
  const [contentType, fileName] = [textIn(media, 'contentType'), textIn(media, 'filename')];
  const size = propertyOf(media, 'size');
  const url = urls.get(sid);
  return {
    sid,
    ...(contentType === null ? {} : { contentType }),
    ...(fileName === null ? {} : { fileName }),
    ...(typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? { size } : {}),
    ...(url !== undefined && isWebUrl(url) ? { url } : {}),
  };
}

function isWebUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

/** @throws Error where there is none, or one that no envelope's id has room for */
function sidOf(owner: unknown): string {
  const sid = textIn(owner, 'sid');
  if (sid === null || sid === '' || sid.length > MAX_SID_LENGTH)
    throw new Error('the SID is missing or malformed');
  return sid;
}

/** Null where it is no text. */
function textIn(owner: unknown, key: string): string | null {
  const value = propertyOf(owner, key);
  return typeof value === 'string' ? value : null;
}
