import { type JsonObject } from '../../json.js';
import { type Conversation, type Message, type Participant } from '../model/records.js';
import { conversationObjects, type UserObjects } from '../sync/sync-projection.js';

/** Base of the URLs that the SDK calls through its socket; the host is a mere name there. */
const CLIENT_BASE = 'https://aim.us1.twilio.com/Client';

/** The Configuration reply: who one is and where everything lies. `origin` serves the media over real HTTP. */
export function toConfiguration(
  identity: string,
  serviceSid: string,
  origin: string,
  user: UserObjects,
): JsonObject {
  const service = `${CLIENT_BASE}/v2/Services/${serviceSid}`;
  const me = `${service}/Users/${encodeURIComponent(identity)}`;
  return {
    identity,
    links: {
      my_conversations: `${me}/Conversations`,
      conversations: `${service}/Conversations`,
      users: `${service}/Users`,
      current_user: me,
      typing: `${CLIENT_BASE}/v1/typing`,
      media_service: `${origin}/v1/Services/${serviceSid}/Media`,
      media_set_service: `${origin}/v1/Services/${serviceSid}/MediaSet`,
      messages_receipts: `${service}/Conversations/%s/Messages/%s/Receipts`,
    },
    sync_objects: { my_user_info: user.info, my_conversations: user.conversations },
    options: {
      reachability_enabled: false,
      user_infos_to_subscribe: 100,
      http_cache_interval: 'PT5S',
      consumption_report_interval: 'PT5S',
      media_attachments_count_limit: 10,
      media_attachment_size_limit_in_mb: 150,
      media_attachments_total_size_limit_in_mb: 150,
      email_histories_allowed_mime_types: ['text/plain', 'text/html'],
      email_bodies_allowed_mime_types: ['text/plain', 'text/html'],
    },
  };
}

function syncObjects(conversation: Conversation): JsonObject {
  const names = conversationObjects(conversation.sid);
  return { conversation: names.document, messages: names.messages, participants: names.roster };
}

/** A conversation as one of its participants sees it in the list of their own. */
export function toMyConversation(conversation: Conversation, participant: Participant): JsonObject {
  return {
    conversation_sid: conversation.sid,
    status: 'joined',
    sync_objects: syncObjects(conversation),
    friendly_name: conversation.friendlyName,
    unique_name: conversation.uniqueName,
    last_read_message_index: participant.lastReadMessageIndex,
    unread_messages_count: unreadCount(conversation, participant),
    notification_level: 'default',
  };
}

/** Messages behind the read horizon; null while nothing was ever read, as Twilio says it. */
export function unreadCount(conversation: Conversation, participant: Participant): number | null {
  const horizon = participant.lastReadMessageIndex;
  return horizon === null ? null : conversation.messages.filter(({ index }) => index > horizon).length;
}

/** A conversation as the SDK reads it by SID. */
export function toClientConversation(
  conversation: Conversation,
  serviceSid: string,
  joined: boolean,
): JsonObject {
  const url = `${CLIENT_BASE}/v2/Services/${serviceSid}/Conversations/${conversation.sid}`;
  return {
    sid: conversation.sid,
    conversation_sid: conversation.sid,
    url,
    links: { messages: `${url}/Messages`, participants: `${url}/Participants` },
    sync_objects: syncObjects(conversation),
    status: joined ? 'joined' : 'notParticipating',
    friendly_name: conversation.friendlyName,
    unique_name: conversation.uniqueName,
    attributes: conversation.attributes,
    created_by: conversation.createdBy,
    date_created: conversation.dateCreated,
    date_updated: conversation.dateUpdated,
    messages_count: conversation.messages.length,
    participants_count: conversation.participants.size,
  };
}

/** The delivery receipts of a message, as SDK and REST interface both write them. */
export function toReceipts(
  conversation: Conversation,
  message: Message,
): readonly (JsonObject & { sid: string })[] {
  return message.receipts.map((receipt) => ({
    sid: receipt.sid,
    message_sid: message.sid,
    conversation_sid: conversation.sid,
    channel_message_sid: receipt.channelMessageSid,
    participant_sid: receipt.participantSid,
    status: receipt.status,
    error_code: receipt.errorCode,
    date_created: receipt.dateCreated,
    date_updated: receipt.dateUpdated,
  }));
}
