import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { type Duplex } from 'node:stream';
import { type FastifyInstance, type FastifyReply } from 'fastify';
import { type z } from 'zod';
import { type PlatformContext, type SandboxPlatform } from '../platform.js';
import { WaitList } from '../wait-list.js';
import { ControlActions } from './control-actions.js';
import { registerControlApi } from './control-api.js';
import {
  type ChannelChange,
  type ChannelInput,
  type GuildInput,
  guildSchema,
  type InboundMessage,
} from './control-schema.js';
import { type ChannelView, type MessageView, toChannelView, toMessageView } from './control-views.js';
import { DiscordModel } from './discord-model.js';
import { type DiscordSandboxOptions } from './discord-options.js';
import { FaultRules, type FaultView } from './fault-rules.js';
import { type ArmedFault, armedFaultSchema, type FaultInput, faultSchema } from './fault-schema.js';
import { type EventContext, toGatewayEvent, toMessageView as toWireView } from './gateway-events.js';
import { GatewayServer, isGatewayRequest } from './gateway-server.js';
import { closeCodes } from './gateway-frames.js';
import { NonceRegister } from './nonces.js';
import { InvalidRequestCounter, RateLimiter } from './rate-limits.js';
import { type Attachment, type Guild, type Message } from './records.js';
import { registerRestApi } from './rest-api.js';
import { RestGate } from './rest-gate.js';
import { SessionStore } from './session-store.js';
import { compareSnowflakes, SnowflakeSource } from './snowflake.js';
import { type Counts, Traffic } from './traffic.js';

/** Where a message ended up. */
export interface MessageReceipt {
  readonly id: string;
  readonly channelId: string;
}

/** What a fault did: the sockets that it acted on at once, and the id of what stays armed. */
export interface FaultReceipt {
  readonly id: string | null;
  readonly sockets: number;
}

/** What is open and what has been seen. */
export interface DiscordStats {
  readonly sockets: { readonly open: number; readonly silent: number };
  /** Gateway sessions, and how many of them have a socket. */
  readonly sessions: { readonly alive: number; readonly attached: number };
  /** IDENTIFYs that are left today. */
  readonly sessionStartsLeft: number;
  readonly channels: number;
  readonly messages: number;
  readonly faults: number;
  /** REST requests that a fault leaves without an answer. */
  readonly heldRequests: number;
  /** Answers of 401, 403 and 429 within the last ten minutes. */
  readonly invalidRequests: number;
  /** `rest` by operation (`createMessage`), `gateway` by what happened (`identify`, `resume`, `closed 4014`). */
  readonly counters: Counts<'rest' | 'gateway'>;
}

/** Milliseconds over which Discord counts requests for its global limit, and invalid ones for its ban. */
const GLOBAL_WINDOW_MS = 1_000;
const INVALID_WINDOW_MS = 600_000;

/** A local Discord: its REST interface, gateway and attachments, with switches for faults. */
export class DiscordSandbox implements SandboxPlatform {
  readonly name = 'discord';
  readonly #model: DiscordModel;
  readonly #waits = new WaitList();
  readonly #stopped = new AbortController();
  readonly #actions: ControlActions;
  readonly #traffic = new Traffic(['rest', 'gateway']);
  readonly #heldReplies = new Set<FastifyReply>();
  readonly #faults: FaultRules<ArmedFault>;
  readonly #sessions: SessionStore;
  readonly #gateway: GatewayServer;
  readonly #invalidRequests: InvalidRequestCounter;
  #token: string;

