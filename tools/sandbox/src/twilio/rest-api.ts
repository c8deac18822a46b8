import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type JsonObject } from '../json.js';
import { ApiError, invalidParameter } from './api-error.js';
import { type Cause, type ConversationsModel } from './conversations-model.js';
import { checkBasicAuth, replyWithError, throughGate } from './fastify-gate.js';
import { type MediaStore } from './media-store.js';
import { writeOutbound } from './message-writer.js';
import { checkAttributes, checkOutbound } from './outbound-policy.js';
import { type Conversation, findParticipant, type Message, type Participant } from './records.js';
import { type Answer, type RequestGate } from './request-gate.js';
import {
  type RestIdentity,
  toRestConversation,
  toRestMessage,
  toRestPage,
  toRestParticipant,
} from './rest-views.js';
import { toReceipts } from './tunnel-views.js';

/** What the REST interface works on. */
export interface RestContext {
  readonly model: ConversationsModel;
  readonly media: MediaStore;
  readonly gate: RequestGate;
  /** User and password pairs that are let in. */
  readonly accounts: readonly (readonly [user: string, password: string])[];
  identity(): RestIdentity;
}

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 100;

/** Adds Twilio's REST interface, with and without a service in the path. */
export async function registerRestApi(app: FastifyInstance, context: RestContext): Promise<void> {
  for (const prefix of ['/v1', '/v1/Services/:serviceSid']) {
    await app.register(
      (scope, _options, done) => {
        registerRoutes(scope, context);
        done();
      },
      { prefix },
    );
  }
}

function registerRoutes(scope: FastifyInstance, context: RestContext): void {
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      done(null, new URLSearchParams(body.toString()));
    },
  );
  scope.setErrorHandler(replyWithError);
  const add = (
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    operation: string,
    handle: (call: RestCall) => Answer,
  ): void => {
    scope.route({
      method,
      url,
      handler: throughGate(context.gate, 'rest', operation, (request) => {
        checkBasicAuth(request.headers.authorization, context.accounts);
        const call = new RestCall(context, request);
        call.checkService();
        return handle(call);
      }),
    });
  };

  add('GET', '/Conversations', 'listConversations', (call) =>
    call.page('conversations', call.model.conversations(), (each) => toRestConversation(call.identity, each)),
  );
  add('POST', '/Conversations', 'createConversation', createConversation);
  add('GET', '/Conversations/:conversation', 'getConversation', (call) =>
    found(toRestConversation(call.identity, call.conversation())),
  );
  add('POST', '/Conversations/:conversation', 'updateConversation', updateConversation);
  add('DELETE', '/Conversations/:conversation', 'deleteConversation', (call) => {
    call.model.removeConversation(call.conversation(), call.cause);
    return { status: 204 };
  });
  add('GET', '/Conversations/:conversation/Participants', 'listParticipants', (call) => {
    const conversation = call.conversation();
    return call.page('participants', [...conversation.participants.values()], (each) =>
      toRestParticipant(call.identity, conversation, each),
    );
  });
  add('POST', '/Conversations/:conversation/Participants', 'createParticipant', createParticipant);
  add('GET', '/Conversations/:conversation/Participants/:participant', 'getParticipant', (call) => {
    const { conversation, participant } = call.participant();
    return found(toRestParticipant(call.identity, conversation, participant));
  });
  add('POST', '/Conversations/:conversation/Participants/:participant', 'updateParticipant', (call) => {
    const { conversation, participant } = call.participant();
    const index = call.form('LastReadMessageIndex');
    if (index !== undefined) {
      const horizon = index === 'null' || index === '' ? null : Number(index);
      call.model.setReadHorizon(conversation, participant, horizon, call.cause);
    }
    return found(toRestParticipant(call.identity, conversation, participant));
  });
  add('DELETE', '/Conversations/:conversation/Participants/:participant', 'deleteParticipant', (call) => {
    const { conversation, participant } = call.participant();
    call.model.removeParticipant(conversation, participant, call.cause);
    return { status: 204 };
  });
  add('GET', '/Conversations/:conversation/Messages', 'listMessages', (call) => {
    const conversation = call.conversation();
    const ascending = conversation.messages;
    const ordered = call.query('Order') === 'desc' ? [...ascending].reverse() : ascending;
    return call.page('messages', ordered, (each) => toRestMessage(call.identity, conversation, each));
  });
  add('POST', '/Conversations/:conversation/Messages', 'createMessage', createMessage);
  add('GET', '/Conversations/:conversation/Messages/:message', 'getMessage', (call) => {
    const { conversation, message } = call.message();
    return found(toRestMessage(call.identity, conversation, message));
  });
  add('POST', '/Conversations/:conversation/Messages/:message', 'updateMessage', (call) => {
    const { conversation, message } = call.message();
    const body = call.form('Body') ?? message.body;
    const attributes = call.form('Attributes') ?? message.attributes;
    checkOutbound(conversation, { body, attributes, mediaCount: message.medias.length }, new Set());
    call.model.updateMessage(conversation, message, { body, attributes }, call.cause);
    return found(toRestMessage(call.identity, conversation, message));
  });
  add('DELETE', '/Conversations/:conversation/Messages/:message', 'deleteMessage', (call) => {
    const { conversation, message } = call.message();
    call.model.removeMessage(conversation, message, call.cause);
    return { status: 204 };
  });
  add('GET', '/Conversations/:conversation/Messages/:message/Receipts', 'listReceipts', (call) => {
    const { conversation, message } = call.message();
    return call.page('delivery_receipts', toReceipts(conversation, message), (each) => each);
  });
}

