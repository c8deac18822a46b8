import { invalidParameter } from '../api-error.js';
import { type ConversationsModel } from './conversations-model.js';
import { type MediaStore } from './media-store.js';
import { type Cause } from './model-change.js';
import { checkOutbound } from './outbound-policy.js';
import { type Conversation, findIdentity, type Message } from './records.js';

/** A message that somebody on our side of the phone network writes. */
export interface OutboundMessage {
  readonly author: string;
  readonly body: string | null;
  /** JSON text. */
  readonly attributes: string;
  readonly mediaSids: readonly string[];
}

/** Checks an outbound message as Twilio does and stores it. Throws `ApiError`. */
export function writeOutbound(
  model: ConversationsModel,
  media: MediaStore,
  conversation: Conversation,
  message: OutboundMessage,
  cause: Cause,
): Message {
  const medias = message.mediaSids.map((sid) => {
    const record = media.find(sid);
    if (record === undefined) throw invalidParameter(`MediaSid ${sid} is unknown.`);
    return record.reference;
  });
  checkOutbound(conversation, { ...message, mediaCount: medias.length }, model.optedOut);
  const participant = findIdentity(conversation, message.author);
  return model.addMessage(
    conversation,
    {
      author: message.author,
      body: message.body,
      attributes: message.attributes,
      medias,
      participantSid: participant?.sid,
    },
    cause,
  );
}
