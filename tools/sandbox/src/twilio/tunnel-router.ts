import { z } from 'zod';
import { type JsonObject, parseJson } from '../json.js';
import { canReadObject, ownParticipant, visibleConversation } from './access.js';
import { ApiError, invalidParameter } from './api-error.js';
import { type Cause, type ConversationsModel } from './conversations-model.js';
import { type MediaStore } from './media-store.js';
import { writeOutbound } from './message-writer.js';
import { checkAttributes, checkOutbound } from './outbound-policy.js';
import { type Conversation, findIdentity, findParticipant, type Message } from './records.js';
import { type Answer } from './request-gate.js';
import { type SyncProjection } from './sync-projection.js';
import { getSync, subscriptionsAccepted, subscriptionsSchema } from './sync-requests.js';
import { type SyncStore } from './sync-store.js';
import {
  toClientConversation,
  toConfiguration,
  toMyConversation,
  toReceipts,
  unreadCount,
} from './tunnel-views.js';
import { type TunnelPeer, type TunnelRequest } from './twilsock-connection.js';

/** What the handlers of tunnelled requests work on. */
export interface TunnelContext {
  readonly model: ConversationsModel;
  readonly projection: SyncProjection;
  readonly store: SyncStore;
  readonly media: MediaStore;
  readonly serviceSid: string;
  origin(): string;
  notifyTyping(conversation: Conversation, typist: string): void;
}

interface Call {
  readonly context: TunnelContext;
  readonly peer: TunnelPeer;
  readonly request: TunnelRequest;
  /** The path's variable part by name. */
  readonly arg: (name: string) => string;
  readonly body: <T>(schema: z.ZodType<T>) => T;
}

interface Route {
  readonly method: string;
  readonly pattern: string;
  readonly operation: string;
  readonly handle: (call: Call) => Answer;
}

const SDK: Cause = { source: 'SDK', silent: false };
const PAGE_SIZE = 100;
const SERVICE = 'Client/v2/Services/:service';
const CONVERSATION = `${SERVICE}/Conversations/:conversation`;
const MINE = `${SERVICE}/Users/:identity/Conversations`;
const nullableText = z.string().nullish();

