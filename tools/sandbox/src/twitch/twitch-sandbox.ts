import { setMaxListeners } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { type Duplex } from 'node:stream';
import { type FastifyInstance } from 'fastify';
import { type FaultView } from '../fault-rules.js';
import { type PlatformContext, type SandboxPlatform } from '../platform.js';
import { WaitList } from '../wait-list.js';
import { type Channel } from './model/channels.js';
import { type ExecutedCommand } from './model/command-log.js';
import {
  applyEvent,
  patchChannel,
  type TwitchMessageReceipt,
  writeAsUser,
} from './control/control-actions.js';
import { registerControlApi } from './control/control-api.js';
import { ControlError } from './control/control-error.js';
import {
  type ChannelPatchInput,
  channelPatchSchema,
  type TokenRequestInput,
  tokenRequestSchema,
  type TwitchEventInput,
  twitchEventSchema,
  type UserMessageInput,
  userMessageSchema,
} from './control/control-schema.js';
import {
  toChannelView,
  toMessageView,
  type TwitchChannelView,
  type TwitchMessageView,
  type TwitchStats,
} from './control/control-views.js';
import { type ArmedFault, type TwitchFaultInput } from './fault-schema.js';
import { causeFault, type TwitchFaultReceipt } from './fault-switch.js';
import { isChatUpgrade } from './wire/irc-server.js';
import { registerOAuthRoutes } from './rest/oauth-routes.js';
import { type TokenPair } from './model/tokens.js';
import { type TwitchSandboxOptions } from './twitch-options.js';
import { createParts, type TwitchParts } from './twitch-parts.js';

/** A local Twitch: chat over IRC and WebSocket, tokens and users over HTTP, with switches for faults. */
export class TwitchSandbox implements SandboxPlatform {
  readonly name = 'twitch';
  readonly #waits = new WaitList();
  readonly #stopped = new AbortController();
  readonly #parts: TwitchParts;

