import {
  ConnectorError,
  type ConnectorHost,
  ConnectorLife,
  ConnectorRecord,
  type ConnectorSnapshot,
  MediaFetcher,
  type SendOptions,
  type SendReceipt,
  toConnectorError,
} from '@bitbrat/connectors-core';
import { isoTime } from '@bitbrat/foundation';
import { ChannelFeeds } from './inbound/channel-feeds.js';
import { ClientSession } from './session/client-session.js';
import { type DiscordConfig } from './config.js';
import { DISCORD, DiscordEnvelopeBuilder } from './inbound/discord-envelope-builder.js';
import { GapTeller } from './inbound/gap-teller.js';
import { IdentifyBudget } from './session/identify-budget.js';
import { MessageIntake } from './inbound/message-intake.js';
import { MessageSender } from './outbound/message-sender.js';
import { type SessionEvents } from './session/session-contract.js';

/** Bytes of all attachments of one message: Discord takes 10 MiB ("Uploading Files"), the rest is for the form around them. */
const MAX_ATTACHMENT_BYTES = 8 * 1024 * 1024;

/** Milliseconds that reads and publishes under way get at a stop, and then the cursors. */
const DRAIN_LIMIT_MS = 1_000;

/** All that exists between a start and its stop. */
interface Run {
  readonly feeds: ChannelFeeds;
  readonly gaps: GapTeller;
  session: ClientSession | undefined;
}

/** Discord as the connector uses it: owns the SDK's client, reads every channel, sends. */
export class DiscordIngressClient {
  readonly #config: DiscordConfig;
  readonly #host: ConnectorHost;
  readonly #random: () => number;
  readonly #record: ConnectorRecord;
  readonly #life: ConnectorLife;
  readonly #intake: MessageIntake;
  readonly #sender: MessageSender;
  readonly #budget: IdentifyBudget;
  /** What has a problem at present. */
  readonly #subjects = new Set<string>();
  #run: Run | undefined;
  #botUserId: string | undefined;
  #isContentMissing = false;
  #uncachedMessages = 0;

