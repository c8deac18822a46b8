import { type IncomingMessage } from 'node:http';
import { type Duplex } from 'node:stream';
import { type FastifyInstance } from 'fastify';
import { type z } from 'zod';
import { type PlatformContext, type SandboxPlatform } from '../platform.js';
import { WaitList } from '../wait-list.js';
import { ApiError, invalidParameter } from './api-error.js';
import { registerControlApi } from './control-api.js';
import {
  type ConversationInput,
  conversationSchema,
  type DeliveryInput,
  deliverySchema,
  type InboundMessage,
  inboundMessageSchema,
  type ParticipantInput,
  participantSchema,
} from './control-schema.js';
import {
  type ConversationView,
  type MessageView,
  type ParticipantView,
  toConversationView,
  toMessageView,
  toParticipantView,
} from './control-views.js';
import { type Cause, channelOf, ConversationsModel, type NewParticipant } from './conversations-model.js';
import { armedFaultSchema, type FaultInput, faultSchema } from './fault-schema.js';
import { FaultRules, type FaultView } from './faults.js';
import { readInboundFile } from './inbound-media.js';
import { registerMediaApi } from './media-api.js';
import { MediaStore } from './media-store.js';
import { readOptOut } from './opt-out-words.js';
import { checkText } from './outbound-policy.js';
import { type Conversation, findIdentity, findParticipant, type Participant } from './records.js';
import { RequestGate } from './request-gate.js';
import { registerRestApi } from './rest-api.js';
import { Stats } from './stats.js';
import { SyncProjection } from './sync-projection.js';
import { SyncStore } from './sync-store.js';
import { checkToken } from './tokens.js';
import { routeTunnelRequest, type TunnelContext } from './tunnel-router.js';
import { type TwilioSandboxOptions } from './twilio-options.js';
import { TWILSOCK_PATH, TwilsockServer } from './twilsock-server.js';
import { TwilsockSessions } from './twilsock-session.js';
import { toWebhookEvent } from './webhook-events.js';
import { type WebhookDelivery, WebhookSender } from './webhooks.js';

/** Where an inbound message ended up. */
export interface MessageReceipt {
  readonly conversationSid: string;
  readonly messageSid: string;
  readonly index: number;
}

/** What a fault did: the sockets that it acted on at once, and the id of what stays armed. */
export interface FaultReceipt {
  readonly id: string | null;
  readonly sockets: number;
}

/** What is open and what has been seen. */
export interface TwilioStats {
  readonly sockets: { readonly open: number; readonly silent: number };
  readonly conversations: number;
  readonly messages: number;
  readonly faults: number;
  /** By kind, e.g. `tunnel sendMessage`, `rest createParticipant`, `pushed list_item_added`. */
  readonly counters: Readonly<Record<string, number>>;
}

const CONTROL: Cause = { source: 'API', silent: false };

/** A local Twilio: its Conversations WebSocket, REST interface, media and webhooks, with switches for faults. */
export class TwilioSandbox implements SandboxPlatform {
  readonly name = 'twilio';
  readonly #model = new ConversationsModel(Date.now);
  readonly #store = new SyncStore(Date.now);
  readonly #projection = new SyncProjection(this.#store);
  readonly #stats = new Stats();
  readonly #waits = new WaitList();
  readonly #stopped = new AbortController();
  readonly #faults: FaultRules;
  readonly #gate: RequestGate;
  readonly #media: MediaStore;
  readonly #webhooks: WebhookSender;
  readonly #sockets: TwilsockServer;

