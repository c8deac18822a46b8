import { type IncomingMessage } from 'node:http';
import { type Duplex } from 'node:stream';
import { type FastifyInstance } from 'fastify';
import { type FaultReceipt, type FaultView } from '../fault-rules.js';
import { type PlatformContext, type SandboxPlatform } from '../platform.js';
import { unknownGuild } from './api-error.js';
import { ControlActions, type MessageReceipt } from './control/control-actions.js';
import { registerControlApi } from './control/control-api.js';
import {
  type ChannelChange,
  type ChannelInput,
  type GuildInput,
  guildSchema,
  type InboundMessage,
} from './control/control-schema.js';
import {
  type ChannelView,
  type DiscordStats,
  type MessageView,
  toChannelView,
  toMessageView,
} from './control/control-views.js';
import { createDiscordEngine, type DiscordEngine } from './discord-engine.js';
import { type DiscordSandboxOptions } from './discord-options.js';
import { type ArmedFault, type FaultInput } from './fault-schema.js';
import { isGatewayRequest } from './wire/gateway-server.js';
import { type Attachment, type Guild, type Message } from './model/records.js';
import { registerRestApi } from './rest/rest-api.js';
import { compareSnowflakes } from './model/snowflake.js';

/** A local Discord: its REST interface, gateway and attachments, with switches for faults. */
export class DiscordSandbox implements SandboxPlatform {
  readonly name = 'discord';
  readonly #engine: DiscordEngine;
  readonly #actions: ControlActions;

  constructor(
    private readonly options: DiscordSandboxOptions,
    private readonly context: PlatformContext,
  ) {
    this.#engine = createDiscordEngine(options, context);
    this.#actions = new ControlActions(this.#engine.model, options.guildId);
  }

  async registerRoutes(app: FastifyInstance): Promise<void> {
    await registerRestApi(app, this.#engine.rest);
    await registerControlApi(app, this);
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!isGatewayRequest(request)) return false;
    this.#engine.gateway.handleUpgrade(request, socket, head);
    return true;
  }

  environment(): Record<string, string> {
    return {
      DISCORD_ENABLED: 'true',
      DISCORD_BOT_TOKEN: this.#engine.token(),
      DISCORD_GUILD_ID: this.options.guildId,
      DISCORD_CHANNELS: this.options.channels.map(({ id }) => id).join(','),
      DISCORD_API_URL: `${this.context.origin()}/api`,
    };
  }

  close(): Promise<void> {
    this.#engine.close();
    return Promise.resolve();
  }

  /** Writes a message as somebody who is not our bot. Throws `ApiError`. */
  receiveMessage(input: InboundMessage): MessageReceipt {
    return this.#actions.receiveMessage(input);
  }

  /** Edits a message as its author does. Throws 404. */
  editMessage(id: string, content: string): MessageView {
    const message = this.#actions.message(id);
    this.#engine.model.editMessage(message, { content });
    return this.#view(message);
  }

  /** Deletes a message. Throws 404. */
  deleteMessage(id: string): void {
    this.#engine.model.removeMessage(this.#actions.message(id));
  }

  /** Shows the bot that somebody is typing. Throws 404. */
  type(channelId: string, author: string): void {
    this.#engine.model.type(this.#actions.channel(channelId), this.#engine.model.user(author, 'person'));
  }

  /** Lets the bot join a new guild, which has no channel yet. */
  createGuild(input: GuildInput): Guild {
    const { id, name } = guildSchema.parse(input);
    return this.#engine.model.addGuild(name, id);
  }

  /** Removes the bot from a guild, which goes on without it. Throws 404. */
  removeFromGuild(id: string): void {
    if (!this.#engine.model.setMember(id, false)) throw unknownGuild();
  }

  /** Invites the bot back to a guild. Throws 404. */
  inviteToGuild(id: string): void {
    if (!this.#engine.model.setMember(id, true)) throw unknownGuild();
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
    this.#engine.model.removeChannel(this.#actions.channel(id));
  }

  /** All channels, threads and direct channels, oldest first. */
  channels(): readonly ChannelView[] {
    return this.#engine.model.channels().map(toChannelView);
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
  waitForMessages(channelId: string, after: string, waitMs: number): Promise<readonly MessageView[]> {
    return this.#engine.waits.waitForSome(() => this.messages(channelId, after), waitMs);
  }

  /** Resolves with the first message, stored already or yet to come, that `predicate` accepts. Rejects after `timeoutMs`. */
  async waitForMessage(
    predicate: (message: MessageView) => boolean,
    timeoutMs = 10_000,
  ): Promise<MessageView> {
    const probe = (): MessageView | undefined => {
      for (const { messages } of this.#engine.model.channels()) {
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
    const found = await this.#engine.waits.waitFor(probe, timeoutMs);
    if (found === undefined) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`);
    return found;
  }

  /** An attachment with its bytes. Throws 404. */
  attachment(channelId: string, id: string): Attachment {
    return this.#actions.attachment(channelId, id);
  }

  /** Causes a fault, at once or armed until it is healed. Throws a `ZodError` for one that does not exist. */
  injectFault(input: FaultInput): FaultReceipt {
    const receipt = this.#engine.faults.inject(input);
    this.context.log('discord.fault.injected', { kind: input.kind });
    return receipt;
  }

  /** The armed faults. */
  faults(): readonly FaultView<ArmedFault>[] {
    return this.#engine.faults.list();
  }

  /**
   * Disarms one fault, or all without an id, and returns how many there were.
   *
   * All: silent sockets are reset too, as a network that comes back resets what it has forgotten.
   */
  heal(id?: string): number {
    return this.#engine.faults.heal(id);
  }

  /** What is open and what has been seen. */
  stats(): DiscordStats {
    const channels = this.#engine.model.channels();
    const sessions = this.#engine.sessions.sessions();
    return {
      sockets: this.#engine.gateway.sockets,
      sessions: { alive: sessions.length, attached: sessions.filter(({ attached }) => attached).length },
      sessionStartsLeft: this.#engine.sessions.startLimit().remaining,
      channels: channels.length,
      messages: channels.reduce((sum, { messages }) => sum + messages.length, 0),
      faults: this.#engine.faults.list().length,
      heldRequests: this.#engine.heldReplies.size,
      invalidRequests: this.#engine.invalidRequests.count,
      counters: this.#engine.traffic.toJSON(),
    };
  }

  #view(message: Message): MessageView {
    return toMessageView(message, this.#engine.model.bot.id, this.#engine.cdnUrl());
  }
}
