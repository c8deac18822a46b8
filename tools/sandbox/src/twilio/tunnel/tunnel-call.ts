import { z } from 'zod';
import { type JsonObject, parseJson } from '../../json.js';
import { ownParticipant, visibleConversation } from '../rest/access.js';
import { ApiError, invalidParameter } from '../api-error.js';
import { type ConversationsModel } from '../model/conversations-model.js';
import { type MediaStore } from '../model/media-store.js';
import { type Cause } from '../model/model-change.js';
import { type Conversation, type Message } from '../model/records.js';
import { type Answer } from '../rest/request-gate.js';
import { type SyncProjection } from '../sync/sync-projection.js';
import { type SyncStore } from '../sync/sync-store.js';
import { type TwilioSandboxOptions } from '../twilio-options.js';
import { type TunnelPeer, type TunnelRequest } from './tunnel-request.js';

/** What the handlers of tunnelled requests work on. */
export interface TunnelContext {
  readonly model: ConversationsModel;
  readonly projection: SyncProjection;
  readonly store: SyncStore;
  readonly media: MediaStore;
  readonly serviceSid: string;
  readonly notParticipantCode: TwilioSandboxOptions['notParticipantCode'];
  origin(): string;
  notifyTyping(conversation: Conversation, typist: string): void;
}

/** A tunnelled request with what its handler needs. */
export interface Call {
  readonly context: TunnelContext;
  readonly peer: TunnelPeer;
  readonly request: TunnelRequest;
  /** The path's variable part by name. */
  readonly arg: (name: string) => string;
  readonly body: <T>(schema: z.ZodType<T>) => T;
}

/** A request that the sandbox answers. */
export interface Route {
  readonly method: string;
  /** Path parts; `:name` stands for a variable one. */
  readonly pattern: string;
  /** Its name in faults and statistics. */
  readonly operation: string;
  readonly handle: (call: Call) => Answer;
}

/** Changes through the socket fire webhooks, as those of a real SDK do. */
export const SDK_CAUSE: Cause = { source: 'SDK', silent: false };

/** Start of the paths of the chat service. */
export const SERVICE_PATH = 'Client/v2/Services/:service';

/** Text that may be null or missing. */
export const nullableText = z.string().nullish();

/** Reads a JSON body. Throws 400 with the name of the first field that is wrong. */
export function parseBody<T>(schema: z.ZodType<T>, text: string): T {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalidParameter(`${issue?.path.join('.') ?? 'body'}: ${issue?.message ?? 'invalid'}`);
}

/** A 200 with a body. */
export function ok(body: JsonObject): Answer {
  return { status: 200, body };
}

/** The conversation that the path names, if the caller may see it. Throws 404 or 403. */
export function visible({ context, peer, arg }: Call): Conversation {
  return visibleConversation(context.model, arg('conversation'), peer.identity, context.notParticipantCode);
}

/** The conversation that the path names and the caller's participant in it. Throws 404 or 403. */
export function own({ context, peer, arg }: Call): ReturnType<typeof ownParticipant> {
  return ownParticipant(context.model, arg('conversation'), peer.identity, context.notParticipantCode);
}

/** The message that the path names, in a conversation of the caller's. Throws 404 or 403. */
export function ownMessage(call: Call): { readonly conversation: Conversation; readonly message: Message } {
  const { conversation } = own(call);
  const found = call.context.model.findMessage(call.arg('message'));
  if (found?.conversation !== conversation) throw new ApiError(404, 20404, 'Message not found');
  return found;
}
