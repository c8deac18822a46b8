import { type FastifyRequest } from 'fastify';
import { type JsonObject } from '../../json.js';
import { ApiError, invalidParameter } from '../api-error.js';
import { type ConversationsModel } from '../model/conversations-model.js';
import { type MediaStore } from '../model/media-store.js';
import { type Cause } from '../model/model-change.js';
import { type PlatformTime } from '../platform-time.js';
import { type Conversation, findParticipant, type Message, type Participant } from '../model/records.js';
import { type Answer, type RequestGate } from './request-gate.js';
import { type RestIdentity, toRestPage } from './rest-views.js';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 100;

/** What the REST interface works on. */
export interface RestContext {
  readonly model: ConversationsModel;
  readonly media: MediaStore;
  readonly gate: RequestGate;
  readonly time: PlatformTime;
  /** User and password pairs that are let in. */
  readonly accounts: readonly (readonly [user: string, password: string])[];
  identity(): RestIdentity;
}

/** A 200 with a resource. */
export function found(body: JsonObject): Answer {
  return { status: 200, body };
}

/** One REST request: its parameters and what they name. */
export class RestCall {
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

  /** A form field, undefined when it is missing. */
  form(name: string): string | undefined {
    return this.#form.get(name) ?? undefined;
  }

  /** All values of a repeated form field. */
  formAll(name: string): readonly string[] {
    return this.#form.getAll(name);
  }

  /** A query parameter, undefined when it is missing. */
  query(name: string): string | undefined {
    return this.#query.get(name) ?? undefined;
  }

  /** Throws 404 when the path names another service than the sandbox's. */
  checkService(): void {
    const sid = this.#params['serviceSid'];
    if (sid !== undefined && sid !== this.identity.chatServiceSid) throw this.#missing(`/Services/${sid}`);
  }

  /** The conversation that the path names. Throws 404. */
  conversation(): Conversation {
    const key = this.#params['conversation'] ?? '';
    const conversation = this.model.find(key);
    if (conversation === undefined) throw this.#missing(`/Conversations/${key}`);
    return conversation;
  }

  /** The participant that the path names. Throws 404. */
  participant(): { readonly conversation: Conversation; readonly participant: Participant } {
    const conversation = this.conversation();
    const key = this.#params['participant'] ?? '';
    const participant = findParticipant(conversation, key);
    if (participant === undefined) {
      throw this.#missing(`/Conversations/${conversation.sid}/Participants/${key}`);
    }
    return { conversation, participant };
  }

  /** The message that the path names. Throws 404. */
  message(): { readonly conversation: Conversation; readonly message: Message } {
    const conversation = this.conversation();
    const sid = this.#params['message'] ?? '';
    const entry = this.model.findMessage(sid);
    if (entry?.conversation !== conversation) {
      throw this.#missing(`/Conversations/${conversation.sid}/Messages/${sid}`);
    }
    return entry;
  }

  /** Answers with the page of `all` that the query asks for. */
  page<T extends { readonly sid: string }>(
    key: string,
    all: readonly T[],
    view: (each: T) => JsonObject,
  ): Answer {
    const requested = Number(this.query('PageSize') ?? DEFAULT_PAGE_SIZE);
    if (!Number.isInteger(requested) || requested < 1) {
      throw invalidParameter('PageSize must be a whole number from 1.');
    }
    const pageSize = Math.min(MAX_PAGE_SIZE, requested);
    const page = Number(this.query('Page') ?? 0) || 0;
    const url = new URL(this.request.url, this.identity.origin);
    return found(toRestPage(key, all, view, { url, pageSize, page, token: this.query('PageToken') }));
  }

  #missing(path: string): ApiError {
    return new ApiError(404, 20404, `The requested resource ${path} was not found`);
  }
}