/** One REST request: its parameters and what they name. */
class RestCall {
  readonly model: ConversationsModel;
  readonly identity: RestIdentity;
  readonly #params: Readonly<Record<string, string | undefined>>;
  readonly #query: URLSearchParams;
  readonly #form: URLSearchParams;

  constructor(
    readonly context: RestContext,
    private readonly request: FastifyRequest,
  ) {
    this.model = context.model;
    this.identity = context.identity();
    this.#params = request.params as Record<string, string>; // Fastify gives path parameters as strings
    this.#query = new URL(request.url, this.identity.origin).searchParams;
    this.#form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
  }

  /** REST changes send webhooks only when this header asks for them. */
  get cause(): Cause {
    const enabled = this.request.headers['x-twilio-webhook-enabled'] === 'true';
    return { source: 'API', silent: !enabled };
  }

  form(name: string): string | undefined {
    return this.#form.get(name) ?? undefined;
  }

  formAll(name: string): readonly string[] {
    return this.#form.getAll(name);
  }

  query(name: string): string | undefined {
    return this.#query.get(name) ?? undefined;
  }

  checkService(): void {
    const sid = this.#params['serviceSid'];
    if (sid !== undefined && sid !== this.identity.chatServiceSid) throw this.#missing(`/Services/${sid}`);
  }

  conversation(): Conversation {
    const key = this.#params['conversation'] ?? '';
    const conversation = this.model.find(key);
    if (conversation === undefined) throw this.#missing(`/Conversations/${key}`);
    return conversation;
  }

  participant(): { readonly conversation: Conversation; readonly participant: Participant } {
    const conversation = this.conversation();
    const key = this.#params['participant'] ?? '';
    const participant = findParticipant(conversation, key);
    if (participant === undefined) {
      throw this.#missing(`/Conversations/${conversation.sid}/Participants/${key}`);
    }
    return { conversation, participant };
  }

  message(): { readonly conversation: Conversation; readonly message: Message } {
    const conversation = this.conversation();
    const sid = this.#params['message'] ?? '';
    const entry = this.model.findMessage(sid);
    if (entry?.conversation !== conversation) {
      throw this.#missing(`/Conversations/${conversation.sid}/Messages/${sid}`);
    }
    return entry;
  }

  page<T>(key: string, all: readonly T[], view: (each: T) => JsonObject): Answer {
    const requested = Number(this.query('PageSize') ?? DEFAULT_PAGE_SIZE);
    if (!Number.isInteger(requested) || requested < 1) {
      throw invalidParameter('PageSize must be a whole number from 1.');
    }
    const pageSize = Math.min(MAX_PAGE_SIZE, requested);
    const page = Number(this.query('Page') ?? this.query('PageToken')?.slice(2) ?? 0) || 0;
    const url = new URL(this.request.url, this.identity.origin);
    return found(toRestPage(key, all, view, { url, pageSize, page }));
  }

  #missing(path: string): ApiError {
    return new ApiError(404, 20404, `The requested resource ${path} was not found`);
  }
}

function found(body: JsonObject): Answer {
  return { status: 200, body };
}

function createConversation(call: RestCall): Answer {
  const attributes = call.form('Attributes') ?? '{}';
  checkAttributes(attributes);
  const conversation = call.model.createConversation(
    {
      friendlyName: call.form('FriendlyName') ?? null,
      uniqueName: call.form('UniqueName') ?? null,
      attributes,
      createdBy: 'system',
    },
    call.cause,
  );
  return { status: 201, body: toRestConversation(call.identity, conversation) };
}

function updateConversation(call: RestCall): Answer {
  const conversation = call.conversation();
  const attributes = call.form('Attributes') ?? conversation.attributes;
  checkAttributes(attributes);
  call.model.updateConversation(
    conversation,
    {
      attributes,
      friendlyName: call.form('FriendlyName') ?? conversation.friendlyName,
      uniqueName: call.form('UniqueName') ?? conversation.uniqueName,
    },
    call.cause,
  );
  return found(toRestConversation(call.identity, conversation));
}

function createParticipant(call: RestCall): Answer {
  const conversation = call.conversation();
  const identity = call.form('Identity');
  const address = call.form('MessagingBinding.Address');
  const proxyAddress = call.form('MessagingBinding.ProxyAddress');
  const attributes = call.form('Attributes') ?? '{}';
  if (identity === undefined && (address === undefined || proxyAddress === undefined)) {
    throw invalidParameter(
      'A participant needs Identity, or MessagingBinding.Address and MessagingBinding.ProxyAddress.',
    );
  }
  const participant = call.model.addParticipant(
    conversation,
    identity === undefined
      ? { address: address ?? '', proxyAddress: proxyAddress ?? '', attributes }
      : { identity, attributes },
    call.cause,
  );
  return { status: 201, body: toRestParticipant(call.identity, conversation, participant) };
}

function createMessage(call: RestCall): Answer {
  const conversation = call.conversation();
  const message = writeOutbound(
    call.model,
    call.context.media,
    conversation,
    {
      author: call.form('Author') ?? 'system',
      body: call.form('Body') ?? null,
      attributes: call.form('Attributes') ?? '{}',
      mediaSids: call.formAll('MediaSid'),
    },
    call.cause,
  );
  return { status: 201, body: toRestMessage(call.identity, conversation, message) };
}