const routes: readonly Route[] = [
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
      if (index !== undefined) call.context.model.setReadHorizon(conversation, participant, index, SDK);
      return ok({ unread_messages_count: unreadCount(conversation, participant) });
    },
  },
  {
    method: 'GET',
    pattern: `${SERVICE}/Users/:identity`,
    operation: 'getUser',
    handle: ({ context, arg }) => {
      const identity = arg('identity');
      const { info } = context.projection.user(identity);
      return ok({ identity, friendly_name: identity, sync_objects: { user_info_map: info } });
    },
  },
  {
    method: 'POST',
    pattern: `${SERVICE}/Conversations`,
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
        SDK,
      );
      return ok({});
    },
  },
  {
    method: 'DELETE',
    pattern: CONVERSATION,
    operation: 'deleteConversation',
    handle: (call) => {
      call.context.model.removeConversation(own(call).conversation, SDK);
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
      call.context.model.removeParticipant(conversation, participant, SDK);
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
      const fields = call.body(z.object({ body: z.string().optional(), attributes: z.string().optional() }));
      const draft = {
        body: fields.body ?? message.body,
        attributes: fields.attributes ?? message.attributes,
      };
      checkOutbound(conversation, { ...draft, mediaCount: message.medias.length }, new Set());
      call.context.model.updateMessage(conversation, message, draft, SDK);
      return ok({});
    },
  },
  {
    method: 'DELETE',
    pattern: `${CONVERSATION}/Messages/:message`,
    operation: 'deleteMessage',
    handle: (call) => {
      const { conversation, message } = ownMessage(call);
      call.context.model.removeMessage(conversation, message, SDK);
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
  {
    method: 'POST',
    pattern: 'Client/v1/typing',
    operation: 'typing',
    handle: ({ context, peer, request }) => {
      const sid = new URLSearchParams(request.body).get('ChannelSid') ?? '';
      const { conversation } = ownParticipant(context.model, sid, peer.identity);
      context.notifyTyping(conversation, peer.identity);
      return ok({ typing_timeout: 5 });
    },
  },
  ...(['Documents', 'Lists', 'Maps'] as const).flatMap((collection): Route[] => {
    const operation = `getSync${collection.slice(0, -1)}`;
    const sync =
      (items: boolean) =>
      (call: Call): Answer =>
        readSync(call, items);
    return [
      { method: 'GET', pattern: `v3/${collection}/:key`, operation, handle: sync(false) },
      {
        method: 'GET',
        pattern: `v3/Services/:service/${collection}/:key/Items`,
        operation: `${operation}Items`,
        handle: sync(true),
      },
    ];
  }),
  {
    method: 'POST',
    pattern: 'v4/Subscriptions',
    operation: 'subscribe',
    handle: ({ context, peer, body }) => {
      peer.subscribe(body(subscriptionsSchema), (name) =>
        canReadObject(context.model, context.projection, peer.identity, name),
      );
      return subscriptionsAccepted;
    },
  },
];

/** The route of a tunnelled request: its name, and what executes it. Unknown paths are answered 404. */
export function routeTunnelRequest(
  context: TunnelContext,
  request: TunnelRequest,
  peer: TunnelPeer,
): { readonly operation: string; readonly execute: () => Answer } {
  for (const route of routes) {
    const args = route.method === request.method ? matchPath(route.pattern, request.segments) : undefined;
    if (args === undefined) continue;
    const call: Call = {
      context,
      peer,
      request,
      arg: (name) => args.get(name) ?? '',
      body: (schema) => parseBody(schema, request.body),
    };
    return { operation: route.operation, execute: () => route.handle(call) };
  }
  return {
    operation: 'unknown',
    execute: () => {
      throw new ApiError(404, 20404, `The sandbox has no ${request.method} ${request.path}`);
    },
  };
}

/** Matches path parts against a pattern like `a/:name/b`. Returns the named parts, or undefined. */
export function matchPath(
  pattern: string,
  segments: readonly string[],
): ReadonlyMap<string, string> | undefined {
  const parts = pattern.split('/');
  if (parts.length !== segments.length) return undefined;
  const args = new Map<string, string>();
  for (const [position, part] of parts.entries()) {
    const segment = segments[position] ?? '';
    if (part.startsWith(':')) args.set(part.slice(1), segment);
    else if (part !== segment) return undefined;
  }
  return args;
}

function parseBody<T>(schema: z.ZodType<T>, text: string): T {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalidParameter(`${issue?.path.join('.') ?? 'body'}: ${issue?.message ?? 'invalid'}`);
}

function ok(body: JsonObject): Answer {
  return { status: 200, body };
}

function visible({ context, peer, arg }: Call): Conversation {
  return visibleConversation(context.model, arg('conversation'), peer.identity);
}

function own({ context, peer, arg }: Call): ReturnType<typeof ownParticipant> {
  return ownParticipant(context.model, arg('conversation'), peer.identity);
}

function ownMessage(call: Call): { readonly conversation: Conversation; readonly message: Message } {
  const { conversation } = own(call);
  const found = call.context.model.findMessage(call.arg('message'));
  if (found?.conversation !== conversation) throw new ApiError(404, 20404, 'Message not found');
  return found;
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
    SDK,
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
    SDK,
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
    SDK,
  );
  return { status: 201, body: { sid: message.sid, index: message.index } };
}

function readSync({ context, peer, request, arg }: Call, items: boolean): Answer {
  return getSync(
    context.store,
    context.serviceSid,
    { key: arg('key'), items, params: request.params },
    (name) => canReadObject(context.model, context.projection, peer.identity, name),
  );
}
