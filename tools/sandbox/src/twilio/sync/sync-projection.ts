import { type JsonObject } from '../../json.js';
import { createSid } from '../model/identifiers.js';
import { type ModelChange } from '../model/model-change.js';
import { type Conversation, type Message, type Participant } from '../model/records.js';
import { type SyncStore } from './sync-store.js';

/** Role SID that every participant shows; the sandbox has no roles. */
const ROLE_SID = 'RL0123456789abcdef0123456789abcdef';

/** Names of the Sync objects of a conversation. */
export function conversationObjects(sid: string): {
  readonly document: string;
  readonly messages: string;
  readonly roster: string;
} {
  return { document: `${sid}.channel`, messages: `${sid}.messages`, roster: `${sid}.roster` };
}

/** The Sync objects of a user. */
export interface UserObjects {
  readonly info: string;
  readonly conversations: string;
}

/** Keeps the Sync objects that the SDK reads in step with the model. */
export class SyncProjection {
  readonly #users = new Map<string, UserObjects>();

  constructor(private readonly store: SyncStore) {}

  /** The Sync objects of an identity, made on first use: Twilio makes users when they first appear. */
  user(identity: string): UserObjects {
    const known = this.#users.get(identity);
    if (known !== undefined) return known;
    const sid = createSid('US');
    const user = { info: `${sid}.info`, conversations: `${sid}.my_conversations` };
    this.store.create('map', user.info);
    this.store.putItem(user.info, 'friendlyName', { value: identity });
    this.store.putItem(user.info, 'attributes', { value: '{}' });
    this.store.create('map', user.conversations);
    this.#users.set(identity, user);
    return user;
  }

  /** Applies one change of the model. */
  apply(change: ModelChange): void {
    const names = conversationObjects(change.conversation.sid);
    switch (change.kind) {
      case 'conversation-added':
        this.store.create('list', names.messages);
        this.store.create('map', names.roster);
        this.store.create('document', names.document, toDocument(change.conversation));
        return;
      case 'conversation-updated':
        this.store.setDocument(names.document, toDocument(change.conversation));
        return;
      case 'conversation-removed':
        for (const { identity } of change.conversation.participants.values()) {
          if (identity !== undefined) this.#leave(identity, change.conversation.sid);
        }
        for (const name of Object.values(names)) this.store.remove(name);
        return;
      case 'participant-added':
      case 'participant-updated':
        this.store.putItem(names.roster, change.participant.sid, this.#toRosterItem(change.participant));
        if (change.participant.identity !== undefined) {
          const user = this.user(change.participant.identity);
          const item = toMyConversation(change.conversation, change.participant);
          this.store.putItem(user.conversations, change.conversation.sid, item);
        }
        return;
      case 'participant-removed':
        this.store.removeItem(names.roster, change.participant.sid);
        if (change.participant.identity !== undefined) {
          this.#leave(change.participant.identity, change.conversation.sid);
          for (const name of Object.values(names)) this.store.revoke(name, change.participant.identity);
        }
        return;
      case 'message-added':
        this.store.putItem(names.messages, change.message.index, toListItem(change.message));
        this.store.setDocument(names.document, toDocument(change.conversation));
        return;
      case 'message-updated':
      case 'delivery-updated':
        this.store.putItem(names.messages, change.message.index, toListItem(change.message));
        return;
      case 'message-removed':
        this.store.removeItem(names.messages, change.message.index);
        return;
    }
    change satisfies never;
  }

  #leave(identity: string, conversationSid: string): void {
    this.store.removeItem(this.user(identity).conversations, conversationSid);
  }

  #toRosterItem(participant: Participant): JsonObject {
    const common = {
      type: participant.type,
      attributes: participant.attributes,
      roleSid: ROLE_SID,
      dateCreated: participant.dateCreated,
      dateUpdated: participant.dateUpdated,
      lastConsumedMessageIndex: participant.lastReadMessageIndex,
      lastConsumptionTimestamp: participant.lastReadAt,
    };
    if (participant.identity !== undefined) {
      return {
        ...common,
        identity: participant.identity,
        userInfo: this.user(participant.identity).info,
      };
    }
    const { address, proxyAddress } = participant.binding ?? { address: '', proxyAddress: '' };
    return {
      ...common,
      bindings: { [participant.type]: { type: participant.type, address, proxy_address: proxyAddress } },
    };
  }
}

function toDocument(conversation: Conversation): JsonObject {
  const names = conversationObjects(conversation.sid);
  const last = conversation.messages.at(-1);
  return {
    friendlyName: conversation.friendlyName,
    uniqueName: conversation.uniqueName,
    attributes: conversation.attributes,
    createdBy: conversation.createdBy,
    dateCreated: conversation.dateCreated,
    dateUpdated: conversation.dateUpdated,
    state: { current: conversation.state, dateUpdated: conversation.stateChangedAt },
    messages: names.messages,
    roster: names.roster,
    bindings: {},
    ...(last === undefined ? {} : { lastMessage: { index: last.index, timestamp: last.dateCreated } }),
  };
}

function toMyConversation(conversation: Conversation, participant: Participant): JsonObject {
  const names = conversationObjects(conversation.sid);
  return {
    channel: names.document,
    status: 'joined',
    messages: names.messages,
    roster: names.roster,
    notificationLevel: 'default',
    lastConsumedMessageIndex: participant.lastReadMessageIndex,
  };
}

function toListItem(message: Message): JsonObject {
  return {
    sid: message.sid,
    text: message.body,
    type: message.medias.length > 0 ? 'media' : 'text',
    author: message.author,
    subject: null,
    contentSid: null,
    attributes: message.attributes,
    timestamp: message.dateCreated,
    dateUpdated: message.dateUpdated,
    lastUpdatedBy: message.author,
    ...(message.participantSid === undefined ? {} : { memberSid: message.participantSid }),
    ...(message.medias.length === 0
      ? {}
      : {
          medias: message.medias.map(({ sid, contentType, filename, size }) => ({
            sid,
            category: 'media',
            filename,
            contentType,
            size,
          })),
        }),
    ...(message.receipts.length === 0 ? {} : { delivery: aggregateDelivery(message) }),
  };
}

/** Sums up the receipts as Twilio does: each status reached by `none`, `some` or `all` phones. */
export function aggregateDelivery(message: Message): JsonObject {
  const reached = {
    sent: ['sent', 'delivered', 'read', 'undelivered'],
    delivered: ['delivered', 'read'],
    read: ['read'],
    failed: ['failed'],
    undelivered: ['undelivered'],
  };
  const total = message.receipts.length;
  const amounts = Object.entries(reached).map(([name, statuses]): [string, string] => {
    const count = message.receipts.filter((receipt) => statuses.includes(receipt.status)).length;
    return [name, count === 0 ? 'none' : count === total ? 'all' : 'some'];
  });
  return { total, ...Object.fromEntries(amounts) };
}