  constructor(
    private readonly options: DiscordSandboxOptions,
    private readonly context: PlatformContext,
  ) {
    // Each request that a fault delays listens to it, however many there are.
    setMaxListeners(0, this.#stopped.signal);
    this.#token = options.token;
    const bot = { id: options.applicationId, username: options.botUsername, kind: 'bot' } as const;
    this.#model = new DiscordModel(bot, new SnowflakeSource(Date.now), Date.now, options.historyLimit);
    const guild = this.#model.addGuild(options.guildName, options.guildId);
    for (const { id, name } of options.channels) this.#model.addChannel({ id, name, kind: 'text', guild });
    this.#actions = new ControlActions(this.#model, options.guildId);
    this.#faults = new FaultRules(Date.now, options.seed, () => {
      this.#waits.notify();
    });
    this.#sessions = new SessionStore(options, Date.now);
    this.#invalidRequests = new InvalidRequestCounter(
      Date.now,
      options.invalidRequestLimit,
      INVALID_WINDOW_MS,
    );
    this.#gateway = new GatewayServer({
      model: this.#model,
      sessions: this.#sessions,
      faults: this.#faults,
      heartbeatIntervalMs: options.heartbeatIntervalMs,
      privilegedIntents: options.privilegedIntents,
      now: Date.now,
      gatewayUrl: () => this.#gatewayUrl(),
      isToken: (token) => token === this.#token,
      resetToken: () => {
        this.#resetToken();
      },
      count: (name) => {
        this.#traffic.count('gateway', name);
      },
      changed: () => {
        this.#waits.notify();
      },
    });
    this.#model.onChange((change) => {
      const event = toGatewayEvent(change, this.#events());
      if (event !== undefined) this.#gateway.publish(event);
      this.#waits.notify();
    });
  }

  async registerRoutes(app: FastifyInstance): Promise<void> {
    const { options } = this;
    const gate = new RestGate({
      faults: this.#faults,
      channelLimits: new RateLimiter(Date.now, options.channelLimit, options.channelWindowMs),
      globalLimits: new RateLimiter(Date.now, options.globalLimit, GLOBAL_WINDOW_MS),
      invalidRequests: this.#invalidRequests,
      signal: this.#stopped.signal,
      isToken: (token) => token === this.#token,
      count: (name) => {
        this.#traffic.count('rest', name);
        this.#waits.notify();
      },
    });
    await registerRestApi(app, {
      gate,
      model: this.#model,
      nonces: new NonceRegister<Message>(Date.now, options.nonceTtlMs),
      maxUploadBytes: options.maxUploadBytes,
      privilegedIntents: options.privilegedIntents,
      view: () => toWireView(this.#events(), options.privilegedIntents.includes('MESSAGE_CONTENT')),
      gatewayInfo: () => ({
        url: this.#gatewayUrl(),
        shards: 1,
        session_start_limit: this.#sessions.startLimit(),
      }),
      hold: (reply) => {
        this.#heldReplies.add(reply);
        this.#waits.notify();
        reply.raw.on('close', () => this.#heldReplies.delete(reply));
      },
    });
    await registerControlApi(app, this);
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!isGatewayRequest(request)) return false;
    this.#gateway.handleUpgrade(request, socket, head);
    return true;
  }

  environment(): Record<string, string> {
    return {
      DISCORD_ENABLED: 'true',
      DISCORD_BOT_TOKEN: this.#token,
      DISCORD_GUILD_ID: this.options.guildId,
      DISCORD_CHANNELS: this.options.channels.map(({ id }) => id).join(','),
      DISCORD_API_URL: `${this.context.origin()}/api`,
    };
  }

  close(): Promise<void> {
    this.#stopped.abort();
    this.#gateway.close();
    this.#waits.close();
    for (const reply of this.#heldReplies) reply.raw.destroy();
    return Promise.resolve();
  }

  /** Writes a message as somebody who is not our bot. Throws `ApiError`. */
  receiveMessage(input: InboundMessage): MessageReceipt {
    const { id, channel } = this.#actions.receiveMessage(input);
    return { id, channelId: channel.id };
  }

  /** Edits a message as its author does. Throws 404. */
  editMessage(id: string, content: string): MessageView {
    const message = this.#actions.message(id);
    this.#model.editMessage(message, { content });
    return this.#view(message);
  }

  /** Deletes a message. Throws 404. */
  deleteMessage(id: string): void {
    this.#model.removeMessage(this.#actions.message(id));
  }

  /** Shows the bot that somebody is typing. Throws 404. */
  type(channelId: string, author: string): void {
    this.#model.type(this.#actions.channel(channelId), this.#model.user(author, 'person'));
  }

  /** Lets the bot join a new guild, which has no channel yet. */
  createGuild(input: GuildInput): Guild {
    const { id, name } = guildSchema.parse(input);
    return this.#model.addGuild(name, id);
  }

  /** Creates a channel, or with `parentId` a thread. Throws 404 for an unknown guild or parent. */
  createChannel(input: ChannelInput): ChannelView {
    return toChannelView(this.#actions.createChannel(input));
  }

  /** Changes a channel: its name, what the bot may do there, whether a thread is archived. Throws 404. */
  updateChannel(id: string, change: ChannelChange): ChannelView {
    return toChannelView(this.#actions.updateChannel(id, change));
  }

  /** Deletes a channel with its threads and messages. Throws 404. */
  deleteChannel(id: string): void {
    this.#model.removeChannel(this.#actions.channel(id));
  }

  /** All channels, threads and direct channels, oldest first. */
  channels(): readonly ChannelView[] {
    return this.#model.channels().map(toChannelView);
  }

  /** One channel. Throws 404. */
  channel(id: string): ChannelView {
    return toChannelView(this.#actions.channel(id));
  }

  /** The messages of a channel that are younger than the id `after`, oldest first. Throws 404. */
  messages(channelId: string, after = '0'): readonly MessageView[] {
    return this.#actions
      .channel(channelId)
      .messages.filter(({ id }) => compareSnowflakes(id, after) > 0)
      .map((message) => this.#view(message));
  }

  /** As `messages`, but waits up to `waitMs` milliseconds for the first one; then resolves with an empty list. */
  async waitForMessages(channelId: string, after: string, waitMs: number): Promise<readonly MessageView[]> {
    const probe = (): readonly MessageView[] | undefined => {
      const found = this.messages(channelId, after);
      return found.length > 0 ? found : undefined;
    };
    return (await this.#waits.waitFor(probe, waitMs)) ?? [];
  }

  /** Resolves with the first message, stored already or yet to come, that `predicate` accepts. Rejects after `timeoutMs`. */
  async waitForMessage(
    predicate: (message: MessageView) => boolean,
    timeoutMs = 10_000,
  ): Promise<MessageView> {
    const probe = (): MessageView | undefined => {
      for (const { messages } of this.#model.channels()) {
        for (const message of messages) {
          const view = this.#view(message);
          if (predicate(view)) return view;
        }
      }
      return undefined;
    };
    return this.waitFor(probe, 'a message', timeoutMs);
  }

  /** Resolves with the first thing other than undefined that `probe` finds, now or after any change. Rejects after `timeoutMs`. */
  async waitFor<T>(probe: () => T | undefined, what: string, timeoutMs = 10_000): Promise<T> {
    const found = await this.#waits.waitFor(probe, timeoutMs);
    if (found === undefined) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
    return found;
  }

  /** An attachment with its bytes. Throws 404. */
  attachment(channelId: string, id: string): Attachment {
    return this.#actions.attachment(channelId, id);
  }

  /** Causes a fault, at once or armed until it is healed. Throws a `ZodError` for one that does not exist. */
  injectFault(input: FaultInput): FaultReceipt {
    const fault: z.output<typeof faultSchema> = faultSchema.parse(input);
    this.context.log('discord.fault.injected', { kind: fault.kind });
    switch (fault.kind) {
      case 'refuse-connections':
      case 'no-hello':
      case 'no-heartbeat-ack':
      case 'refuse-session':
      case 'request':
        return { id: this.#faults.arm(armedFaultSchema.parse(fault)), sockets: 0 };
      default:
        return { id: null, sockets: this.#gateway.apply(fault) };
    }
  }

  /** The armed faults. */
  faults(): readonly FaultView<ArmedFault>[] {
    return this.#faults.list();
  }

  /**
   * Disarms one fault, or all without an id, and returns how many there were.
   *
   * All: silent sockets are reset too, as a network that comes back resets what it has forgotten.
   */
  heal(id?: string): number {
    const healed = this.#faults.heal(id);
    if (id === undefined) {
      this.#gateway.heal();
      for (const reply of this.#heldReplies) reply.raw.destroy();
    }
    return healed;
  }

  /** What is open and what has been seen. */
  stats(): DiscordStats {
    const channels = this.#model.channels();
    const sessions = this.#sessions.sessions();
    return {
      sockets: this.#gateway.sockets,
      sessions: { alive: sessions.length, attached: sessions.filter(({ attached }) => attached).length },
      sessionStartsLeft: this.#sessions.startLimit().remaining,
      channels: channels.length,
      messages: channels.reduce((sum, { messages }) => sum + messages.length, 0),
      faults: this.#faults.list().length,
      heldRequests: this.#heldReplies.size,
      invalidRequests: this.#invalidRequests.count,
      counters: this.#traffic.toJSON(),
    };
  }

  #events(): EventContext {
    return { model: this.#model, cdnUrl: this.#cdnUrl() };
  }

  #cdnUrl(): string {
    return `${this.context.origin()}/discord/cdn`;
  }

  #gatewayUrl(): string {
    return this.context.origin().replace(/^http/, 'ws');
  }

  #resetToken(): void {
    this.#token = `sandbox-${randomBytes(12).toString('hex')}`;
    for (const session of this.#sessions.sessions()) this.#sessions.remove(session);
    this.#gateway.closeAll(closeCodes.authenticationFailed, 'The token was reset');
  }

  #view(message: Message): MessageView {
    return toMessageView(message, this.#model.bot.id, this.#cdnUrl());
  }
}
