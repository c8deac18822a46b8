import { type IncomingMessage } from 'node:http';
import { type Duplex } from 'node:stream';
import { type FastifyInstance } from 'fastify';
import { type FaultReceipt, type FaultView } from '../fault-rules.js';
import { type PlatformContext, type SandboxPlatform } from '../platform.js';
import { ControlActions } from './control/control-actions.js';
import { registerControlApi } from './control/control-api.js';
import {
  type ConversationInput,
  type ConversationStateInput,
  type DeliveryInput,
  type InboundMessage,
  type ParticipantInput,
} from './control/control-schema.js';
import {
  type ConversationView,
  type MessageView,
  type ParticipantView,
  toConversationView,
  toMessageView,
  toParticipantView,
  type TwilioStats,
} from './control/control-views.js';
import { type ArmedFault, type FaultInput } from './fault-schema.js';
import { type MessageReceipt } from './model/inbound-messages.js';
import { registerMediaApi } from './rest/media-api.js';
import { registerRestApi } from './rest/rest-api.js';
import { checkToken } from './wire/tokens.js';
import { createTwilioEngine, type TwilioEngine } from './twilio-engine.js';
import { type TwilioSandboxOptions } from './twilio-options.js';
import { TWILSOCK_PATH } from './wire/twilsock-server.js';
import { type WebhookDelivery } from './webhooks/webhooks.js';

/** A local Twilio: its Conversations WebSocket, REST interface, media and webhooks, with switches for faults. */
export class TwilioSandbox implements SandboxPlatform {
  readonly name = 'twilio';
  readonly #engine: TwilioEngine;
  readonly #actions: ControlActions;

  constructor(
    private readonly options: TwilioSandboxOptions,
    private readonly context: PlatformContext,
  ) {
    this.#engine = createTwilioEngine(options, context);
    const { model, media, signal } = this.#engine;
    this.#actions = new ControlActions({ model, media, signal, number: options.number });
  }

