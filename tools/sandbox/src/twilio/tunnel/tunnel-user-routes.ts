import { z } from 'zod';
import { ownParticipant } from '../rest/access.js';
import { findIdentity } from '../model/records.js';
import { type Answer } from '../rest/request-gate.js';
import { type Call, ok, own, type Route, SDK_CAUSE, SERVICE_PATH } from './tunnel-call.js';
import { toConfiguration, toMyConversation, unreadCount } from './tunnel-views.js';

const PAGE_SIZE = 100;
const MINE = `${SERVICE_PATH}/Users/:identity/Conversations`;

/** What concerns the user: configuration, own conversations with their read horizons, typing. */
export function userRoutes(): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: 'Client/v2/Configuration',
      operation: 'configuration',
      handle: ({ context, peer }) =>
        ok(
          toConfiguration(
            peer.identity,
            context.serviceSid,
            context.origin(),
            context.projection.user(peer.identity),
          ),
        ),
    },
    { method: 'GET', pattern: MINE, operation: 'listMyConversations', handle: listMyConversations },
    {
      method: 'GET',
      pattern: `${MINE}/:conversation`,
      operation: 'getMyConversation',
      handle: (call) => {
        const { conversation, participant } = own(call);
        return ok(toMyConversation(conversation, participant));
      },
    },
    {
      method: 'POST',
      pattern: `${MINE}/:conversation`,
      operation: 'setReadHorizon',
      handle: (call) => {
        const { conversation, participant } = own(call);
        const schema = z.object({ last_read_message_index: z.number().nullish() });
        const { last_read_message_index: index } = call.body(schema);
        if (index !== undefined)
          call.context.model.setReadHorizon(conversation, participant, index, SDK_CAUSE);
        return ok({ unread_messages_count: unreadCount(conversation, participant) });
      },
    },
    {
      method: 'GET',
      pattern: `${SERVICE_PATH}/Users/:identity`,
      operation: 'getUser',
      handle: ({ context, arg }) => {
        const identity = arg('identity');
        const { info } = context.projection.user(identity);
        return ok({ identity, friendly_name: identity, sync_objects: { user_info_map: info } });
      },
    },
    {
      method: 'POST',
      pattern: 'Client/v1/typing',
      operation: 'typing',
      handle: ({ context, peer, request }) => {
        const sid = new URLSearchParams(request.body).get('ChannelSid') ?? '';
        const { conversation } = ownParticipant(
          context.model,
          sid,
          peer.identity,
          context.notParticipantCode,
        );
        context.notifyTyping(conversation, peer.identity);
        return ok({ typing_timeout: 5 });
      },
    },
  ];
}

function listMyConversations({ context, peer, request }: Call): Answer {
  const all = context.model.conversationsOf(peer.identity);
  const start = Number(request.params['PageToken'] ?? 0) || 0;
  const page = all.slice(start, start + PAGE_SIZE);
  const next = start + PAGE_SIZE < all.length ? String(start + PAGE_SIZE) : null;
  return ok({
    conversations: page.flatMap((conversation) => {
      const participant = findIdentity(conversation, peer.identity);
      return participant === undefined ? [] : [toMyConversation(conversation, participant)];
    }),
    meta: { next_token: next, previous_token: null },
  });
}
