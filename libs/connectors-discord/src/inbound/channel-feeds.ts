import {
  ConnectorError,
  type ConnectorHost,
  type CursorStore,
  Drainer,
  type IngressGap,
} from '@bitbrat/connectors-core';
import { type Clock, type Logger, sleep } from '@bitbrat/foundation';
import { ChannelFeed } from './channel-feed.js';
import { type DiscordConfig } from '../config.js';
import { CursorKeeper } from './cursor-keeper.js';
import { type HistoryPage } from '../platform/discord-rest.js';
import { toDiscordError } from '../platform/errors.js';
import { type ChannelFacts } from './feed-contract.js';
import { FeedRoom } from './feed-room.js';
import { type ChannelEvent } from './message-intake.js';
import { newerSnowflake, snowflakeAt } from '../platform/snowflake.js';
import { type GuildSnapshot, NO_MESSAGE } from '../platform/wire-guild.js';

/** Channels that are read at once: Discord allows 50 requests a second over all routes. */
const MAX_CONCURRENT = 8;

/** Direct channels that are looked at after a restart, the ones of late: Discord lists none to a bot. */
const MAX_DIRECT_CHANNELS = 200;

const DIRECT_CHANNELS_KEY = 'direct-channels';

/** All direct channels are one scope: Discord lists none to a bot, so each is seen for the first time at its next message. */
const DIRECT_SCOPE = 'direct';

/** What the feeds need of a gateway session. */
export interface ChannelSource {
  /** What is known of a channel, else what Discord answers. @param guildId undefined: a direct channel @throws ConnectorError */
  resolve(channelId: string, guildId: string | undefined): Promise<ChannelFacts>;
  /** The messages behind `after`. @throws ConnectorError */
  history(channelId: string, after: string, limit: number, guildId: string | undefined): Promise<HistoryPage>;
}

export interface FeedsOptions {
  readonly config: Pick<DiscordConfig, 'guildIds' | 'channelIds' | 'directMessages' | 'historyHours'>;
  readonly host: Pick<ConnectorHost, 'cursors' | 'clock' | 'logger'>;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
  /** The present session. @throws ConnectorError NOT_CONNECTED */
  readonly source: () => ChannelSource;
  readonly take: (event: ChannelEvent, facts: ChannelFacts) => Promise<void>;
  /** @param onTold to be called when the bus has the gap */
  readonly onGap: (gap: IngressGap, onTold: () => void) => void;
  /** A guild's channel fails while the others work. Never a direct channel: there is one of those for each person. */
  readonly onProblem: (channelId: string, error: ConnectorError) => void;
  readonly onSolved: (channelId: string) => void;
}

/** The feeds of all channels, and what they remember over a restart. */
export class ChannelFeeds {
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<string, ChannelFeed>();
  readonly #room = new FeedRoom();
  readonly #drainer: Drainer;
  readonly #keeper: CursorKeeper;
  readonly #cursors: CursorStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** By scope: the id behind which a channel without a cursor is read. */
  readonly #baselines = new Map<string, Promise<string>>();
  #directChannels: string[] = [];
  #isStopped = false;