  /** @param random in [0, 1); for the jitter of back-offs */
  constructor(config: DiscordConfig, host: ConnectorHost, random: () => number) {
    this.#config = config;
    this.#host = host;
    this.#random = random;
    this.#record = new ConnectorRecord(DISCORD, host);
    this.#life = new ConnectorLife(this.#record, {
      open: (signal) => this.#open(signal),
      close: () => this.#close(),
    });
    const { clock, logger } = host;
    this.#budget = new IdentifyBudget(clock);
    this.#intake = new MessageIntake({
      builder: new DiscordEnvelopeBuilder(host.egressTopic),
      publish: (envelope) => host.publish(envelope),
      botUserId: () => this.#botUserId,
      rolesOf: (message) => this.#run?.session?.rolesOf(message) ?? [],
      clock,
      logger,
      onReceived: () => {
        this.#record.received();
      },
      onIgnored: () => {
        this.#record.ignored();
      },
      onContentMissing: () => {
        this.#onContentMissing();
      },
    });
    this.#sender = new MessageSender({
      fetcher: new MediaFetcher({
        hosts: { allowed: config.attachmentHosts, variable: 'DISCORD_ATTACHMENT_HOSTS' },
        maxBytes: MAX_ATTACHMENT_BYTES,
        timeoutMs: config.requestTimeoutSeconds * 1000,
        clock,
      }),
      allowedMentions: config.allowedMentions,
      clock,
      random,
      session: () => this.#connectedSession(),
    });
  }

  /** As `IConnector.start`. */
  start(signal: AbortSignal): Promise<void> {
    return this.#life.start(signal);
  }

  /** As `IConnector.stop`: within 4 seconds. */
  stop(): Promise<void> {
    return this.#life.stop();
  }

  /** As `IConnector.sendText`; the destination is the id of a channel, thread or direct channel. */
  sendText(text: string, channelId: string, options: SendOptions): Promise<SendReceipt> {
    return this.#record.sending(async () => {
      this.#connectedSession();
      return this.#sender.send(text, channelId, options);
    });
  }

  /** As `IConnector.getSnapshot`. */
  getSnapshot(): ConnectorSnapshot {
    const { guildIds, channelIds } = this.#config;
    const run = this.#run;
    const session = run?.session;
    return this.#record.snapshot({
      botUserId: this.#botUserId ?? null,
      guilds: [...guildIds],
      unavailableGuilds: session?.awaitedGuilds ?? [],
      allowedChannels: [...channelIds],
      ...(run?.feeds.counts ?? { channels: 0, directChannels: 0, behind: 0, unsavedCursors: 0 }),
      uncachedMessages: this.#uncachedMessages,
      messageContentMissing: this.#isContentMissing,
      sessionStartsLeft: session?.sessionStartsLeft ?? null,
      connectionAttempts: session?.attempts ?? 0,
    });
  }

  async #open(signal: AbortSignal): Promise<void> {
    const run = this.#createRun();
    this.#run = run;
    await run.feeds.load().catch((error: unknown) => {
      throw new ConnectorError(
        'UPSTREAM_UNAVAILABLE',
        `load the cursors: ${toConnectorError(error).message}`,
        { cause: error },
      );
    });
    await this.#openSession(run, signal);
    this.#onConnected(run);
    run.feeds.checkConfigured();
  }

  #createRun(): Run {
    const { clock, logger } = this.#host;
    const gaps = new GapTeller({
      clock,
      logger,
      onDue: () => {
        if (this.#run === run && this.#record.state.status === 'connected') this.#onConnected(run);
      },
    });
    const feeds = new ChannelFeeds({
      config: this.#config,
      host: this.#host,
      random: this.#random,
      source: () => {
        if (run.session === undefined) throw new ConnectorError('NOT_CONNECTED', 'no session');
        return run.session;
      },
      take: (event, facts) => this.#intake.take(event, facts),
      onGap: (gap, onTold) => {
        gaps.add(gap, onTold);
      },
      onProblem: (channelId, error) => {
        if (this.#run === run) this.#problem(`channel ${channelId}`, error);
      },
      onSolved: (channelId) => {
        if (this.#run === run) this.#solved(`channel ${channelId}`);
      },
    });
    const run: Run = { feeds, gaps, session: undefined };
    return run;
  }

  async #openSession(run: Run, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#host;
    const isCurrent = (): boolean => this.#run === run;
    const events: SessionEvents = {
      onSessionStart: (session) => {
        run.session = session;
        this.#botUserId = session.botUserId;
        run.feeds.onSessionStart();
      },
      onGuild: (guild) => {
        run.feeds.onGuild(guild);
      },
      onEvent: (event, guildId) => {
        if (guildId !== undefined && run.session?.isCached(event.message.channelId) === false) {
          this.#uncachedMessages += 1;
        }
        run.feeds.offer(event, guildId);
      },
      onChannelGone: (channelId) => {
        run.feeds.forget(channelId);
        this.#solved(`channel ${channelId}`);
      },
      onChannelChanged: (channelId) => {
        run.feeds.recheck(channelId);
      },
      onProblem: (subject, error) => {
        if (isCurrent()) this.#problem(subject, error);
      },
      onSolved: (subject) => {
        if (isCurrent()) this.#solved(subject);
      },
      onConnected: () => {
        if (isCurrent()) this.#onConnected(run);
      },
      onReconnecting: (error) => {
        if (isCurrent()) this.#record.reconnecting(error);
      },
      onFailed: (error) => {
        if (isCurrent()) void this.#life.fail(error);
      },
    };
    const options = { config: this.#config, clock, logger, random: this.#random, budget: this.#budget };
    run.session = await ClientSession.open(options, events, signal);
  }

  #onConnected(run: Run): void {
    const since = isoTime(this.#host.clock.now());
    void run.gaps.tell((gap) =>
      this.#record.change({ status: 'connected', since, ...(gap === undefined ? {} : { gap }) }),
    );
    run.feeds.retryNow();
  }

  #problem(subject: string, error: ConnectorError): void {
    if (!this.#subjects.has(subject)) {
      const { code, hint, message: reason } = error;
      this.#host.logger.warn('discord.problem', { subject, code, reason, hint });
    }
    this.#subjects.add(subject);
    this.#record.problem(subject, error);
  }

  #solved(subject: string): void {
    if (!this.#subjects.delete(subject)) return;
    this.#host.logger.info('discord.problem-solved', { subject });
    this.#record.solved(subject);
  }

  #onContentMissing(): void {
    if (this.#isContentMissing) return;
    this.#isContentMissing = true;
    this.#host.logger.warn('discord.message-content-missing', {
      hint: 'ordinary messages come without content: switch on MESSAGE CONTENT INTENT in the Discord developer portal',
    });
  }

  async #close(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    // The next start finds out anew.
    for (const subject of this.#subjects) this.#record.solved(subject);
    this.#subjects.clear();
    run.gaps.stop();
    await Promise.all([run.feeds.stop(DRAIN_LIMIT_MS), run.session?.close()]);
    // What the end of the session has not ended waits for a rate limit.
    this.#sender.abortAll();
  }

  #connectedSession(): ClientSession {
    const session = this.#run?.session;
    if (session?.isConnected !== true) {
      throw new ConnectorError('NOT_CONNECTED', `discord is ${this.#record.state.status}`);
    }
    return session;
  }
}
