import { randomUUID } from 'node:crypto';
import {
  ConnectorError,
  type ConnectorHost,
  ConnectorLife,
  ConnectorRecord,
  type ConnectorSnapshot,
  type IngressGap,
  type SendOptions,
  type SendReceipt,
  toErrorInfo,
} from '@bitbrat/connectors-core';
import { isoTime } from '@bitbrat/foundation';
import { toChannelGaps } from './inbound/channel-gaps.js';
import { ChatLink } from './session/chat-link.js';
import { type ClientSession } from './session/client-session.js';
import { type TwitchConfig } from './config.js';
import { MessageIntake } from './inbound/message-intake.js';
import { MessageSender } from './outbound/message-sender.js';
import { Presence, toGap } from './session/presence.js';
import { TokenKeeper } from './session/token-keeper.js';
import { TwitchTokenProvider } from './session/token-provider.js';
import { TWITCH, TwitchEnvelopeBuilder } from './inbound/twitch-envelope-builder.js';

/** Subjects of problems. */
const TOKEN = 'token';
const SENDING = 'sending';

/** Milliseconds that sends, and then publishes, under way get at a stop. */
const DRAIN_LIMIT_MS = 1_500;

/**
 * Milliseconds by which a gap begins earlier than the last line came: what was written just before was behind it on the way. It leaves room
 * for clocks that differ, too.
 */
const GAP_MARGIN_MS = 2_000;

/** Twitch chat as the connector uses it: its connection, its state, reading and sending. */
export class TwitchIngressClient {
  readonly #config: TwitchConfig;
  readonly #host: ConnectorHost;
  readonly #record: ConnectorRecord;
  readonly #life: ConnectorLife;
  readonly #provider: TwitchTokenProvider;
  readonly #presence: Presence;
  readonly #link: ChatLink;
  readonly #intake: MessageIntake;
  readonly #sender: MessageSender;
  #tokens: TokenKeeper | undefined;
  /** Since when messages of a channel that is not joined yet are missed and not told, in milliseconds since 1970. */
  #missingSince = 0;

