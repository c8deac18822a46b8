import {
  ConnectorError,
  type ConnectorHost,
  ConnectorLife,
  ConnectorRecord,
  type ConnectorSnapshot,
  type IngressGap,
  maskPhoneNumbers,
  type SendOptions,
  type SendReceipt,
} from '@bitbrat/connectors-core';
import { isoTime, sleep, withTimeout } from '@bitbrat/foundation';
import { ClientRun } from './client-run.js';
import { type ClientSession } from './session/client-session.js';
import { type TwilioConfig } from './config.js';
import { ConsentBook } from './consent/consent-book.js';
import { ConversationJoiner } from './inbound/conversation-joiner.js';
import { ConversationReconciler } from './inbound/conversation-reconciler.js';
import { ConversationRoom } from './session/conversation-room.js';
import { DeliveryReporter } from './outbound/delivery-reporter.js';
import { MessageIntake } from './inbound/message-intake.js';
import { MessageSender } from './outbound/message-sender.js';
import { OwedJoins } from './inbound/owed-joins.js';
import { type ProblemReporter } from './inbound/partial-problem.js';
import { PassedOverReport } from './inbound/passed-over-report.js';
import { TWILIO, TwilioEnvelopeBuilder } from './inbound/twilio-envelope-builder.js';
import { TwilioRest } from './platform/twilio-rest.js';
import { type DeliveryUpdate } from './webhook/webhook.js';

/** Milliseconds after a client's end within which the SDK may still reject what was under way in it. */
const LEFTOVERS_MS = 5_000;

/** Milliseconds after which a webhook is answered although the bot is not in its conversation yet: Twilio waits for 5 seconds. */
const WEBHOOK_LIMIT_MS = 2_500;

/** Milliseconds that a send waits until the bot is in its conversation. */
const JOIN_LIMIT_MS = 15_000;

/** Twilio Conversations as the connector uses it: one client of the SDK at a time, its state, reading and sending. */
export class TwilioIngressClient {
  readonly #config: TwilioConfig;
  readonly #host: ConnectorHost;
  readonly #random: () => number;
  readonly #record: ConnectorRecord;
  readonly #life: ConnectorLife;
  readonly #joiner: ConversationJoiner;
  readonly #reconciler: ConversationReconciler;
  readonly #deliveries: DeliveryReporter;
  readonly #intake: MessageIntake;
  readonly #sender: MessageSender;
  readonly #rest: TwilioRest;
  readonly #owedJoins: OwedJoins;
  readonly #passedOver: PassedOverReport;
  readonly #room: ConversationRoom;
  readonly #problems: ProblemReporter;
  #unreadable = 0;
  #areJoinsLoaded = false;
  #run: ClientRun | undefined;
  /** Clients that are being put away, and until when those that were may still be heard of, by the clock's monotonic time. */
  #closing = 0;
  #leftoversUntil = -Infinity;

