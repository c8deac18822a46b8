import { type ModelChange } from '../model/model-change.js';
import { isPhone } from '../model/records.js';

/** An event that Twilio tells by webhook. */
export interface WebhookEvent {
  readonly event: string;
  readonly conversationSid: string;
  readonly messageSid: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

const NAMES = {
  'conversation-added': 'onConversationAdded',
  'conversation-updated': 'onConversationUpdated',
  'conversation-removed': 'onConversationRemoved',
  'participant-added': 'onParticipantAdded',
  'participant-updated': 'onParticipantUpdated',
  'participant-removed': 'onParticipantRemoved',
  'message-added': 'onMessageAdded',
  'message-updated': 'onMessageUpdated',
  'message-removed': 'onMessageRemoved',
  'delivery-updated': 'onDeliveryUpdated',
} as const satisfies Record<ModelChange['kind'], string>;

/** The webhook of a change, with the fields that Twilio's page "Conversations webhooks" lists. */
export function toWebhookEvent(
  change: ModelChange,
  accountSid: string,
  chatServiceSid: string,
): WebhookEvent {
  const { conversation } = change;
  const event = NAMES[change.kind];
  const fields: Record<string, string> = {
    EventType: event,
    AccountSid: accountSid,
    ChatServiceSid: chatServiceSid,
    ConversationSid: conversation.sid,
    RetryCount: '0',
    Source: change.source,
  };
  if ('message' in change) Object.assign(fields, messageFields(change));
  else if ('participant' in change) Object.assign(fields, participantFields(change));
  else Object.assign(fields, conversationFields(change));
  return {
    event,
    conversationSid: conversation.sid,
    messageSid: 'message' in change ? change.message.sid : undefined,
    fields,
  };
}

function messageFields({
  kind,
  message,
}: Extract<ModelChange, { message: unknown }>): Record<string, string> {
  if (kind === 'delivery-updated') {
    const receipt = message.receipts[0];
    return {
      MessageSid: message.sid,
      ...(receipt === undefined
        ? {}
        : {
            DeliveryReceiptSid: receipt.sid,
            ChannelMessageSid: receipt.channelMessageSid,
            ParticipantSid: receipt.participantSid,
            Status: receipt.status,
            ErrorCode: String(receipt.errorCode),
            DateCreated: receipt.dateCreated,
            DateUpdated: receipt.dateUpdated,
          }),
    };
  }
  const medias = message.medias.map(({ sid, filename, contentType, size }) => ({
    Sid: sid,
    Filename: filename,
    ContentType: contentType,
    Size: size,
  }));
  return {
    MessageSid: message.sid,
    Index: String(message.index),
    Author: message.author,
    Body: message.body ?? '',
    Attributes: message.attributes,
    DateCreated: message.dateCreated,
    ...(message.participantSid === undefined ? {} : { ParticipantSid: message.participantSid }),
    ...(medias.length === 0 ? {} : { Media: JSON.stringify(medias) }),
  };
}

function participantFields({
  participant,
}: Extract<ModelChange, { participant: unknown }>): Record<string, string> {
  const common = {
    ParticipantSid: participant.sid,
    Attributes: participant.attributes,
    DateCreated: participant.dateCreated,
    RoleSid: '',
  };
  if (!isPhone(participant)) return { ...common, Identity: participant.identity ?? '' };
  return {
    ...common,
    'MessagingBinding.Type': participant.type,
    'MessagingBinding.Address': participant.binding.address,
    'MessagingBinding.ProxyAddress': participant.binding.proxyAddress,
  };
}

function conversationFields({ conversation }: ModelChange): Record<string, string> {
  const phone = [...conversation.participants.values()].find(isPhone);
  return {
    DateCreated: conversation.dateCreated,
    DateUpdated: conversation.dateUpdated,
    FriendlyName: conversation.friendlyName ?? '',
    UniqueName: conversation.uniqueName ?? '',
    Attributes: conversation.attributes,
    State: 'active',
    ...(phone === undefined
      ? {}
      : {
          'MessagingBinding.Address': phone.binding.address,
          'MessagingBinding.ProxyAddress': phone.binding.proxyAddress,
        }),
  };
}