  constructor(
    private readonly options: TwilioSandboxOptions,
    private readonly context: PlatformContext,
  ) {
    this.#faults = new FaultRules(Date.now, options.seed);
    this.#gate = new RequestGate(this.#faults, this.#stats, this.#stopped.signal);
    this.#media = new MediaStore({
      serviceSid: options.chatServiceSid,
      secret: options.apiSecret,
      urlTtlMs: options.mediaUrlTtlMs,
      origin: () => context.origin(),
      now: Date.now,
    });
    this.#webhooks = new WebhookSender(
      {
        url: options.webhookUrl,
        format: options.webhookFormat,
        authToken: options.authToken,
        events: options.webhookEvents,
        timeoutMs: options.webhookTimeoutMs,
        retries: options.webhookRetries,
      },
      this.#faults,
      this.#stopped.signal,
      () => {
        this.#waits.notify();
      },
    );
    const tunnel: TunnelContext = {
      model: this.#model,
      projection: this.#projection,
      store: this.#store,
      media: this.#media,
      serviceSid: options.chatServiceSid,
      origin: () => context.origin(),
      notifyTyping: (conversation, typist) => {
        this.#notifyTyping(conversation, typist);
      },
    };
    this.#sockets = new TwilsockServer({
      authority: options,
      store: this.#store,
      sessions: new TwilsockSessions(),
      faults: this.#faults,
      stats: this.#stats,
      tokenWarningMs: options.tokenWarningMs,
      pingIntervalMs: options.pingIntervalMs,
      now: Date.now,
      handle: (request, peer) => {
        const { operation, execute } = routeTunnelRequest(tunnel, request, peer);
        const { method, path } = request;
        return this.#gate.pass({ target: 'tunnel', operation, method, path }, execute);
      },
      log: (event, fields) => {
        context.log(event, fields);
      },
    });
    this.#model.onChange((change) => {
      this.#projection.apply(change);
      this.#waits.notify();
      if (change.silent) return;
      this.#webhooks.send(toWebhookEvent(change, options.accountSid, options.chatServiceSid));
    });
  }

  async registerRoutes(app: FastifyInstance): Promise<void> {
    const { accountSid, authToken, apiKey, apiSecret, chatServiceSid } = this.options;
    const accounts = [
      [accountSid, authToken],
      [apiKey, apiSecret],
    ] as const;
    const identity = { accountSid, chatServiceSid };
    await registerRestApi(app, {
      model: this.#model,
      media: this.#media,
      gate: this.#gate,
      accounts,
      identity: () => ({ ...identity, origin: this.context.origin() }),
    });
    await registerMediaApi(app, {
      media: this.#media,
      gate: this.#gate,
      serviceSid: chatServiceSid,
      accounts,
      checkToken: (token) => checkToken(token, this.options, Date.now()),
    });
    await registerControlApi(app, this);
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (request.url?.split('?', 1)[0] !== TWILSOCK_PATH) return false;
    this.#sockets.handleUpgrade(request, socket, head);
    return true;
  }

  environment(): Record<string, string> {
    const { accountSid, authToken, apiKey, apiSecret, chatServiceSid, identity } = this.options;
    const origin = this.context.origin();
    return {
      TWILIO_ENABLED: 'true',
      TWILIO_ACCOUNT_SID: accountSid,
      TWILIO_AUTH_TOKEN: authToken,
      TWILIO_API_KEY: apiKey,
      TWILIO_API_SECRET: apiSecret,
      TWILIO_CHAT_SERVICE_SID: chatServiceSid,
      TWILIO_IDENTITY: identity,
      TWILIO_CONVERSATIONS_WS_URL: `${origin.replace(/^http/, 'ws')}${TWILSOCK_PATH}`,
      TWILIO_REST_URL: origin,
    };
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.#sockets.close();
    this.#waits.close();
    await this.#webhooks.idle();
  }

  /**
   * Writes a message as a phone, or as a chat participant, does.
   *
   * A number without a conversation gets one, as an SMS to a Twilio number does; then the webhooks fire. Resolves when
   * the message is stored, before the webhooks are delivered. Rejects with `ApiError`.
   */
  async receiveMessage(input: InboundMessage): Promise<MessageReceipt> {
    const message = inboundMessageSchema.parse(input);
    const body = message.body ?? null;
    checkText(body);
    const file = await readInboundFile(message, this.#stopped.signal);
    const { conversation, participant, author } = this.#sender(message);
    const medias =
      file === undefined ? [] : [this.#media.add(file.bytes, file.contentType, file.filename, author)];
    const optOut = participant.binding === undefined ? undefined : readOptOut(body ?? '');
    if (optOut !== undefined) this.setOptOut(author, optOut);
    const stored = this.#model.addMessage(
      conversation,
      {
        author,
        body,
        attributes: JSON.stringify(message.attributes ?? {}),
        medias,
        participantSid: participant.sid,
      },
      {
        source:
          participant.binding === undefined ? 'SDK' : participant.type === 'whatsapp' ? 'WHATSAPP' : 'SMS',
        silent: false,
      },
    );
    return { conversationSid: conversation.sid, messageSid: stored.sid, index: stored.index };
  }

  /** Creates a conversation with its participants. Throws `ApiError`. */
  createConversation(input: ConversationInput = {}): ConversationView {
    const fields = conversationSchema.parse(input);
    const conversation = this.#model.createConversation(
      {
        friendlyName: fields.friendlyName ?? null,
        uniqueName: fields.uniqueName ?? null,
        attributes: JSON.stringify(fields.attributes ?? {}),
        createdBy: 'system',
      },
      CONTROL,
    );
    for (const participant of fields.participants) this.addParticipant(conversation.sid, participant);
    return toConversationView(conversation);
  }

  /** Deletes a conversation with all that is in it. Throws 404. */
  deleteConversation(sid: string): void {
    this.#model.removeConversation(this.#conversation(sid), CONTROL);
  }

  /** Adds a participant. Throws 404, or 409 when they are there already. */
  addParticipant(conversationSid: string, input: ParticipantInput): ParticipantView {
    const conversation = this.#conversation(conversationSid);
    return toParticipantView(this.#model.addParticipant(conversation, this.#toNew(input), CONTROL));
  }

  /** Removes a participant by SID, identity or address. Throws 404. */
  removeParticipant(conversationSid: string, key: string): void {
    const conversation = this.#conversation(conversationSid);
    const participant = findParticipant(conversation, key);
    if (participant === undefined) {
      throw new ApiError(404, 20404, `Conversation ${conversationSid} has no participant ${key}.`);
    }
    this.#model.removeParticipant(conversation, participant, CONTROL);
  }

  /** All conversations, oldest first. */
  conversations(): readonly ConversationView[] {
    return this.#model.conversations().map(toConversationView);
  }

  /** One conversation. Throws 404. */
  conversation(sid: string): ConversationView {
    return toConversationView(this.#conversation(sid));
  }

  /** The messages of a conversation with an index above `after`, ascending. Throws 404. */
  messages(conversationSid: string, after = -1): readonly MessageView[] {
    const conversation = this.#conversation(conversationSid);
    return conversation.messages
      .filter(({ index }) => index > after)
      .map((message) => toMessageView(conversation, message));
  }

  /** As `messages`, but waits up to `waitMs` milliseconds for the first one; then resolves with an empty list. */
  async waitForMessages(
    conversationSid: string,
    after: number,
    waitMs: number,
  ): Promise<readonly MessageView[]> {
    const probe = (): readonly MessageView[] | undefined => {
      const found = this.messages(conversationSid, after);
      return found.length > 0 ? found : undefined;
    };
    return (await this.#waits.waitFor(probe, waitMs)) ?? [];
  }

  /** Resolves with the first message, stored already or yet to come, that `predicate` accepts. Rejects after `timeoutMs`. */
  async waitForMessage(
    predicate: (message: MessageView) => boolean,
    timeoutMs = 10_000,
  ): Promise<MessageView> {
    const found = await this.#waits.waitFor(() => {
      for (const conversation of this.#model.conversations()) {
        for (const message of conversation.messages) {
          const view = toMessageView(conversation, message);
          if (predicate(view)) return view;
        }
      }
      return undefined;
    }, timeoutMs);
    if (found !== undefined) return found;
    const { messages } = this.stats();
    throw new Error(`No message matched within ${timeoutMs} ms; the sandbox holds ${messages} messages.`);
  }

  /** Resolves with the first thing other than undefined that `probe` finds, now or after any change. Rejects after `timeoutMs`. */
  async waitFor<T>(probe: () => T | undefined, what: string, timeoutMs = 10_000): Promise<T> {
    const found = await this.#waits.waitFor(probe, timeoutMs);
    if (found === undefined) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
    return found;
  }

  /** Deletes a message; its index stays used. Throws 404. */
  deleteMessage(messageSid: string): void {
    const { conversation, message } = this.#message(messageSid);
    this.#model.removeMessage(conversation, message, CONTROL);
  }

  /** Reports what became of an outbound message at its phones. Throws 404, or 400 when it went to no phone. */
  setDelivery(messageSid: string, input: DeliveryInput): MessageView {
    const { status, errorCode } = deliverySchema.parse(input);
    const { conversation, message } = this.#message(messageSid);
    this.#model.setDelivery(conversation, message, status, errorCode, CONTROL);
    return toMessageView(conversation, message);
  }

  /** Opts a number out of all messages to it, or in again. */
  setOptOut(address: string, optedOut: boolean): void {
    if (optedOut) this.#model.optedOut.add(address);
    else this.#model.optedOut.delete(address);
  }

  /** The numbers that have opted out. */
  optOuts(): readonly string[] {
    return [...this.#model.optedOut];
  }

  /** Sets where webhooks go from now on; undefined turns them off. */
  setWebhookUrl(url: string | undefined, format: 'form' | 'json' = this.#webhooks.settings.format): void {
    this.#webhooks.settings.url = url;
    this.#webhooks.settings.format = format;
  }

  /** Webhooks and what became of them, oldest first. */
  webhooks(): readonly WebhookDelivery[] {
    return this.#webhooks.deliveries();
  }

  /** The finished webhooks with an id above `after`; waits up to `waitMs` milliseconds for the first one. */
  async waitForWebhooks(after: number, waitMs: number): Promise<readonly WebhookDelivery[]> {
    const probe = (): readonly WebhookDelivery[] | undefined => {
      const found = this.webhooks().filter(({ id, outcome }) => id > after && outcome !== 'pending');
      return found.length > 0 ? found : undefined;
    };
    return (await this.#waits.waitFor(probe, waitMs)) ?? [];
  }

  /** Resolves with the first finished webhook that `predicate` accepts. Rejects after `timeoutMs`. */
  waitForWebhook(
    predicate: (delivery: WebhookDelivery) => boolean,
    timeoutMs = 10_000,
  ): Promise<WebhookDelivery> {
    const probe = (): WebhookDelivery | undefined =>
      this.webhooks().find((delivery) => delivery.outcome !== 'pending' && predicate(delivery));
    return this.waitFor(probe, 'a webhook', timeoutMs);
  }

  /** Causes a fault, at once or armed until it is healed. Throws a `ZodError` for one that does not exist. */
  injectFault(input: FaultInput): FaultReceipt {
    const fault: z.output<typeof faultSchema> = faultSchema.parse(input);
    this.context.log('twilio.fault.injected', { kind: fault.kind });
    switch (fault.kind) {
      case 'drop':
      case 'close-frame':
      case 'token-about-to-expire':
        return { id: null, sockets: this.#sockets.apply(fault) };
      case 'half-open': {
        const sockets = this.#sockets.freeze(fault.identity);
        return { id: fault.newConnections ? this.#faults.arm(fault) : null, sockets };
      }
      default:
        return { id: this.#faults.arm(armedFaultSchema.parse(fault)), sockets: 0 };
    }
  }

  /** The armed faults. */
  faults(): readonly FaultView[] {
    return this.#faults.list();
  }

  /**
   * Disarms one fault, or all without an id, and returns how many there were.
   *
   * All: silent sockets are reset too, as a network that comes back resets what it has forgotten.
   */
  heal(id?: string): number {
    const healed = this.#faults.heal(id);
    if (id === undefined) this.#sockets.heal();
    return healed;
  }

  /** What is open and what has been seen. */
  stats(): TwilioStats {
    const conversations = this.#model.conversations();
    return {
      sockets: this.#sockets.sockets,
      conversations: conversations.length,
      messages: conversations.reduce((sum, { messages }) => sum + messages.length, 0),
      faults: this.#faults.list().length,
      counters: this.#stats.toJSON(),
    };
  }

  #sender(message: z.output<typeof inboundMessageSchema>): {
    conversation: Conversation;
    participant: Participant;
    author: string;
  } {
    const { author, from, conversationSid } = message;
    const given = conversationSid === undefined ? undefined : this.#conversation(conversationSid);
    if (given !== undefined) {
      const name = author ?? from ?? '';
      const participant = author === undefined ? findParticipant(given, name) : findIdentity(given, author);
      if (participant !== undefined) return { conversation: given, participant, author: name };
      throw invalidParameter(
        `${author === undefined ? 'from' : 'author'}: ${name} is not in conversation ${given.sid}. Add it: POST /twilio/conversations/${given.sid}/participants.`,
      );
    }
    const address = from ?? '';
    const proxyAddress = this.#proxyFor(address, message.to);
    const binding = { address, proxyAddress };
    const conversation =
      this.#model.findByBinding(binding) ??
      this.#model.createConversation(
        { friendlyName: address, uniqueName: null, attributes: '{}', createdBy: 'system' },
        { source: channelOf(address) === 'whatsapp' ? 'WHATSAPP' : 'SMS', silent: false },
        { ...binding, attributes: '{}' },
      );
    const participant = findParticipant(conversation, address);
    if (participant === undefined) throw new Error(`${conversation.sid} has lost its participant.`);
    return { conversation, participant, author: address };
  }

  #proxyFor(address: string, to: string | undefined): string {
    const number = to ?? this.options.number;
    const prefix = channelOf(address) === 'whatsapp' ? 'whatsapp:' : '';
    return number.startsWith(prefix) ? number : `${prefix}${number}`;
  }

  #toNew(input: ParticipantInput): NewParticipant {
    const { identity, address, proxyAddress, attributes } = participantSchema.parse(input);
    const text = JSON.stringify(attributes ?? {});
    if (identity !== undefined) return { identity, attributes: text };
    const phone = address ?? '';
    return { address: phone, proxyAddress: this.#proxyFor(phone, proxyAddress), attributes: text };
  }

  #conversation(sid: string): Conversation {
    const conversation = this.#model.find(sid);
    if (conversation === undefined) throw new ApiError(404, 20404, `There is no conversation ${sid}.`);
    return conversation;
  }

  #message(sid: string): NonNullable<ReturnType<ConversationsModel['findMessage']>> {
    const found = this.#model.findMessage(sid);
    if (found === undefined) throw new ApiError(404, 20404, `There is no message ${sid}.`);
    return found;
  }

  #notifyTyping(conversation: Conversation, typist: string): void {
    const others = [...conversation.participants.values()].flatMap(({ identity }) =>
      identity === undefined || identity === typist ? [] : [identity],
    );
    this.#sockets.notifyTyping(conversation.sid, typist, new Set(others));
  }
}
