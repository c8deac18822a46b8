/** Where a change came from, in the words of the webhooks' `Source` field. */
export type ChangeSource = 'API' | 'SDK' | 'SMS' | 'WHATSAPP';

/** A participant by address: the person's and the Twilio number that they write to. */
export interface Binding {
  /** E.164, for WhatsApp with the prefix `whatsapp:`. */
  readonly address: string;
  readonly proxyAddress: string;
}

/** A member of a conversation. Chat participants have an identity, the others a binding. */
export interface Participant {
  readonly sid: string;
  readonly type: 'chat' | 'sms' | 'whatsapp';
  readonly identity: string | undefined;
  readonly binding: Binding | undefined;
  /** JSON text. */
  attributes: string;
  /** The read horizon: index of the last message read, null when none was. */
  lastReadMessageIndex: number | null;
  lastReadAt: string | null;
  readonly dateCreated: string;
  dateUpdated: string;
}

/** A file of a message. The bytes are in the media store. */
export interface MediaReference {
  readonly sid: string;
  readonly contentType: string;
  readonly filename: string | null;
  /** Bytes. */
  readonly size: number;
}

/** What becomes of a message on its way to a phone. */
export type DeliveryStatus = 'sent' | 'delivered' | 'read' | 'failed' | 'undelivered';

/** One phone's delivery of one message. */
export interface DeliveryReceipt {
  readonly sid: string;
  readonly channelMessageSid: string;
  readonly participantSid: string;
  status: DeliveryStatus;
  /** Twilio's error code, 0 for none. */
  errorCode: number;
  readonly dateCreated: string;
  dateUpdated: string;
}

/** A message of a conversation. */
export interface Message {
  readonly sid: string;
  /** Position in the conversation; never used twice, not even after a deletion. */
  readonly index: number;
  readonly author: string;
  body: string | null;
  /** JSON text. */
  attributes: string;
  readonly participantSid: string | undefined;
  readonly medias: readonly MediaReference[];
  /** One per phone that the message goes to; empty for inbound messages. */
  readonly receipts: DeliveryReceipt[];
  readonly dateCreated: string;
  dateUpdated: string;
}

/** What a conversation's life has come to: closed ones take no change and do not count. */
export type ConversationState = 'active' | 'inactive' | 'closed';

/** A conversation with its members and messages. */
export interface Conversation {
  readonly sid: string;
  friendlyName: string | null;
  uniqueName: string | null;
  /** JSON text. */
  attributes: string;
  readonly createdBy: string;
  state: ConversationState;
  stateChangedAt: string;
  readonly participants: Map<string, Participant>;
  /** Ascending by index. */
  readonly messages: Message[];
  nextIndex: number;
  readonly dateCreated: string;
  dateUpdated: string;
}

/** The channel that an address belongs to, by its prefix. */
export function channelOf(address: string): 'sms' | 'whatsapp' {
  return address.startsWith('whatsapp:') ? 'whatsapp' : 'sms';
}

/** Whether a participant is a phone, reached by SMS or WhatsApp. */
export function isPhone(
  participant: Participant,
): participant is Participant & { readonly binding: Binding } {
  return participant.binding !== undefined;
}

/** The chat participant with this identity. */
export function findIdentity(conversation: Conversation, identity: string): Participant | undefined {
  return [...conversation.participants.values()].find((participant) => participant.identity === identity);
}

/** The participant with this SID, identity or address. */
export function findParticipant(conversation: Conversation, key: string): Participant | undefined {
  const all = [...conversation.participants.values()];
  return (
    conversation.participants.get(key) ??
    all.find(({ identity, binding }) => identity === key || binding?.address === key)
  );
}