  constructor(
    private readonly options: TwitchSandboxOptions,
    private readonly context: PlatformContext,
  ) {
    // Each request that a fault delays listens to it, however many there are.
    setMaxListeners(0, this.#stopped.signal);
    this.#parts = createParts(options, context, () => this.#waits.notify());
  }

  async registerRoutes(app: FastifyInstance): Promise<void> {
    await app.register((scope, _options, done) => {
      scope.removeContentTypeParser('application/x-www-form-urlencoded');
      scope.addContentTypeParser(
        'application/x-www-form-urlencoded',
        { parseAs: 'string' },
        (_request, body, parsed) => {
          parsed(null, new URLSearchParams(body.toString()));
        },
      );
      registerOAuthRoutes(scope, {
        ...this.#parts,
        options: this.options,
        signal: this.#stopped.signal,
      });
      registerControlApi(scope, this);
      done();
    });
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (!isChatUpgrade(request.url ?? '/', request.headers['sec-websocket-protocol'])) return false;
    this.#parts.irc.handleUpgrade(request, socket, head);
    return true;
  }

  environment(): Record<string, string> {
    const { options } = this;
    const origin = this.context.origin();
    return {
      TWITCH_ENABLED: 'true',
      TWITCH_BOT_USERNAME: options.botLogin,
      TWITCH_CHANNELS: options.channels.join(','),
      TWITCH_ACCESS_TOKEN: options.accessToken,
      TWITCH_CLIENT_ID: options.clientId,
      TWITCH_CLIENT_SECRET: options.clientSecret,
      TWITCH_REFRESH_TOKEN: options.refreshToken,
      TWITCH_IRC_URL: origin.replace(/^http/, 'ws'),
      TWITCH_AUTH_URL: `${origin}/twitch/oauth2`,
    };
  }

  close(): Promise<void> {
    this.#stopped.abort();
    this.#parts.irc.close();
    this.#waits.close();
    return Promise.resolve();
  }

  /**
   * Writes as a user does, in a channel or as a whisper; limits and rules of the channel bind clients alone.
   * @throws ZodError for a message that nobody could write
   * @throws ControlError when the author is banned there or the answered message does not exist
   */
  receiveMessage(input: UserMessageInput): TwitchMessageReceipt {
    return writeAsUser(userMessageSchema.parse(input), this.#parts);
  }

  /**
   * Lets an event other than a message reach the clients. Returns how many connections it was meant for.
   * @throws ZodError for an event that does not exist
   * @throws ControlError when it is about a message that does not exist
   */
  sendEvent(input: TwitchEventInput): number {
    return applyEvent(twitchEventSchema.parse(input), this.#parts);
  }

  /** Makes a pair of tokens for a login. The account is made when there is none. */
  issueToken(input: TokenRequestInput): TokenPair {
    const { login, userId, displayName, scopes, lifeMs } = tokenRequestSchema.parse(input);
    const user = this.#parts.users.ensure(login, { id: userId, displayName });
    return this.#parts.tokens.issue(user, {
      scopes: scopes ?? this.options.scopes,
      lifeMs: lifeMs ?? this.options.tokenLifeMs,
    });
  }

  /** Changes a channel's rules, moderators and bans, and tells those who are there. */
  configureChannel(name: string, input: ChannelPatchInput): TwitchChannelView {
    patchChannel(this.#parts.channels.ensure(name), channelPatchSchema.parse(input), this.#parts);
    return this.channel(name);
  }

  /** Whether an account is ignored where it is an ordinary user, because it wrote too fast. */
  isMuted(login: string): boolean {
    return this.#parts.pacer.isMuted(login);
  }

  /** Lets accounts be heard again that wrote too fast. */
  forgiveRateLimits(): void {
    this.#parts.pacer.forgive();
  }

  channels(): readonly TwitchChannelView[] {
    return this.#parts.channels.list().map((channel) => this.#view(channel));
  }

  /** One channel. @throws ControlError when no channel can have the name */
  channel(name: string): TwitchChannelView {
    return this.#view(this.#parts.channels.ensure(name));
  }

  /**
   * The messages of a channel after one, by `seq` or id; all without.
   * @throws ControlError when there is no such message
   */
  messages(name: string, after: number | string = 0): readonly TwitchMessageView[] {
    const channel = this.#parts.channels.ensure(name);
    return channel.after(seqOf(channel, after)).map(toMessageView);
  }

  /** As `messages`, but waits up to `waitMs` milliseconds for the first one; then resolves with an empty list. */
  async waitForMessages(
    name: string,
    after: number | string,
    waitMs: number,
  ): Promise<readonly TwitchMessageView[]> {
    const channel = this.#parts.channels.ensure(name);
    const seq = seqOf(channel, after);
    return (await this.#waits.waitForSome(() => channel.after(seq), waitMs)).map(toMessageView);
  }

  /** Resolves with the first message, standing already or yet to come, that `predicate` accepts. Rejects after `timeoutMs`. */
  waitForMessage(
    predicate: (message: TwitchMessageView) => boolean,
    timeoutMs = 10_000,
  ): Promise<TwitchMessageView> {
    const seen = new Map<Channel, number>();
    const probe = (): TwitchMessageView | undefined => {
      for (const channel of this.#parts.channels.list()) {
        for (const message of channel.after(seen.get(channel) ?? 0)) {
          seen.set(channel, message.seq);
          const view = toMessageView(message);
          if (predicate(view)) return view;
        }
      }
      return undefined;
    };
    return this.waitFor(probe, 'a message', timeoutMs);
  }

  /** The commands that clients had executed, of one channel or all; oldest first. */
  commands(channel?: string): readonly ExecutedCommand[] {
    return this.#parts.commands.list(channel?.replace(/^#/, '').toLowerCase());
  }

  /** Resolves with the first command that `predicate` accepts. Rejects after `timeoutMs`. */
  waitForCommand(
    predicate: (command: ExecutedCommand) => boolean,
    timeoutMs = 10_000,
  ): Promise<ExecutedCommand> {
    return this.waitFor(() => this.commands().find(predicate), 'a command', timeoutMs);
  }

  /** Resolves when a client of this login is in the channel. Rejects after `timeoutMs`. */
  async waitForMember(channel: string, login: string, timeoutMs = 10_000): Promise<void> {
    const probe = (): true | undefined => this.channel(channel).members.includes(login) || undefined;
    await this.waitFor(probe, `${login} in ${channel}`, timeoutMs);
  }

  /** Resolves with the first thing other than undefined that `probe` finds, now or after any change. Rejects after `timeoutMs`. */
  async waitFor<T>(probe: () => T | undefined, what: string, timeoutMs = 10_000): Promise<T> {
    const found = await this.#waits.waitFor(probe, timeoutMs);
    if (found !== undefined) return found;
    throw new Error(
      `Waited ${timeoutMs} ms for ${what} in vain; the sandbox is at ${JSON.stringify(this.stats())}.`,
    );
  }

  /** Causes a fault, at once or armed until it is healed. Throws a `ZodError` for one that does not exist. */
  injectFault(input: TwitchFaultInput): TwitchFaultReceipt {
    const receipt = causeFault(input, this.#parts);
    this.context.log('twitch.fault.injected', { kind: input.kind });
    return receipt;
  }

  /** The armed faults. */
  faults(): readonly FaultView<ArmedFault>[] {
    return this.#parts.faults.list();
  }

  /**
   * Disarms one fault, or all without an id, and returns how many there were.
   *
   * All: quiet connections are reset too, as a network that comes back resets what it has forgotten.
   */
  heal(id?: string): number {
    const healed = this.#parts.faults.heal(id);
    if (id === undefined) this.#parts.irc.heal();
    return healed;
  }

  /** What is open and what has been seen. */
  stats(): TwitchStats {
    const channels = this.#parts.channels.list();
    return {
      connections: this.#parts.irc.views(),
      upgrades: this.#parts.irc.upgrades,
      channels: channels.length,
      messages: channels.reduce((sum, { messages }) => sum + messages.length, 0),
      commands: this.#parts.commands.list().length,
      faults: this.#parts.faults.list().length,
    };
  }

  #view(channel: Channel): TwitchChannelView {
    return toChannelView(
      channel,
      this.#parts.chat.members(channel).map(({ nick }) => nick),
    );
  }
}

function seqOf(channel: Channel, after: number | string): number {
  if (typeof after === 'number') return after;
  if (/^\d+$/.test(after)) return Number(after);
  const message = channel.find(after);
  if (message === undefined) {
    throw new ControlError(404, `after: there is no message ${after} in ${channel.name}.`);
  }
  return message.seq;
}
