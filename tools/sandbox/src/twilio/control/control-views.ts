import { parseJson } from '../../json.js';
import {
  type Conversation,
  type ConversationState,
  type DeliveryStatus,
  type MediaReference,
  type Message,
  type Participant,
} from '../model/records.js';

/** A participant as the control interface shows it. */
export interface ParticipantView {
  readonly sid: string;
  readonly type: Participant['type'];
  readonly identity: string | null;
  readonly address: string | null;
  readonly proxyAddress: string | null;
  readonly lastReadMessageIndex: number | null;
}

/** A conversation as the control interface shows it. */
export interface ConversationView {
  readonly sid: string;
  readonly friendlyName: string | null;
  readonly uniqueName: string | null;
  readonly attributes: unknown;
  readonly state: ConversationState;
  readonly participants: readonly ParticipantView[];
  readonly messageCount: number;
  /** Null while there is no message. */
  readonly lastMessageIndex: number | null;
  readonly dateCreated: string;
}

/** A message as the control interface shows it. */
export interface MessageView {
  readonly sid: string;
  readonly conversationSid: string;
  readonly index: number;
  readonly author: string;
  readonly body: string | null;
  /** Parsed. */
  readonly attributes: unknown;
  readonly media: readonly MediaReference[];
  /** One per phone that it went to. */
  readonly delivery: readonly {
    readonly participantSid: string;
    readonly status: DeliveryStatus;
    readonly errorCode: number;
  }[];
  readonly dateCreated: string;
}

/** What is open and what has been seen. */
export interface TwilioStats {
  readonly sockets: { readonly open: number; readonly silent: number };
  readonly conversations: number;
  readonly messages: number;
  readonly faults: number;
  /** By kind, e.g. `tunnel sendMessage`, `rest createParticipant`, `pushed list_item_added`. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Shows a participant. */
export function toParticipantView(participant: Participant): ParticipantView {
  return {
    sid: participant.sid,
    type: participant.type,
    identity: participant.identity ?? null,
    address: participant.binding?.address ?? null,
    proxyAddress: participant.binding?.proxyAddress ?? null,
    lastReadMessageIndex: participant.lastReadMessageIndex,
  };
}

/** Shows a conversation. */
export function toConversationView(conversation: Conversation): ConversationView {
  return {
    sid: conversation.sid,
    friendlyName: conversation.friendlyName,
    uniqueName: conversation.uniqueName,
    attributes: parseJson(conversation.attributes),
    state: conversation.state,
    participants: [...conversation.participants.values()].map(toParticipantView),
    messageCount: conversation.messages.length,
    lastMessageIndex: conversation.messages.at(-1)?.index ?? null,
    dateCreated: conversation.dateCreated,
  };
}

/** Shows a message. */
export function toMessageView(conversation: Conversation, message: Message): MessageView {
  return {
    sid: message.sid,
    conversationSid: conversation.sid,
    index: message.index,
    author: message.author,
    body: message.body,
    attributes: parseJson(message.attributes),
    media: message.medias,
    delivery: message.receipts.map(({ participantSid, status, errorCode }) => ({
      participantSid,
      status,
      errorCode,
    })),
    dateCreated: message.dateCreated,
  };
}
