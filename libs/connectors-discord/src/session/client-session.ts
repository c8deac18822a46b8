import { ConnectorError, toConnectorError } from '@bitbrat/connectors-core';
import { type ChannelSource } from '../inbound/channel-feeds.js';
import { DiscordRest, type HistoryPage, type RestRequest } from '../platform/discord-rest.js';
import { toCloseError, toDiscordError } from '../platform/errors.js';
import { type ChannelFacts } from '../inbound/feed-contract.js';
import { DISPATCHES, type GatewayNews, readNews } from './gateway-events.js';
import { GatewayStanding } from './gateway-standing.js';
import { type GuildAbsence, GuildArrival } from './guild-arrival.js';
import { factsOfChannel, roleNamesOf } from './guild-cache.js';
import { intentsFor } from './intents.js';
import { type NativeMessage, type NativeReference } from '../platform/native-message.js';
import { createSdkClient, type SdkClient } from './sdk-client.js';
import { type SessionEvents, type SessionOptions } from './session-contract.js';
import { type ReadyFacts } from '../platform/wire-guild.js';

/**
 * One client of the SDK from its making to its end, with its traps.
 *
 * Messages are taken from the gateway's events as they come, not from the SDK's `messageCreate`, which leaves out every channel, direct channel
 * and edited message that is not in its caches.
 */
export class ClientSession implements ChannelSource {
  readonly #rest: DiscordRest;
  readonly #guilds: GuildArrival;
  readonly #standing: GatewayStanding;
  #ready: ReadyFacts | undefined;
  #sessionStartsLeft: number | undefined;

