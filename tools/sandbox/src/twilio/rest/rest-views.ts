import { type JsonObject } from '../../json.js';
import { type Conversation, type Message, type Participant } from '../model/records.js';
import { aggregateDelivery } from '../sync/sync-projection.js';

/** What every REST resource carries. */
export interface RestIdentity {
  readonly accountSid: string;
  readonly chatServiceSid: string;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
}

function conversationUrl({ origin, chatServiceSid }: RestIdentity, sid: string): string {
  return `${origin}/v1/Services/${chatServiceSid}/Conversations/${sid}`;
}

/** The conversation service as the REST interface writes it. */
export function toRestService({ accountSid, chatServiceSid, origin }: RestIdentity): JsonObject {
  const url = `${origin}/v1/Services/${chatServiceSid}`;
  return {
    account_sid: accountSid,
    sid: chatServiceSid,
    friendly_name: 'Sandbox',
    date_created: null,
    date_updated: null,
    url,
    links: { conversations: `${url}/Conversations` },
  };
}

/** A conversation as the REST interface writes it. */
export function toRestConversation(identity: RestIdentity, conversation: Conversation): JsonObject {
  const url = conversationUrl(identity, conversation.sid);
  return {
    sid: conversation.sid,
    account_sid: identity.accountSid,
    chat_service_sid: identity.chatServiceSid,
    messaging_service_sid: null,
    friendly_name: conversation.friendlyName,
    unique_name: conversation.uniqueName,
    attributes: conversation.attributes,
    state: conversation.state,
    timers: {},
    bindings: {},
    date_created: conversation.dateCreated,
    date_updated: conversation.dateUpdated,
    url,
    links: {
      participants: `${url}/Participants`,
      messages: `${url}/Messages`,
      webhooks: `${url}/Webhooks`,
    },
  };
}

/** A participant as the REST interface writes it. */
export function toRestParticipant(
  identity: RestIdentity,
  conversation: Conversation,
  participant: Participant,
): JsonObject {
  const { binding } = participant;
  return {
    sid: participant.sid,
    account_sid: identity.accountSid,
    conversation_sid: conversation.sid,
    identity: participant.identity ?? null,
    attributes: participant.attributes,
    messaging_binding:
      binding === undefined
        ? null
        : {
            type: participant.type,
            address: binding.address,
            proxy_address: binding.proxyAddress,
          },
    role_sid: null,
    last_read_message_index: participant.lastReadMessageIndex,
    last_read_timestamp: participant.lastReadAt,
    date_created: participant.dateCreated,
    date_updated: participant.dateUpdated,
    url: `${conversationUrl(identity, conversation.sid)}/Participants/${participant.sid}`,
  };
}

/** A message as the REST interface writes it. */
export function toRestMessage(
  identity: RestIdentity,
  conversation: Conversation,
  message: Message,
): JsonObject {
  const url = `${conversationUrl(identity, conversation.sid)}/Messages/${message.sid}`;
  return {
    sid: message.sid,
    account_sid: identity.accountSid,
    conversation_sid: conversation.sid,
    index: message.index,
    author: message.author,
    body: message.body,
    media:
      message.medias.length === 0
        ? null
        : message.medias.map(({ sid, size, contentType, filename }) => ({
            sid,
            size,
            content_type: contentType,
            filename,
            category: 'media',
          })),
    attributes: message.attributes,
    participant_sid: message.participantSid ?? null,
    delivery: message.receipts.length === 0 ? null : aggregateDelivery(message),
    content_sid: null,
    date_created: message.dateCreated,
    date_updated: message.dateUpdated,
    url,
    links: { delivery_receipts: `${url}/Receipts`, channel_metadata: `${url}/ChannelMetadata` },
  };
}

/** Which page of a list is asked for. */
export interface RestPageRequest {
  /** The request's own URL: the links to other pages are made from it. */
  readonly url: URL;
  readonly pageSize: number;
  readonly page: number;
  /** SID of the page's first resource: a page stays where it is while others come before it. */
  readonly token: string | undefined;
}

/** A page of resources with Twilio's paging fields. */
export function toRestPage<T extends { readonly sid: string }>(
  key: string,
  all: readonly T[],
  view: (each: T) => JsonObject,
  { url, pageSize, page, token }: RestPageRequest,
): JsonObject {
  const anchor = token === undefined ? -1 : all.findIndex(({ sid }) => sid === token);
  const start = anchor === -1 ? page * pageSize : anchor;
  const link = (number: number, position: number): string => {
    const target = new URL(url);
    target.searchParams.set('PageSize', String(pageSize));
    target.searchParams.set('Page', String(number));
    const first = all[position];
    if (first !== undefined) target.searchParams.set('PageToken', first.sid);
    return target.href;
  };
  const end = start + pageSize;
  return {
    [key]: all.slice(start, end).map(view),
    meta: {
      page,
      page_size: pageSize,
      first_page_url: link(0, 0),
      previous_page_url: start > 0 ? link(Math.max(0, page - 1), Math.max(0, start - pageSize)) : null,
      next_page_url: end < all.length ? link(page + 1, end) : null,
      url: link(page, start),
      key,
    },
  };
}