  constructor(config: TwitchConfig, host: ConnectorHost) {
    this.#config = config;
    this.#host = host;
    this.#record = new ConnectorRecord(TWITCH, host);
    this.#life = new ConnectorLife(this.#record, {
      open: (signal) => this.#open(signal),
      close: () => this.#close(),
    });
    const { clock, logger } = host;
    this.#provider = new TwitchTokenProvider(config, clock, logger);
    this.#presence = new Presence(host.cursors, clock, logger);
    this.#link = this.#createLink();
    this.#intake = new MessageIntake({
      login: config.botUsername,
      botId: () => this.#link.session?.botId,
      isRepeat: (id, via) => this.#link.isRepeat(id, via),
      limit: config.bufferMessages,
      builder: new TwitchEnvelopeBuilder(host.egressTopic),
      publish: (envelope) => host.publish(envelope),
      clock,
      logger,
      onReceived: () => {
        this.#record.received();
      },
      onIgnored: () => {
        this.#record.ignored();
      },
      onLoss: (gap) => {
        this.#reportGap(gap);
      },
    });
    this.#sender = new MessageSender({
      channels: config.channels,
      clock,
      confirmMs: config.confirmSeconds * 1_000,
      maxWaitMs: config.maxSendWaitSeconds * 1_000,
      session: () => this.#connectedSession(),
      cursors: host.cursors,
      logger,
      processId: randomUUID(),
      onMuted: (error, until) => {
        this.#record.problem(SENDING, error, isoTime(until));
      },
      onHeard: () => {
        this.#record.solved(SENDING);
      },
      holdReporter: {
        held: (channel, error, nextAttemptAt) => {
          this.#record.problem(toSendingSubject(channel), error, nextAttemptAt);
        },
        released: (channel) => {
          this.#record.solved(toSendingSubject(channel));
        },
      },
    });
  }

  /** As `IConnector.start`. */
  start(signal: AbortSignal): Promise<void> {
    return this.#life.start(signal);
  }

  /** As `IConnector.stop`; takes 5 seconds at the most. */
  stop(): Promise<void> {
    return this.#life.stop();
  }

  /** As `IConnector.sendText`; the destination is a channel's name. */
  sendText(text: string, destination: string, options: SendOptions): Promise<SendReceipt> {
    return this.#record.sending(() => this.#sender.send(text, destination, options));
  }

  /** As `IConnector.getSnapshot`. */
  getSnapshot(): ConnectorSnapshot {
    const { session } = this.#link;
    const iso = (ms: number | undefined): string | null => (ms === undefined ? null : isoTime(ms));
    return this.#record.snapshot({
      login: this.#config.botUsername,
      channels: this.#channelDetails(),
      waitingForBus: this.#intake.pending,
      lostMessages: this.#intake.lost,
      unpublishableMessages: this.#intake.unpublishable,
      sentWithinWindow: this.#sender.recent,
      tokenExpiresAt: iso(this.#provider.expiresAt),
      lastHeardAt: iso(session?.lastHeardAt),
    });
  }

  async #open(signal: AbortSignal): Promise<void> {
    this.#sender.begin();
    await this.#presence.load();
    const session = await this.#link.open(signal);
    signal.throwIfAborted();
    if (session.failure !== undefined) throw session.failure;
    this.#onConnected();
  }

  #createLink(): ChatLink {
    const { clock, logger } = this.#host;
    const options = {
      config: this.#config,
      clock,
      logger,
      tokens: this.#provider,
      isAwaited: (session: ClientSession) => this.#sender.isAwaited(session),
    };
    return new ChatLink(options, {
      onLine: (line, session) => {
        this.#sender.onLine(line, session);
        this.#intake.take(line, session);
      },
      onJoined: (channel) => {
        this.#record.solved(toSubject(channel));
      },
      onJoinedLate: (channel, outSince) => {
        if (this.#record.state.status !== 'connected') return;
        const since = this.#absentSince(outSince);
        this.#reportGap(toGap({ since, reason: `#${channel} was joined late` }, clock.now()));
      },
      onRefused: (channel, error, retryAt) => {
        this.#record.problem(toSubject(channel), error, isoTime(retryAt));
      },
      onLost: (error, session, isComingBack) => {
        this.#onLost(error, session, isComingBack);
      },
      onBack: () => {
        this.#onConnected();
      },
      onFailed: (error) => {
        void this.#life.fail(error);
      },
      onReplaced: (old, gap) => {
        this.#record.lost();
        this.#sender.onReplaced('Twitch asked for a new one', old);
        if (gap !== undefined) this.#reportGap(gap);
      },
    });
  }

  #onConnected(): void {
    const { clock, logger } = this.#host;
    const gap = this.#presence.begin(
      () => this.#heardUntil(this.#link.session),
      (until) => this.#missingUntil(until),
    );
    // What was missed before is told as the gap of all channels.
    this.#missingSince = gap === undefined ? clock.now() : Date.parse(gap.to);
    this.#tokens = new TokenKeeper({
      provider: this.#provider,
      clock,
      logger,
      onEnded: (error) => {
        const { session } = this.#link;
        if (session !== undefined) this.#onLost(error, session, false);
      },
      onProblem: (error, retryAt) => {
        this.#record.problem(TOKEN, error, isoTime(retryAt));
      },
      onSolved: () => {
        this.#record.solved(TOKEN);
      },
    });
    if (!this.#tellGaps(isoTime(clock.now()))) this.#record.connected();
  }

  /** Only a new connection helps, which the supervisor asks for unless the link makes one. */
  #onLost(error: ConnectorError, session: ClientSession, isComingBack: boolean): void {
    if (this.#record.state.status !== 'connected') return;
    this.#intake.reportLoss();
    void this.#presence.end(this.#heardUntil(session), error.message);
    this.#tokens?.stop();
    this.#sender.onLost(error.message);
    void session.close();
    if (isComingBack) {
      this.#record.reconnecting(error);
    } else {
      this.#record.lost();
      void this.#life.fail(error);
    }
  }

  /** Until when nothing was missed that is not told: what waits for the bus is lost if the process ends. */
  #heardUntil(session: ClientSession | undefined): number {
    return withMargin(Math.min(session?.heardUntil ?? 0, this.#intake.oldestPendingAt ?? Infinity));
  }

  #absentSince(outSince: number | undefined): number {
    return outSince === undefined ? this.#missingSince : withMargin(outSince);
  }

  /** What was missed in channels that the bot is not in, while the others were heard. */
  #missingUntil(until: number): readonly IngressGap[] {
    const absences = [...this.#link.absences].map(
      ([channel, outSince]) => [channel, this.#absentSince(outSince)] as const,
    );
    return toChannelGaps(new Map(absences), this.#host.clock.now(), until);
  }

  #reportGap(gap: IngressGap): void {
    this.#presence.add(gap);
    const { since, status } = this.#record.state;
    if (status === 'connected') this.#tellGaps(since);
  }

  /** Tells what is untold. @param since when it was connected @returns whether there was something to tell */
  #tellGaps(since: string): boolean {
    const gaps = this.#presence.takeUntold();
    for (const gap of gaps) {
      void this.#record.change({ status: 'connected', since, gap }).then((isTold) => {
        this.#presence.settle(gap, isTold);
      });
    }
    return gaps.length > 0;
  }

  /** Nothing is heard, sent or published any more. Idempotent; never rejects. */
  async #close(): Promise<void> {
    const { session } = this.#link;
    const wasConnected = session?.isConnected === true;
    if (session !== undefined) {
      this.#tokens?.stop();
      await this.#sender.stop(wasConnected ? DRAIN_LIMIT_MS : 0);
      await this.#link.close();
      await this.#intake.idle(DRAIN_LIMIT_MS);
      this.#intake.reportLoss();
    }
    await this.#provider.idle(DRAIN_LIMIT_MS);
    if (wasConnected) await this.#presence.end(this.#heardUntil(session), 'the connector was stopped');
  }

  #connectedSession(): ClientSession {
    const { session } = this.#link;
    if (session?.isConnected !== true || this.#life.isEnding) {
      throw new ConnectorError('NOT_CONNECTED', `twitch is ${this.#record.state.status}`);
    }
    return session;
  }

  #channelDetails(): Record<string, unknown> {
    if (this.#record.state.status === 'stopped') return {};
    const views = [...(this.#link.session?.channels ?? [])];
    return Object.fromEntries(
      views.map(([channel, view]): [string, unknown] => {
        if (view.status !== 'refused') return [channel, { ...view }];
        const { error, status } = view;
        return [channel, { status, ...toErrorInfo(error), hint: error.hint }];
      }),
    );
  }
}

/** The subject of a channel's problem. */
function toSubject(channel: string): string {
  return `channel #${channel}`;
}

/** The subject of the problem that a channel takes no messages. */
function toSendingSubject(channel: string): string {
  return `sending to #${channel}`;
}

/** Not before 1970, where that stands for a time that nobody knows. */
function withMargin(heardUntil: number): number {
  return Math.max(0, heardUntil - GAP_MARGIN_MS);
}
