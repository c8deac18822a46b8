import { createSid } from './identifiers.js';
import {
  type Binding,
  channelOf,
  type Conversation,
  isPhone,
  type MediaReference,
  type Message,
  type Participant,
} from './records.js';

/** A message to store. */
export interface NewMessage {
  readonly author: string;
  readonly body: string | null;
  /** JSON text. */
  readonly attributes: string;
  readonly medias: readonly MediaReference[];
  readonly participantSid: string | undefined;
  /** RFC 3339; now when left out. Twilio takes it for messages that are brought in from elsewhere. */
  readonly dateCreated?: string | undefined;
}

/** Who is to become a participant. */
export type NewParticipant =
  { readonly identity: string; readonly attributes: string } | (Binding & { readonly attributes: string });

/** Makes a participant. @param date of its creation, RFC 3339. */
export function createParticipant(fields: NewParticipant, date: string): Participant {
  const binding = 'address' in fields ? fields : undefined;
  return {
    sid: createSid('MB'),
    type: binding === undefined ? 'chat' : channelOf(binding.address),
    identity: 'identity' in fields ? fields.identity : undefined,
    binding: binding && { address: binding.address, proxyAddress: binding.proxyAddress },
    attributes: fields.attributes,
    lastReadMessageIndex: null,
    lastReadAt: null,
    dateCreated: date,
    dateUpdated: date,
  };
}

/** Makes the next message of a conversation, with a receipt for each phone that it goes to. @param now RFC 3339. */
export function createMessage(conversation: Conversation, fields: NewMessage, now: string): Message {
  const date = fields.dateCreated ?? now;
  const phones = [...conversation.participants.values()].filter(
    (participant) => isPhone(participant) && participant.sid !== fields.participantSid,
  );
  return {
    ...fields,
    sid: createSid('IM'),
    index: conversation.nextIndex,
    receipts: phones.map(({ sid }) => ({
      sid: createSid('DY'),
      channelMessageSid: createSid('SM'),
      participantSid: sid,
      status: 'sent',
      errorCode: 0,
      dateCreated: date,
      dateUpdated: date,
    })),
    dateCreated: date,
    dateUpdated: date,
  };
}