  private constructor(
    private readonly sdk: SdkClient,
    private readonly options: SessionOptions,
    private readonly events: SessionEvents,
  ) {
    const { clock, logger } = options;
    this.#standing = new GatewayStanding({ clock, logger, events });
    this.#guilds = new GuildArrival({
      guildIds: options.config.guildIds,
      clock,
      onSettled: () => {
        this.#standing.guard(() => {
          this.#standing.back();
        });
      },
      onMissing: (guildId, absence) => {
        this.events.onProblem(`guild ${guildId}`, toAbsenceError(guildId, absence));
      },
      onArrived: (guildId) => {
        this.events.onSolved(`guild ${guildId}`);
      },
    });
    this.#rest = new DiscordRest({
      api: sdk.client.rest,
      leaveBefore: sdk.leaveBefore,
      clock,
      token: options.config.botToken,
      logger,
      onTokenRefused: (error) => {
        this.#standing.fail(error);
      },
    });
    this.#listen();
  }

  /**
   * Resolves when the gateway's session has begun and its guilds are there.
   * @param signal aborted when the caller gives up
   * @throws ConnectorError; nothing is left behind then
   */
  static async open(
    options: SessionOptions,
    events: SessionEvents,
    signal: AbortSignal,
  ): Promise<ClientSession> {
    const { clock, config, random } = options;
    const sdk = await createSdkClient({
      apiUrl: config.apiUrl,
      intents: intentsFor(config),
      requestTimeoutMs: config.requestTimeoutSeconds * 1000,
      clock,
      random,
    });
    const session = new ClientSession(sdk, options, events);
    try {
      const limitMs = config.connectTimeoutSeconds * 1000;
      await session.#standing.open(() => session.#logIn(), limitMs, signal);
      return session;
    } catch (error) {
      await session.close();
      throw toConnectorError(error);
    }
  }

  get isConnected(): boolean {
    return this.#standing.isConnected;
  }

  get botUserId(): string | undefined {
    return this.#ready?.botUserId;
  }

  /** Guilds of the configuration that are not there. */
  get awaitedGuilds(): readonly string[] {
    return this.#guilds.absent;
  }

  /** How many session starts of the day were left at the login. */
  get sessionStartsLeft(): number | undefined {
    return this.#sessionStartsLeft;
  }

  /** Attempts to reach the gateway since it was last heard. */
  get attempts(): number {
    return this.sdk.attempts;
  }

  /** Names of the sender's roles, as far as the guild's are known. */
  rolesOf(message: NativeMessage): readonly string[] {
    return roleNamesOf(this.sdk.client, message);
  }

  /** Whether the SDK knows a channel; one that it does not know it would say nothing of. */
  isCached(channelId: string): boolean {
    return this.sdk.client.channels.cache.has(channelId);
  }

  /** Known ones at once; others are asked for, and remembered. @throws ConnectorError */
  async resolve(channelId: string, guildId: string | undefined): Promise<ChannelFacts> {
    if (guildId === undefined) return { id: channelId, kind: 'direct', readable: true };
    const { client } = this.sdk;
    const known = factsOfChannel(client, channelId);
    if (known !== undefined) return known;
    try {
      await client.channels.fetch(channelId);
    } catch (reason) {
      const error = toDiscordError(reason, `look up channel ${channelId}`);
      if (error.code !== 'FORBIDDEN' && error.code !== 'TARGET_NOT_FOUND') throw error;
    }
    return factsOfChannel(client, channelId) ?? { id: channelId, kind: 'channel', guildId, readable: false };
  }

  /** As `DiscordRest.history`. @throws ConnectorError */
  history(
    channelId: string,
    after: string,
    limit: number,
    guildId: string | undefined,
  ): Promise<HistoryPage> {
    return this.#rest.history(channelId, after, limit, guildId);
  }

  /** As `DiscordRest.request`. @throws ConnectorError */
  request(request: RestRequest, doing: string): Promise<unknown> {
    return this.#rest.request(request, doing);
  }

  /** Idempotent; resolves within 2 seconds, never rejects. No event comes any more. */
  async close(): Promise<void> {
    if (!this.#standing.close()) return;
    this.#guilds.stop();
    await this.sdk.close();
  }

  /** The gateway's socket is closed. */
  #onClosed(closeCode: number): void {
    const final = toCloseError(closeCode);
    if (final !== undefined) {
      this.#standing.fail(final);
      return;
    }
    this.#guilds.stop();
    this.#standing.lost(closeCode);
  }

  async #logIn(): Promise<void> {
    const { budget, config } = this.options;
    const { client } = this.sdk;
    if (budget.waitMs > 0) throw tooManyStarts(budget.waitMs);
    this.#sessionStartsLeft = await this.#rest.sessionStartsLeft(config.sessionFloor);
    if (!this.#standing.isOpening) return;
    client.login(config.botToken).catch((error: unknown) => {
      this.#standing.guard(() => {
        this.#standing.fail(toDiscordError(error, 'log in', 'bot'));
      });
    });
  }

  /** The SDK begins new sessions by itself, too; a loop of them is as bad as one of logins. */
  async #beforeIdentify(signal: AbortSignal): Promise<void> {
    const { budget } = this.options;
    if (this.#standing.isOpen) await this.#checkStarts();
    signal.throwIfAborted();
    budget.take();
  }

  async #checkStarts(): Promise<void> {
    const { budget } = this.options;
    try {
      if (budget.waitMs > 0) throw tooManyStarts(budget.waitMs);
      this.#sessionStartsLeft = await this.#rest.sessionStartsLeft(this.options.config.sessionFloor);
    } catch (reason) {
      const error = toConnectorError(reason);
      // An answer that does not come says nothing about the limit.
      if (error.code !== 'RATE_LIMITED') return;
      this.#standing.fail(error);
      await new Promise(() => undefined);
    }
  }

  #listen(): void {
    const { ws } = this.sdk.client;
    this.sdk.listen({
      onClosed: (closeCode) => {
        this.#standing.guard(() => {
          this.#onClosed(closeCode);
        });
      },
      beforeIdentify: (signal) => this.#beforeIdentify(signal),
      onStuck: () => {
        this.#standing.guard(() => {
          this.#standing.fail(
            new ConnectorError('UPSTREAM_UNAVAILABLE', 'the gateway is not connected to again'),
          );
        });
      },
      onBroken: (reason) => {
        this.options.logger.error('discord.event-unhandled', { reason: toConnectorError(reason).message });
      },
    });
    for (const dispatch of DISPATCHES) {
      const listener = (wire: unknown): void => {
        this.#standing.guard(() => {
          for (const news of readNews(dispatch, wire)) this.#onNews(news);
        });
      };
      // The SDK's names are an enum that only the loaded SDK has.
      Reflect.apply(Reflect.get(ws, 'on'), ws, [dispatch, listener]);
    }
  }

  #onNews(news: GatewayNews): void {
    switch (news.kind) {
      case 'ready':
        this.#onReady(news.ready);
        break;
      case 'resumed':
        this.#guilds.resume();
        break;
      case 'guild':
        this.events.onGuild(news.guild);
        this.#guilds.arrived(news.guild.id);
        break;
      case 'guild-gone':
        this.#guilds.gone(news.guildId, news.isOutage ? 'outage' : 'no-member');
        break;
      case 'channel-gone':
        this.events.onChannelGone(news.channelId);
        break;
      case 'channel-changed':
        this.events.onChannelChanged(news.channelId);
        break;
      case 'event':
        this.events.onEvent(news.event, news.guildId);
        break;
      case 'partial-edit':
        void this.#fetchEdited(news.message);
        break;
      case 'unreadable':
        this.options.logger.error('discord.message-unreadable');
        break;
      default:
        news satisfies never;
    }
  }

  #onReady(ready: ReadyFacts | undefined): void {
    if (ready === undefined) {
      this.#standing.fail(new ConnectorError('UPSTREAM_UNAVAILABLE', 'the gateway sent an unreadable READY'));
      return;
    }
    this.#ready = ready;
    this.events.onSessionStart(this);
    this.#guilds.begin(ready.guildIds);
  }

  async #fetchEdited({ channelId, guildId, id }: NativeReference): Promise<void> {
    try {
      const message = await this.#rest.message(channelId, id, guildId);
      if (message === undefined) return;
      this.#standing.guard(() => {
        this.events.onEvent({ kind: 'edited', message }, guildId);
      });
    } catch (error) {
      const { code, message: reason } = toConnectorError(error);
      this.options.logger.warn('discord.edit-unreadable', { channelId, code, reason });
    }
  }
}

function toAbsenceError(guildId: string, absence: GuildAbsence): ConnectorError {
  switch (absence) {
    case 'no-member':
      return new ConnectorError('FORBIDDEN', `the bot is not in guild ${guildId}`, {
        hint: 'invite the bot to the guild, or correct DISCORD_GUILD_ID',
      });
    case 'outage':
      return new ConnectorError('UPSTREAM_UNAVAILABLE', `Discord does not show guild ${guildId}`, {
        hint: 'wait: Discord brings the guild back by itself; until then nothing comes from it',
      });
    default:
      return absence satisfies never;
  }
}

function tooManyStarts(retryAfterMs: number): ConnectorError {
  return new ConnectorError('RATE_LIMITED', 'too many gateway sessions have begun of late', {
    retryAfterMs,
    hint: 'find out why Discord ends each session; the rest of the day needs session starts, too',
  });
}
