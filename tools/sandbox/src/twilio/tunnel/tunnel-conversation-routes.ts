import { z } from 'zod';
import { ApiError } from '../api-error.js';
import { writeOutbound } from '../model/message-writer.js';
import { checkAttributes, checkOutbound } from '../model/outbound-policy.js';
import { findIdentity, findParticipant } from '../model/records.js';
import { type Answer } from '../rest/request-gate.js';
import {
  type Call,
  nullableText,
  ok,
  own,
  ownMessage,
  type Route,
  SDK_CAUSE,
  SERVICE_PATH,
  visible,
} from './tunnel-call.js';
import { toClientConversation, toReceipts } from './tunnel-views.js';

const CONVERSATION = `${SERVICE_PATH}/Conversations/:conversation`;

/** Conversations, participants and messages. */
export function conversationRoutes(): readonly Route[] {
  return [
    {
      method: 'POST',
      pattern: `${SERVICE_PATH}/Conversations`,
      operation: 'createConversation',
      handle: createConversation,
    },
    {
      method: 'GET',
      pattern: CONVERSATION,
      operation: 'getConversation',
      handle: (call) => {
        const conversation = visible(call);
        const joined = findIdentity(conversation, call.peer.identity) !== undefined;
        return ok(toClientConversation(conversation, call.context.serviceSid, joined));
      },
    },
    {
      method: 'POST',
      pattern: CONVERSATION,
      operation: 'updateConversation',
      handle: (call) => {
        const { conversation } = own(call);
        const schema = z.object({
          friendly_name: nullableText,
          unique_name: nullableText,
          attributes: z.string().optional(),
        });
        const fields = call.body(schema);
        if (fields.attributes !== undefined) checkAttributes(fields.attributes);
        const { friendly_name: friendlyName, unique_name: uniqueName, attributes } = fields;
        call.context.model.updateConversation(
          conversation,
          {
            ...(friendlyName === undefined ? {} : { friendlyName }),
            ...(uniqueName === undefined ? {} : { uniqueName }),
            ...(attributes === undefined ? {} : { attributes }),
          },
          SDK_CAUSE,
        );
        return ok({});
      },
    },
    {
      method: 'DELETE',
      pattern: CONVERSATION,
      operation: 'deleteConversation',
      handle: (call) => {
        call.context.model.removeConversation(own(call).conversation, SDK_CAUSE);
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      pattern: `${CONVERSATION}/Participants`,
      operation: 'addParticipant',
      handle: addParticipant,
    },
    {
      method: 'DELETE',
      pattern: `${CONVERSATION}/Participants/:participant`,
      operation: 'removeParticipant',
      handle: (call) => {
        const { conversation } = own(call);
        const participant = findParticipant(conversation, call.arg('participant'));
        if (participant === undefined) throw new ApiError(404, 20404, 'Participant not found');
        call.context.model.removeParticipant(conversation, participant, SDK_CAUSE);
        return { status: 204 };
      },
    },
    { method: 'POST', pattern: `${CONVERSATION}/Messages`, operation: 'sendMessage', handle: sendMessage },
    {
      method: 'POST',
      pattern: `${CONVERSATION}/Messages/:message`,
      operation: 'updateMessage',
      handle: (call) => {
        const { conversation, message } = ownMessage(call);
        const fields = call.body(
          z.object({ body: z.string().optional(), attributes: z.string().optional() }),
        );
        const draft = {
          body: fields.body ?? message.body,
          attributes: fields.attributes ?? message.attributes,
        };
        checkOutbound(conversation, { ...draft, mediaCount: message.medias.length }, new Set());
        call.context.model.updateMessage(conversation, message, draft, SDK_CAUSE);
        return ok({});
      },
    },
    {
      method: 'DELETE',
      pattern: `${CONVERSATION}/Messages/:message`,
      operation: 'deleteMessage',
      handle: (call) => {
        const { conversation, message } = ownMessage(call);
        call.context.model.removeMessage(conversation, message, SDK_CAUSE);
        return { status: 204 };
      },
    },
    {
      method: 'GET',
      pattern: `${CONVERSATION}/Messages/:message/Receipts`,
      operation: 'listReceipts',
      handle: (call) => {
        const { conversation, message } = ownMessage(call);
        const meta = { previous_token: null, next_token: null };
        return ok({ delivery_receipts: toReceipts(conversation, message), meta });
      },
    },
  ];
}

function createConversation({ context, peer, body }: Call): Answer {
  const fields = body(
    z.object({
      friendly_name: nullableText,
      unique_name: nullableText,
      attributes: z.string().default('{}'),
    }),
  );
  checkAttributes(fields.attributes);
  const conversation = context.model.createConversation(
    {
      friendlyName: fields.friendly_name ?? null,
      uniqueName: fields.unique_name ?? null,
      attributes: fields.attributes,
      createdBy: peer.identity,
    },
    SDK_CAUSE,
  );
  return { status: 201, body: toClientConversation(conversation, context.serviceSid, false) };
}

function addParticipant(call: Call): Answer {
  const conversation = visible(call);
  const attributes = z.string().default('{}');
  const fields = call.body(
    z.union([
      z.object({ identity: z.string().min(1), attributes }),
      z.object({
        messaging_binding: z.object({ address: z.string().min(1), proxy_address: z.string().min(1) }),
        attributes,
      }),
    ]),
  );
  const participant = call.context.model.addParticipant(
    conversation,
    'identity' in fields
      ? fields
      : {
          address: fields.messaging_binding.address,
          proxyAddress: fields.messaging_binding.proxy_address,
          attributes: fields.attributes,
        },
    SDK_CAUSE,
  );
  return { status: 201, body: { sid: participant.sid, conversation_sid: conversation.sid } };
}

function sendMessage(call: Call): Answer {
  const { conversation } = own(call);
  const fields = call.body(
    z.object({
      body: nullableText,
      attributes: z.string().default('{}'),
      media_sids: z.array(z.string()).default([]),
    }),
  );
  const message = writeOutbound(
    call.context.model,
    call.context.media,
    conversation,
    {
      author: call.peer.identity,
      body: fields.body ?? null,
      attributes: fields.attributes,
      mediaSids: fields.media_sids,
    },
    SDK_CAUSE,
  );
  return { status: 201, body: { sid: message.sid, index: message.index } };
}