  async registerRoutes(app: FastifyInstance): Promise<void> {
    const { accountSid, authToken, apiKey, apiSecret, chatServiceSid } = this.options;
    const { model, media, gate, time } = this.#engine;
    const accounts = [
      [accountSid, authToken],
      [apiKey, apiSecret],
    ] as const;
    await registerRestApi(app, {
      model,
      media,
      gate,
      time,
      accounts,
      identity: () => ({ accountSid, chatServiceSid, origin: this.context.origin() }),
    });
    await registerMediaApi(app, {
      media,
      gate,
      serviceSid: chatServiceSid,
      accounts,
      checkToken: (token) => checkToken(token, this.options, time.now()),
    });
    await registerControlApi(app, this);
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (request.url?.split('?', 1)[0] !== TWILSOCK_PATH) return false;
    this.#engine.sockets.handleUpgrade(request, socket, head);
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

  close(): Promise<void> {
    return this.#engine.close();
  }

  /**
   * Writes a message as a phone, or as a chat participant, does.
   *
   * A number without a conversation gets one, as an SMS to a Twilio number does; then the webhooks fire. Resolves when
   * the message is stored, before the webhooks are delivered. Rejects with `ApiError`.
   */
  receiveMessage(input: InboundMessage): Promise<MessageReceipt> {
    return this.#actions.receiveMessage(input);
  }

  /** Creates a conversation with its participants. Throws `ApiError`. */
  createConversation(input: ConversationInput = {}): ConversationView {
    return toConversationView(this.#actions.createConversation(input));
  }

  /** Deletes a conversation with all that is in it. Throws 404. */
  deleteConversation(sid: string): void {
    this.#actions.removeConversation(sid);
  }

  /** Changes a conversation's state. Throws 404, or 403 when it is closed, which is final. */
  setConversationState(sid: string, input: ConversationStateInput): ConversationView {
    return toConversationView(this.#actions.setState(sid, input));
  }

  /** Sets by how many milliseconds Twilio's clock is ahead of this machine's: of messages, tokens and the header `Date`. */
  setClockOffset(offsetMs: number): void {
    this.#engine.time.offsetMs = offsetMs;
  }

  /** Adds a participant. Throws 404, or 409 when they are there already. */
  addParticipant(conversationSid: string, input: ParticipantInput): ParticipantView {
    return toParticipantView(this.#actions.addParticipant(conversationSid, input));
  }

  /** Removes a participant by SID, identity or address. Throws 404. */
  removeParticipant(conversationSid: string, key: string): void {
    this.#actions.removeParticipant(conversationSid, key);
  }

  /** All conversations, oldest first. */
  conversations(): readonly ConversationView[] {
    return this.#engine.model.conversations().map(toConversationView);
  }

  /** One conversation. Throws 404. */
  conversation(sid: string): ConversationView {
    return toConversationView(this.#actions.conversation(sid));
  }

  /** The messages of a conversation with an index above `after`, ascending. Throws 404. */
  messages(conversationSid: string, after = -1): readonly MessageView[] {
    const conversation = this.#actions.conversation(conversationSid);
    return conversation.messages
      .filter(({ index }) => index > after)
      .map((message) => toMessageView(conversation, message));
  }

  /** As `messages`, but waits up to `waitMs` milliseconds for the first one; then resolves with an empty list. */
  waitForMessages(conversationSid: string, after: number, waitMs: number): Promise<readonly MessageView[]> {
    return this.#engine.waits.waitForSome(() => this.messages(conversationSid, after), waitMs);
  }

  /** Resolves with the first message, stored already or yet to come, that `predicate` accepts. Rejects after `timeoutMs`. */
  async waitForMessage(
    predicate: (message: MessageView) => boolean,
    timeoutMs = 10_000,
  ): Promise<MessageView> {
    const found = await this.#engine.watch.waitForMessage(predicate, timeoutMs);
    if (found !== undefined) return found;
    const { messages } = this.stats();
    throw new Error(`No message matched within ${timeoutMs} ms; the sandbox holds ${messages} messages.`);
  }

  /** Resolves with the first thing other than undefined that `probe` finds, now or after any change. Rejects after `timeoutMs`. */
  async waitFor<T>(probe: () => T | undefined, what: string, timeoutMs = 10_000): Promise<T> {
    const found = await this.#engine.waits.waitFor(probe, timeoutMs);
    if (found === undefined) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
    return found;
  }

  /** Deletes a message; its index stays used. Throws 404. */
  deleteMessage(messageSid: string): void {
    this.#actions.removeMessage(messageSid);
  }

  /** Reports what became of an outbound message at its phones. Throws 404, or 400 when it went to no phone. */
  setDelivery(messageSid: string, input: DeliveryInput): MessageView {
    const { conversation, message } = this.#actions.setDelivery(messageSid, input);
    return toMessageView(conversation, message);
  }

  /** Opts a number out of all messages to it, or in again. */
  setOptOut(address: string, optedOut: boolean): void {
    this.#engine.model.setOptOut(address, optedOut);
  }

  /** The numbers that have opted out. */
  optOuts(): readonly string[] {
    return [...this.#engine.model.optedOut];
  }

  /** Sets where webhooks go from now on; undefined turns them off. */
  setWebhookUrl(
    url: string | undefined,
    format: 'form' | 'json' = this.#engine.webhooks.settings.format,
  ): void {
    this.#engine.webhooks.settings.url = url;
    this.#engine.webhooks.settings.format = format;
  }

  /** Webhooks and what became of them, oldest first. */
  webhooks(): readonly WebhookDelivery[] {
    return this.#engine.webhooks.deliveries();
  }

  /** The finished webhooks with an id above `after`; waits up to `waitMs` milliseconds for the first one. */
  waitForWebhooks(after: number, waitMs: number): Promise<readonly WebhookDelivery[]> {
    const finished = (): readonly WebhookDelivery[] =>
      this.webhooks().filter(({ id, outcome }) => id > after && outcome !== 'pending');
    return this.#engine.waits.waitForSome(finished, waitMs);
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

  /** Causes a fault, at once or armed until it is healed. Throws `ApiError` 400 for one that does not exist. */
  injectFault(input: FaultInput): FaultReceipt {
    const receipt = this.#engine.faults.inject(input);
    this.context.log('twilio.fault.injected', { kind: input.kind, ...receipt });
    return receipt;
  }

  /** The armed faults. */
  faults(): readonly FaultView<ArmedFault>[] {
    return this.#engine.faults.list();
  }

  /**
   * Disarms one fault, or all without an id, and returns how many there were.
   *
   * Healing all also resets the silent sockets, as a network that comes back resets what it has forgotten.
   */
  heal(id?: string): number {
    return this.#engine.faults.heal(id);
  }

  /** What is open and what has been seen. */
  stats(): TwilioStats {
    const conversations = this.#engine.model.conversations();
    return {
      sockets: this.#engine.sockets.sockets,
      conversations: conversations.length,
      messages: conversations.reduce((sum, { messages }) => sum + messages.length, 0),
      faults: this.#engine.faults.list().length,
      counters: this.#engine.stats.toJSON(),
    };
  }
}
