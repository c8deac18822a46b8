import { parseJson } from '../../json.js';
import { ApiError, invalidParameter } from '../api-error.js';
import { type Conversation, isPhone } from './records.js';

/** Longest text to a phone, in characters: "Conversations limits", outbound SMS and WhatsApp. */
export const MAX_PHONE_TEXT = 1_600;
/** Longest text of any message, in bytes: "Conversations limits", 32 KB. */
export const MAX_TEXT_BYTES = 32 * 1024;
/** Largest attributes of a message or participant, in bytes: "Conversations limits", 4 KB. */
export const MAX_ATTRIBUTES_BYTES = 4 * 1024;

/** What somebody wants to write. */
export interface OutboundDraft {
  readonly body: string | null;
  readonly attributes: string;
  readonly mediaCount: number;
}

/** Throws `invalidParameter` unless `attributes` is JSON text of at most 4 KB. */
export function checkAttributes(attributes: string): void {
  const size = Buffer.byteLength(attributes, 'utf8');
  if (size > MAX_ATTRIBUTES_BYTES) {
    throw invalidParameter(`Attributes are ${size} bytes long; ${MAX_ATTRIBUTES_BYTES} are allowed.`);
  }
  if (parseJson(attributes) === undefined) throw invalidParameter('Attributes are not valid JSON.');
}

/** Throws when Twilio would not take a text of this size, whoever writes it. */
export function checkText(body: string | null): void {
  const size = Buffer.byteLength(body ?? '', 'utf8');
  if (size > MAX_TEXT_BYTES)
    throw invalidParameter(`Body is ${size} bytes long; ${MAX_TEXT_BYTES} are allowed.`);
}

/** Throws when a message that goes out to the phones of a conversation must be refused. */
export function checkOutbound(
  conversation: Conversation,
  draft: OutboundDraft,
  optedOut: ReadonlySet<string>,
): void {
  checkText(draft.body);
  checkAttributes(draft.attributes);
  if ((draft.body ?? '') === '' && draft.mediaCount === 0) {
    throw invalidParameter('A message needs a Body or media.');
  }
  const phones = [...conversation.participants.values()].filter(isPhone);
  if (phones.length > 0 && (draft.body ?? '').length > MAX_PHONE_TEXT) {
    throw new ApiError(400, 21617, `The message body exceeds the ${MAX_PHONE_TEXT} character limit.`);
  }
  if (phones.some(({ binding }) => optedOut.has(binding.address))) {
    throw new ApiError(400, 21610, 'Attempt to send to an unsubscribed recipient.');
  }
}
