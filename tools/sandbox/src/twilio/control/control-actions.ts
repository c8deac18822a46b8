import { ApiError } from '../api-error.js';
import {
  type ConversationInput,
  conversationSchema,
  type ConversationStateInput,
  conversationStateSchema,
  type DeliveryInput,
  deliverySchema,
  type InboundMessage,
  inboundMessageSchema,
  type ParticipantInput,
  participantSchema,
} from './control-schema.js';
import { type ConversationsModel } from '../model/conversations-model.js';
import { type MessageReceipt, proxyAddressFor, takeInbound } from '../model/inbound-messages.js';
import { type MediaStore } from '../model/media-store.js';
import { type Cause } from '../model/model-change.js';
import { type NewParticipant } from '../model/new-records.js';
import { parseInput } from './parse-input.js';
import { type Conversation, findParticipant, type Message, type Participant } from '../model/records.js';

/** What people and administrators act on. */
export interface ControlTargets {
  readonly model: ConversationsModel;
  readonly media: MediaStore;
  /** The Twilio number, E.164. */
  readonly number: string;
  /** Aborted when the sandbox closes. */
  readonly signal: AbortSignal;
}

/** A message and where it stands. */
export interface PlacedMessage {
  readonly conversation: Conversation;
  readonly message: Message;
}

const CONTROL: Cause = { source: 'API', silent: false };

/** What people and administrators do. Everything throws `ApiError` that says what is wrong. */
export class ControlActions {
  constructor(private readonly targets: ControlTargets) {}

  /** Writes a message as a phone, or as a chat participant, does. Rejects with `ApiError`. */
  async receiveMessage(input: InboundMessage): Promise<MessageReceipt> {
    const message = parseInput(inboundMessageSchema, input);
    const requireConversation = (sid: string): Conversation => this.conversation(sid);
    return takeInbound({ ...this.targets, requireConversation }, message);
  }

  /** Creates a conversation with its participants. */
  createConversation(input: ConversationInput): Conversation {
    const fields = parseInput(conversationSchema, input);
    const conversation = this.targets.model.createConversation(
      {
        friendlyName: fields.friendlyName ?? null,
        uniqueName: fields.uniqueName ?? null,
        attributes: JSON.stringify(fields.attributes ?? {}),
        createdBy: 'system',
      },
      CONTROL,
    );
    for (const participant of fields.participants) this.addParticipant(conversation.sid, participant);
    return conversation;
  }

  /** Deletes a conversation with all that is in it. */
  removeConversation(sid: string): void {
    this.targets.model.removeConversation(this.conversation(sid), CONTROL);
  }

  /** Changes a conversation's state. Throws 403 when it is closed. */
  setState(sid: string, input: ConversationStateInput): Conversation {
    const conversation = this.conversation(sid);
    this.targets.model.setState(conversation, parseInput(conversationStateSchema, input).state, CONTROL);
    return conversation;
  }

  /** Adds a participant. Throws 409 when they are there already. */
  addParticipant(conversationSid: string, input: ParticipantInput): Participant {
    const conversation = this.conversation(conversationSid);
    return this.targets.model.addParticipant(conversation, this.#toNew(input), CONTROL);
  }

  /** Removes a participant by SID, identity or address. */
  removeParticipant(conversationSid: string, key: string): void {
    const conversation = this.conversation(conversationSid);
    const participant = findParticipant(conversation, key);
    if (participant === undefined) {
      throw new ApiError(404, 20404, `Conversation ${conversationSid} has no participant ${key}.`);
    }
    this.targets.model.removeParticipant(conversation, participant, CONTROL);
  }

  /** Deletes a message; its index stays used. */
  removeMessage(sid: string): void {
    const { conversation, message } = this.#message(sid);
    this.targets.model.removeMessage(conversation, message, CONTROL);
  }

  /** Reports what became of an outbound message at its phones. Throws 400 when it went to no phone. */
  setDelivery(messageSid: string, input: DeliveryInput): PlacedMessage {
    const { status, errorCode } = parseInput(deliverySchema, input);
    const placed = this.#message(messageSid);
    this.targets.model.setDelivery(placed.conversation, placed.message, status, errorCode, CONTROL);
    return placed;
  }

  /** The conversation of a SID or unique name. Throws 404. */
  conversation(sid: string): Conversation {
    const conversation = this.targets.model.find(sid);
    if (conversation === undefined) throw new ApiError(404, 20404, `There is no conversation ${sid}.`);
    return conversation;
  }

  #message(sid: string): PlacedMessage {
    const found = this.targets.model.findMessage(sid);
    if (found === undefined) throw new ApiError(404, 20404, `There is no message ${sid}.`);
    return found;
  }

  #toNew(input: ParticipantInput): NewParticipant {
    const { identity, address, proxyAddress, attributes } = parseInput(participantSchema, input);
    const text = JSON.stringify(attributes ?? {});
    if (identity !== undefined) return { identity, attributes: text };
    const phone = address ?? '';
    return {
      address: phone,
      proxyAddress: proxyAddressFor(phone, proxyAddress ?? this.targets.number),
      attributes: text,
    };
  }
}
