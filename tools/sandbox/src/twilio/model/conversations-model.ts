import { trimOldest } from '../../history-limit.js';
import { ApiError, invalidParameter } from '../api-error.js';
import { createSid } from './identifiers.js';
import { type Cause, type ModelChange } from './model-change.js';
import { createMessage, createParticipant, type NewMessage, type NewParticipant } from './new-records.js';
import { checkAttributes } from './outbound-policy.js';
import {
  type Binding,
  type Conversation,
  type ConversationState,
  type DeliveryStatus,
  findIdentity,
  type Message,
  type Participant,
} from './records.js';

/** Conversations, participants and messages: the state that outlives every connection. */
export class ConversationsModel {
  readonly #conversations = new Map<string, Conversation>();
  readonly #messages = new Map<string, { conversation: Conversation; message: Message }>();
  readonly #listeners: ((change: ModelChange) => void)[] = [];
  readonly #optedOut = new Set<string>();

  /**
   * @param now milliseconds since the epoch
   * @param historyLimit messages kept per conversation
   * @param conversationLimit active and inactive conversations that an identity may be in
   */
  constructor(
    private readonly now: () => number,
    private readonly historyLimit: number,
    private readonly conversationLimit: number,
  ) {}

  /** Addresses that do not want messages any more. */
  get optedOut(): ReadonlySet<string> {
    return this.#optedOut;
  }

  /** Opts an address out of all messages to it, or in again. */
  setOptOut(address: string, optedOut: boolean): void {
    if (optedOut) this.#optedOut.add(address);
    else this.#optedOut.delete(address);
  }

  /** Calls `listener` after each change, synchronously. */
  onChange(listener: (change: ModelChange) => void): void {
    this.#listeners.push(listener);
  }

