import { ApiError } from '../api-error.js';
import { type ConversationsModel } from '../model/conversations-model.js';
import { type Conversation, findIdentity, type Participant } from '../model/records.js';
import { type SyncProjection } from '../sync/sync-projection.js';
import { type TwilioSandboxOptions } from '../twilio-options.js';

type NotParticipantCode = TwilioSandboxOptions['notParticipantCode'];

/** Whether an identity may see a conversation: its participants and its creator may. */
export function canSee(conversation: Conversation, identity: string): boolean {
  return conversation.createdBy === identity || findIdentity(conversation, identity) !== undefined;
}

/** The conversation by SID or unique name. Throws 404/50350 when there is none, 403 when it is not theirs. */
export function visibleConversation(
  model: ConversationsModel,
  key: string,
  identity: string,
  notParticipantCode: NotParticipantCode,
): Conversation {
  const conversation = model.find(key);
  if (conversation === undefined) throw new ApiError(404, 50350, 'Conversation not found');
  if (!canSee(conversation, identity)) {
    throw new ApiError(403, notParticipantCode, 'User not participant of conversation');
  }
  return conversation;
}

/** The conversation and the identity's own participant in it. Throws as `visibleConversation`. */
export function ownParticipant(
  model: ConversationsModel,
  key: string,
  identity: string,
  notParticipantCode: NotParticipantCode,
): { readonly conversation: Conversation; readonly participant: Participant } {
  const conversation = visibleConversation(model, key, identity, notParticipantCode);
  const participant = findIdentity(conversation, identity);
  if (participant === undefined) {
    throw new ApiError(403, notParticipantCode, 'User not participant of conversation');
  }
  return { conversation, participant };
}

/** Whether an identity may read a Sync object, by the object's unique name. */
export function canReadObject(
  model: ConversationsModel,
  projection: SyncProjection,
  identity: string,
  uniqueName: string,
): boolean {
  const own = projection.user(identity);
  if (uniqueName === own.conversations || uniqueName === own.info) return true;
  const [sid = '', part] = uniqueName.split('.');
  if (sid.startsWith('US')) return part === 'info';
  const conversation = model.find(sid);
  return conversation !== undefined && canSee(conversation, identity);
}