  /** @param random in [0, 1); for the jitter of back-offs */
  constructor(config: TwilioConfig, host: ConnectorHost, random: () => number) {
    this.#config = config;
    this.#host = host;
    this.#random = random;
    this.#record = new ConnectorRecord(TWILIO, host);
    this.#life = new ConnectorLife(this.#record, {
      open: (signal) => this.#open(signal),
      close: () => this.#close(),
    });
    const { identity } = config;
    const { clock, logger } = host;
    const rest = (this.#rest = new TwilioRest(config, clock));
    this.#problems = {
      failed: (subject, error, waitMs) => {
        this.#record.problem(subject, error, isoTime(clock.now() + waitMs));
      },
      solved: (subject) => {
        this.#record.solved(subject);
      },
    };
    this.#joiner = new ConversationJoiner({
      rest,
      identity,
      clock,
      logger,
      random,
      onJoined: (conversationSid) => this.#run?.wake(conversationSid),
      problems: this.#problems,
    });
    this.#reconciler = new ConversationReconciler({
      rest,
      historyMs: this.#historyMs,
      clock,
      logger,
      problems: this.#problems,
    });
    this.#owedJoins = new OwedJoins(host);
    this.#room = new ConversationRoom(logger);
    this.#passedOver = new PassedOverReport({ clock, report: (gap) => this.#reportGap(gap) });
    const consents = new ConsentBook(host);
    this.#intake = new MessageIntake({
      identity,
      allowedSenders: config.allowedSenders,
      builder: new TwilioEnvelopeBuilder(host.egressTopic),
      publish: (envelope) => host.publish(envelope),
      consents,
      clock,
      logger,
      onReceived: () => {
        this.#record.received();
      },
      onIgnored: () => {
        this.#record.ignored();
      },
      onUnreadable: () => {
        this.#unreadable += 1;
        this.#record.ignored();
      },
    });
    this.#deliveries = new DeliveryReporter({
      rest,
      identity,
      host,
      onOptedOut: (optOut) => this.#intake.takeOptOut(optOut),
    });
    this.#sender = new MessageSender({
      rest,
      identity,
      clock,
      session: () => this.#connectedSession(),
      isOptedOut: (address) => consents.isOptedOut(address),
      onOptedOut: (optOut) => {
        // After a stop nothing is published any more; without its event there is no note either, and Twilio says it again.
        if (this.#run === undefined) return;
        // Not waited for: the bus may be away, and the send has failed whatever becomes of this. What the bus refuses, Twilio says again.
        this.#intake.takeOptOut(optOut).catch(() => undefined);
      },
      join: (conversationSid) => this.#joinForSend(conversationSid),
      onSent: (conversationSid) => this.#run?.wake(conversationSid),
      onAccepted: (messageSid, mark) => {
        this.#deliveries.remember(messageSid, mark);
      },
    });
  }

  /**
   * Whether a client was put away so lately that the SDK may still reject what was under way in it, in promises that nobody handles. The
   * present client has a watchdog of its own.
   */
  get hasLeftovers(): boolean {
    return this.#closing > 0 || this.#host.clock.monotonic() < this.#leftoversUntil;
  }

  /** As `IConnector.start`. */
  start(signal: AbortSignal): Promise<void> {
    return this.#life.start(signal);
  }

  /** As `IConnector.stop`; takes 4 seconds at the most. */
  stop(): Promise<void> {
    return this.#life.stop();
  }

  /** As `IConnector.sendText`; the destination is a conversation's SID. */
  sendText(text: string, conversationSid: string, options: SendOptions): Promise<SendReceipt> {
    return this.#record.sending(() => this.#sender.send(text, conversationSid, options));
  }

  /**
   * Adds the bot to a conversation, unless it is there, and reads it. Resolves within the time that the platform waits for
   * an answer; what is not done by then is durable, and is done later.
   * @throws ConnectorError where it has failed, or is not durable
   */
  async joinAndRead(conversationSid: string): Promise<void> {
    const run = this.#run;
    if (run === undefined) throw new ConnectorError('NOT_CONNECTED', 'the connector is not running');
    if (run.session?.isJoined(conversationSid) !== true) await this.#joinInTime(conversationSid);
    run.wake(conversationSid);
  }

  /** Resolves when the bus knows what became of a message; tells whether it is one of ours. @throws ConnectorError */
  async reportDelivery(update: DeliveryUpdate): Promise<boolean> {
    const run = this.#run;
    if (run === undefined) throw new ConnectorError('NOT_CONNECTED', 'the connector is not running');
    return this.#deliveries.report(update, run.signal);
  }

  /** As `IConnector.getSnapshot`. */
  getSnapshot(): ConnectorSnapshot {
    const run = this.#run;
    const session = run?.session;
    const iso = (ms: number | undefined): string | null => (ms === undefined ? null : isoTime(ms));
    return this.#record.snapshot({
      identity: maskPhoneNumbers(this.#config.identity),
      conversations: session?.conversationCount ?? 0,
      conversationRoom: ConversationRoom.of(session?.conversationCount ?? 0),
      pendingJoins: this.#joiner.pending,
      passedOver: this.#passedOver.total,
      unreadable: this.#unreadable,
      clockAheadMs: this.#rest.time.aheadMs === undefined ? null : Math.round(this.#rest.time.aheadMs),
      pendingReads: run?.pendingReads ?? 0,
      clientGeneration: run?.generation ?? 0,
      messagesSeenByClient: run?.seen ?? 0,
      tokenExpiresAt: iso(session?.tokenExpiresAt),
      lastWatchdogAnswerAt: iso(session?.lastAnswerAt),
      webhook: this.#config.webhookUrl !== undefined,
    });
  }

  async #open(signal: AbortSignal): Promise<void> {
    const run = this.#createRun();
    this.#run = run;
    await this.#startJoining();
    const end = (): void => void run.end();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    await run.begin();
    this.#record.connected();
    this.#passedOver.flush();
  }

  /** What is still to be joined is durable, and is joined by the next life. */
  async #close(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    await run?.end();
    this.#joiner.stop();
    await this.#owedJoins.save(() => this.#joiner.owed());
  }

  #createRun(): ClientRun {
    const run: ClientRun = new ClientRun({
      config: this.#config,
      host: this.#host,
      random: this.#random,
      intake: this.#intake,
      time: this.#rest.time,
      problems: this.#problems,
      oldest: (conversationSid) => this.#oldest(conversationSid),
      onPassedOver: (conversationSid, passedOver) => {
        this.#host.logger.warn('twilio.messages-passed-over', { conversationSid, count: passedOver.count });
        this.#passedOver.add(passedOver);
      },
      joiner: this.#joiner,
      reconciler: this.#reconciler,
      onMissing: (conversationSid) => this.#joiner.ask(conversationSid, this.#dueSince()),
      onSwept: (session) => {
        this.#room.look(session.conversationCount);
        void this.#owedJoins.save(() => this.#joiner.owed());
      },
      onPutAway: (closed) => {
        this.#closing += 1;
        void closed.then(() => {
          this.#closing -= 1;
          this.#leftoversUntil = this.#host.clock.monotonic() + LEFTOVERS_MS;
        });
      },
      sendsEnded: () => this.#sender.idle(),
      onConnected: () => {
        if (this.#run !== run) return;
        this.#record.connected();
        this.#passedOver.flush();
      },
      onReconnecting: (error) => {
        if (this.#run === run) this.#record.reconnecting(error);
      },
      onFailed: (error) => {
        if (this.#run !== run || run.isEnding) return;
        void this.#life.fail(error);
      },
    });
    return run;
  }

  /** What an earlier process has left is joined first: it has waited longest. */
  async #startJoining(): Promise<void> {
    if (!this.#areJoinsLoaded) {
      this.#areJoinsLoaded = true;
      for (const [conversationSid, since] of await this.#owedJoins.load())
        this.#joiner.ask(conversationSid, since);
    }
    this.#joiner.start();
  }

  async #joinInTime(conversationSid: string): Promise<void> {
    // Behind others it is not done in time: what is durable need not be waited for.
    if (this.#joiner.isBusy && this.#joiner.ask(conversationSid, this.#dueSince())) {
      if (await this.#owedJoins.save(() => this.#joiner.owed())) return;
    }
    const done = new AbortController();
    const late = sleep(this.#host.clock, WEBHOOK_LIMIT_MS, done.signal).then(() => 'late' as const);
    const joining = this.#joiner.join(conversationSid, this.#dueSince());
    try {
      if ((await Promise.race([joining, late])) !== 'late') return;
    } finally {
      done.abort();
      // It fails for nobody then: it is tried again all the same.
      joining.catch(() => undefined);
    }
    if (await this.#owedJoins.save(() => this.#joiner.owed())) return;
    throw new ConnectorError(
      'TIMEOUT',
      `add the bot to ${conversationSid}: not done in ${WEBHOOK_LIMIT_MS} ms`,
    );
  }

  /** Resolves to whether it was not in it before. */
  #joinForSend(conversationSid: string): Promise<boolean> {
    this.#joiner.forget(conversationSid);
    const joining = this.#joiner.join(conversationSid, this.#dueSince());
    const late = (): Error =>
      new ConnectorError('NOT_CONNECTED', `the bot is not in ${conversationSid} yet`, {
        hint: 'wait: many conversations are being joined',
      });
    return withTimeout(this.#host.clock, joining, JOIN_LIMIT_MS, late);
  }

  get #historyMs(): number {
    return this.#config.historyHours * 3_600_000;
  }

  /** Messages that are older now are not due. */
  #dueSince(): number {
    return this.#rest.time.now() - this.#historyMs;
  }

  /** As `CursorOptions.oldest`: the time that a conversation had to wait for the bot does not make its messages too old. */
  async #oldest(conversationSid: string): Promise<number> {
    await this.#rest.time.learn();
    return Math.min(this.#dueSince(), this.#joiner.dueSince(conversationSid) ?? Infinity);
  }

  #reportGap(gap: IngressGap): boolean {
    const { state } = this.#record;
    if (state.status !== 'connected') return false;
    void this.#record.change({ status: 'connected', since: state.since, gap });
    return true;
  }

  #connectedSession(): ClientSession {
    const session = this.#run?.session;
    if (session?.isConnected !== true) {
      throw new ConnectorError('NOT_CONNECTED', `twilio is ${this.#record.state.status}`);
    }
    return session;
  }
}