  /** All conversations in the order of their creation. */
  conversations(): readonly Conversation[] {
    return [...this.#conversations.values()];
  }

  /** Finds by SID or unique name. */
  find(sidOrName: string): Conversation | undefined {
    return (
      this.#conversations.get(sidOrName) ??
      this.conversations().find((conversation) => conversation.uniqueName === sidOrName)
    );
  }

  /** Finds a message and its conversation by the message's SID. */
  findMessage(sid: string): { readonly conversation: Conversation; readonly message: Message } | undefined {
    return this.#messages.get(sid);
  }

  /** The conversations in which an identity takes part, sorted by SID. */
  conversationsOf(identity: string): readonly Conversation[] {
    return this.conversations()
      .filter((conversation) => findIdentity(conversation, identity) !== undefined)
      .sort((a, b) => (a.sid < b.sid ? -1 : 1));
  }

  /** The conversation that an address has with a Twilio number; Twilio allows one at most that is not closed. */
  findByBinding(binding: Binding): Conversation | undefined {
    return this.conversations().find(
      (conversation) =>
        conversation.state !== 'closed' &&
        [...conversation.participants.values()].some(
          (participant) =>
            participant.binding?.address === binding.address &&
            participant.binding.proxyAddress === binding.proxyAddress,
        ),
    );
  }

  createConversation(
    fields: { friendlyName: string | null; uniqueName: string | null; attributes: string; createdBy: string },
    cause: Cause,
    firstParticipant?: NewParticipant,
  ): Conversation {
    if (fields.uniqueName !== null && this.find(fields.uniqueName) !== undefined) {
      throw new ApiError(409, 50353, 'Conversation with provided unique name already exists');
    }
    const date = this.#date();
    const conversation: Conversation = {
      sid: createSid('CH'),
      ...fields,
      state: 'active',
      stateChangedAt: date,
      participants: new Map(),
      messages: [],
      nextIndex: 0,
      dateCreated: date,
      dateUpdated: date,
    };
    // The first participant stands in the conversation before anybody hears of it: its webhook names the binding.
    const participant = firstParticipant && this.#enter(conversation, firstParticipant);
    this.#conversations.set(conversation.sid, conversation);
    this.#emit({ kind: 'conversation-added', conversation, ...cause });
    if (participant !== undefined) {
      this.#emit({ kind: 'participant-added', conversation, participant, ...cause });
    }
    return conversation;
  }

  updateConversation(
    conversation: Conversation,
    fields: Partial<Pick<Conversation, 'friendlyName' | 'uniqueName' | 'attributes'>>,
    cause: Cause,
  ): void {
    checkOpen(conversation);
    Object.assign(conversation, fields, { dateUpdated: this.#date() });
    this.#emit({ kind: 'conversation-updated', conversation, ...cause });
  }

  /** Changes the state. Closing is final: afterwards every change is refused with 50377. */
  setState(conversation: Conversation, state: ConversationState, cause: Cause): void {
    checkOpen(conversation);
    const date = this.#date();
    Object.assign(conversation, { state, stateChangedAt: date, dateUpdated: date });
    this.#emit({ kind: 'conversation-updated', conversation, ...cause });
  }

  removeConversation(conversation: Conversation, cause: Cause): void {
    this.#conversations.delete(conversation.sid);
    for (const message of conversation.messages) this.#messages.delete(message.sid);
    this.#emit({ kind: 'conversation-removed', conversation, ...cause });
  }

  addParticipant(conversation: Conversation, fields: NewParticipant, cause: Cause): Participant {
    const participant = this.#enter(conversation, fields);
    this.#emit({ kind: 'participant-added', conversation, participant, ...cause });
    return participant;
  }

  removeParticipant(conversation: Conversation, participant: Participant, cause: Cause): void {
    checkOpen(conversation);
    conversation.participants.delete(participant.sid);
    this.#emit({ kind: 'participant-removed', conversation, participant, ...cause });
  }

  #enter(conversation: Conversation, fields: NewParticipant): Participant {
    checkOpen(conversation);
    checkAttributes(fields.attributes);
    if ('identity' in fields) this.#checkIdentity(conversation, fields.identity);
    const taken = 'address' in fields ? this.findByBinding(fields) : undefined;
    if (taken !== undefined) {
      throw new ApiError(
        409,
        50416,
        `A binding for this participant and proxy address already exists in Conversation ${taken.sid}`,
      );
    }
    const participant = createParticipant(fields, this.#date());
    conversation.participants.set(participant.sid, participant);
    return participant;
  }

  #checkIdentity(conversation: Conversation, identity: string): void {
    if (findIdentity(conversation, identity) !== undefined) {
      throw new ApiError(409, 50433, 'Participant already exists');
    }
    const open = this.conversationsOf(identity).filter(({ state }) => state !== 'closed');
    if (open.length >= this.conversationLimit) {
      throw new ApiError(403, 50214, 'User conversation limit exceeded');
    }
  }

  /** Moves the read horizon; null means that nothing was read. */
  setReadHorizon(
    conversation: Conversation,
    participant: Participant,
    index: number | null,
    cause: Cause,
  ): void {
    if (index !== null && (!Number.isInteger(index) || index < 0)) {
      throw invalidParameter('LastReadMessageIndex must be null or a whole number from 0.');
    }
    checkOpen(conversation);
    participant.lastReadMessageIndex = index;
    participant.lastReadAt = index === null ? null : this.#date();
    participant.dateUpdated = this.#date();
    this.#emit({ kind: 'participant-updated', conversation, participant, ...cause });
  }

  /** Stores a message. Whether it may be sent has been checked before. */
  addMessage(conversation: Conversation, fields: NewMessage, cause: Cause): Message {
    checkOpen(conversation);
    const message = createMessage(conversation, fields, this.#date());
    conversation.nextIndex += 1;
    conversation.messages.push(message);
    this.#messages.set(message.sid, { conversation, message });
    for (const { sid } of trimOldest(conversation.messages, this.historyLimit)) this.#messages.delete(sid);
    this.#emit({ kind: 'message-added', conversation, message, ...cause });
    return message;
  }

  updateMessage(
    conversation: Conversation,
    message: Message,
    fields: Partial<Pick<Message, 'body' | 'attributes'>>,
    cause: Cause,
  ): void {
    Object.assign(message, fields, { dateUpdated: this.#date() });
    this.#emit({ kind: 'message-updated', conversation, message, ...cause });
  }

  /** Removes a message; its index stays used. */
  removeMessage(conversation: Conversation, message: Message, cause: Cause): void {
    conversation.messages.splice(conversation.messages.indexOf(message), 1);
    this.#messages.delete(message.sid);
    this.#emit({ kind: 'message-removed', conversation, message, ...cause });
  }

  /** Reports what became of a message on the way to its phones. */
  setDelivery(
    conversation: Conversation,
    message: Message,
    status: DeliveryStatus,
    errorCode: number,
    cause: Cause,
  ): void {
    if (message.receipts.length === 0) {
      throw invalidParameter(`Message ${message.sid} went to no phone, so it has no delivery to report.`);
    }
    for (const receipt of message.receipts) {
      Object.assign(receipt, { status, errorCode, dateUpdated: this.#date() });
    }
    message.dateUpdated = this.#date();
    this.#emit({ kind: 'delivery-updated', conversation, message, ...cause });
  }

  #emit(change: ModelChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #date(): string {
    return new Date(this.now()).toISOString();
  }
}

/** Throws 403/50377 for a conversation that is closed: it takes no change any more. */
function checkOpen(conversation: Conversation): void {
  if (conversation.state === 'closed') throw new ApiError(403, 50377, 'Conversation is closed');
}
