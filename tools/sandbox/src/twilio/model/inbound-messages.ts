import { type z } from 'zod';
import { invalidParameter } from '../api-error.js';
import { type inboundMessageSchema } from '../control/control-schema.js';
import { type ConversationsModel } from './conversations-model.js';
import { readInboundFile } from './inbound-media.js';
import { type MediaStore } from './media-store.js';
import { readOptOut } from './opt-out-words.js';
import { checkAttributes, checkText } from './outbound-policy.js';
import {
  type ChangeSource,
  channelOf,
  type Conversation,
  findIdentity,
  findParticipant,
  type Participant,
} from './records.js';

/** An inbound message once its fields have been checked. */
export type CheckedInboundMessage = z.output<typeof inboundMessageSchema>;

/** Where an inbound message ended up. */
export interface MessageReceipt {
  readonly conversationSid: string;
  readonly messageSid: string;
  readonly index: number;
}

/** What taking in a message needs. */
export interface InboundContext {
  readonly model: ConversationsModel;
  readonly media: MediaStore;
  /** The Twilio number, E.164. */
  readonly number: string;
  readonly signal: AbortSignal;
  /** Throws 404. */
  requireConversation(sid: string): Conversation;
}

interface Sender {
  readonly conversation: Conversation;
  readonly participant: Participant;
  readonly author: string;
}

/** Stores a message of a phone or of a chat participant. Rejects with `ApiError`. */
export async function takeInbound(
  context: InboundContext,
  message: CheckedInboundMessage,
): Promise<MessageReceipt> {
  const body = message.body ?? null;
  const attributes = JSON.stringify(message.attributes ?? {});
  checkText(body);
  checkAttributes(attributes);
  const file = await readInboundFile(message, context.signal);
  const { conversation, participant, author } = findSender(context, message);
  const source = sourceOf(participant);
  const medias =
    file === undefined ? [] : [context.media.add(file.bytes, file.contentType, file.filename, author)];
  const optOut = source === 'SMS' ? readOptOut(body ?? '') : undefined;
  if (optOut !== undefined) context.model.setOptOut(author, optOut);
  const stored = context.model.addMessage(
    conversation,
    { author, body, attributes, medias, participantSid: participant.sid, dateCreated: message.dateCreated },
    { source, silent: false },
  );
  return { conversationSid: conversation.sid, messageSid: stored.sid, index: stored.index };
}

/** The address of the Twilio number on the channel of a phone's address. */
export function proxyAddressFor(address: string, number: string): string {
  const prefix = channelOf(address) === 'whatsapp' ? 'whatsapp:' : '';
  return number.startsWith(prefix) ? number : `${prefix}${number}`;
}

function findSender(context: InboundContext, message: CheckedInboundMessage): Sender {
  const { author, conversationSid } = message;
  const name = author ?? message.from ?? '';
  if (conversationSid === undefined) return phoneConversation(context, name, message.to ?? context.number);
  const conversation = context.requireConversation(conversationSid);
  const participant =
    author === undefined ? findParticipant(conversation, name) : findIdentity(conversation, author);
  if (participant !== undefined) return { conversation, participant, author: name };
  throw invalidParameter(
    `${author === undefined ? 'from' : 'author'}: ${name} is not in conversation ${conversationSid}. ` +
      `Add it: POST /twilio/conversations/${conversationSid}/participants.`,
  );
}

/** The conversation of a number, made now if it has none, as an SMS to a Twilio number does. */
function phoneConversation({ model }: InboundContext, address: string, number: string): Sender {
  const binding = { address, proxyAddress: proxyAddressFor(address, number) };
  const conversation =
    model.findByBinding(binding) ??
    model.createConversation(
      { friendlyName: address, uniqueName: null, attributes: '{}', createdBy: 'system' },
      { source: channelOf(address) === 'whatsapp' ? 'WHATSAPP' : 'SMS', silent: false },
      { ...binding, attributes: '{}' },
    );
  const participant = findParticipant(conversation, address);
  if (participant === undefined) throw new Error(`${conversation.sid} has no participant ${address}.`);
  return { conversation, participant, author: address };
}

function sourceOf({ type }: Participant): ChangeSource {
  return ({ chat: 'SDK', sms: 'SMS', whatsapp: 'WHATSAPP' } as const)[type];
}