  constructor(options: FeedsOptions) {
    const { host, random } = options;
    this.#options = options;
    this.#cursors = host.cursors;
    this.#clock = host.clock;
    this.#logger = host.logger;
    const services = { clock: host.clock, logger: host.logger, random };
    this.#keeper = new CursorKeeper({ ...services, store: host.cursors });
    const drain = (channelId: string, signal: AbortSignal): Promise<void> =>
      this.#feeds.get(channelId)?.drain(signal) ?? Promise.resolve();
    this.#drainer = new Drainer({
      ...services,
      concurrency: MAX_CONCURRENT,
      drain,
      toError: (reason, channelId) => toDiscordError(reason, `read ${channelId}`),
      onFailure: (channelId, { error, failures, waitMs }) => {
        const fields = { channelId, code: error.code, reason: error.message, failures, waitMs };
        this.#logger.warn('discord.read-failed', fields);
      },
    });
  }

  /** For the snapshot. */
  get counts(): { channels: number; directChannels: number; behind: number; unsavedCursors: number } {
    return {
      channels: this.#feeds.size,
      directChannels: this.#directChannels.length,
      behind: [...this.#feeds.values()].filter((feed) => feed.isBehind).length,
      unsavedCursors: this.#keeper.pending,
    };
  }

  /** Remembers the direct channels of earlier runs. @throws what the store rejects with */
  async load(): Promise<void> {
    if (!this.#options.config.directMessages) return;
    // Before the first direct message, which is then read back to where its channel has no cursor.
    await this.#baseline(DIRECT_SCOPE, undefined);
    const stored = await this.#cursors.load(DIRECT_CHANNELS_KEY);
    this.#directChannels = (stored ?? '').split(',').filter((id) => id !== '');
  }

  /** An event of the gateway. @param guildId undefined: a direct channel */
  offer(event: ChannelEvent, guildId: string | undefined): void {
    const { config } = this.#options;
    if (this.#isStopped) return;
    if (guildId === undefined ? !config.directMessages : !config.guildIds.includes(guildId)) return;
    const { channelId } = event.message;
    if (guildId === undefined) this.#rememberDirect(channelId);
    this.#feed(channelId, guildId).offer(event);
  }

  /** A gateway session begins that replays nothing. Guilds follow one by one. */
  onSessionStart(): void {
    if (this.#isStopped) return;
    for (const channelId of this.#directChannels) this.#feed(channelId, undefined).refresh(undefined);
  }

  /** A guild of the session, with all its channels. */
  onGuild(guild: GuildSnapshot): void {
    const { channelIds, guildIds } = this.#options.config;
    if (this.#isStopped || !guildIds.includes(guild.id)) return;
    const isListed = (id: string | undefined): boolean => id !== undefined && channelIds.includes(id);
    const wanted = guild.channels.filter(
      ({ id, parentId }) => channelIds.length === 0 || isListed(id) || isListed(parentId),
    );
    const newestByScope = new Map<string, string | undefined>();
    for (const channel of wanted) {
      const scope = this.#scopeOf(channel, guild.id);
      newestByScope.set(scope, newerSnowflake(newestByScope.get(scope), channel.newest));
    }
    for (const [scope, newest] of newestByScope) this.#baseline(scope, newest).catch(() => undefined);
    for (const { id, newest } of wanted) this.#feed(id, guild.id).refresh(newest);
    // Threads that were archived meanwhile are not listed.
    const listed = new Set(guild.channels.map(({ id }) => id));
    for (const [id, feed] of this.#feeds) {
      if (feed.guildId === guild.id && !listed.has(id)) feed.refresh(undefined);
    }
  }

  /** What the bot may do in the channel may have changed: what was missed may be readable now. */
  recheck(channelId: string): void {
    if (!this.#isStopped) this.#feeds.get(channelId)?.refresh(undefined);
  }

  /** Reports channels of the configuration that no guild has shown, or that may not be read. */
  checkConfigured(): void {
    const [guildId] = this.#options.config.guildIds;
    if (guildId === undefined) return;
    for (const channelId of this.#options.config.channelIds) {
      if (this.#feeds.has(channelId)) continue;
      this.#resolve(channelId, guildId).catch((error: unknown) => {
        const { code, message: reason } = toDiscordError(error, `look up channel ${channelId}`);
        this.#logger.warn('discord.channel-unchecked', { channelId, code, reason });
      });
    }
  }

  /** The channel does not exist any more. */
  forget(channelId: string): void {
    this.#feeds.get(channelId)?.discard();
    this.#feeds.delete(channelId);
  }

  /** The platform can be reached again. */
  retryNow(): void {
    this.#drainer.retryNow();
  }

  /** Takes and reads nothing more; resolves within twice `limitMs`, with the cursors saved as far as bus and store let it. */
  async stop(limitMs: number): Promise<void> {
    this.#isStopped = true;
    const timeUp = new AbortController();
    const idle = Promise.all([...this.#feeds.values()].map((feed) => feed.idle())).then(() => {
      timeUp.abort();
    });
    await Promise.all([
      this.#drainer.stop(limitMs),
      Promise.race([idle, sleep(this.#clock, limitMs, timeUp.signal)]),
    ]);
    await this.#keeper.stop(limitMs);
  }

  #feed(channelId: string, guildId: string | undefined): ChannelFeed {
    const known = this.#feeds.get(channelId);
    if (known !== undefined) return known;
    const { config, onGap, onProblem, onSolved, source, take } = this.#options;
    const key = `channel:${channelId}`;
    const feed = new ChannelFeed({
      channelId,
      resolve: () => this.#resolve(channelId, guildId),
      isWanted: ({ id, parentId }) =>
        guildId === undefined ||
        config.channelIds.length === 0 ||
        [id, parentId].some((of) => config.channelIds.includes(of ?? '')),
      baseline: (facts) =>
        this.#baseline(guildId === undefined ? DIRECT_SCOPE : this.#scopeOf(facts, guildId), undefined),
      loadCursor: () => this.#cursors.load(key),
      saveCursor: (messageId) => {
        this.#keeper.set(key, messageId);
      },
      history: (after, limit) => source().history(channelId, after, limit, guildId),
      take: (event, facts) =>
        this.#isStopped
          ? Promise.reject(new ConnectorError('NOT_CONNECTED', 'the connector stops'))
          : take(event, facts),
      room: this.#room,
      onBehind: () => {
        this.#drainer.wake(channelId);
      },
      onGap,
      onRefused: (error) => {
        if (guildId !== undefined) onProblem(channelId, error);
      },
      onRead: () => {
        if (guildId !== undefined) onSolved(channelId);
      },
      historyHours: config.historyHours,
      clock: this.#clock,
      logger: this.#logger,
    });
    this.#feeds.set(channelId, feed);
    return feed;
  }

  /** A channel that the configuration names must be readable; of all others it is nobody's business. */
  async #resolve(channelId: string, guildId: string | undefined): Promise<ChannelFacts> {
    const { config, onProblem, onSolved, source } = this.#options;
    const facts = await source().resolve(channelId, guildId);
    if (config.channelIds.includes(channelId)) {
      if (facts.readable) onSolved(channelId);
      else onProblem(channelId, unreadable(channelId));
    }
    return facts;
  }

  /** What the configuration names: the guild, or the listed channel. New in it, a channel is read from now on. */
  #scopeOf({ id, parentId }: Pick<ChannelFacts, 'id' | 'parentId'>, guildId: string): string {
    const { channelIds } = this.#options.config;
    if (channelIds.length === 0) return guildId;
    return channelIds.includes(id) ? id : (parentId ?? id);
  }

  /**
   * The id behind which a channel of the scope is read that has no cursor: a channel in which somebody wrote since has one, so what stands
   * behind it was missed. Made at the first sight of the scope, then kept.
   */
  #baseline(scope: string, newest: string | undefined): Promise<string> {
    const known = this.#baselines.get(scope);
    if (known !== undefined) return known;
    const made = this.#loadBaseline(scope, newest);
    this.#baselines.set(scope, made);
    made.catch(() => this.#baselines.delete(scope));
    return made;
  }

  async #loadBaseline(scope: string, newest: string | undefined): Promise<string> {
    const key = `since:${scope}`;
    const stored = await this.#cursors.load(key);
    if (stored !== undefined) return stored;
    // Discord's last message rather than the machine's clock: what comes while a clock is ahead must not look as if it had been read.
    const isKnown = newest !== undefined && newest !== NO_MESSAGE;
    const baseline = isKnown ? newest : snowflakeAt(this.#clock.now());
    await this.#cursors.save(key, baseline);
    return baseline;
  }

  #rememberDirect(channelId: string): void {
    if (this.#directChannels.at(-1) === channelId) return;
    const others = this.#directChannels.filter((id) => id !== channelId);
    this.#directChannels = [...others, channelId].slice(-MAX_DIRECT_CHANNELS);
    this.#keeper.set(DIRECT_CHANNELS_KEY, this.#directChannels.join(','));
  }
}

function unreadable(channelId: string): ConnectorError {
  return new ConnectorError('FORBIDDEN', `channel ${channelId} cannot be read, or does not exist`, {
    hint: 'give the bot View Channel and Read Message History there, or correct DISCORD_CHANNELS',
  });
}
