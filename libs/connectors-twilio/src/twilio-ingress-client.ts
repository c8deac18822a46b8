import {
  ConnectorError,
  type ConnectorHost,
  ConnectorRecord,
  type ConnectorSnapshot,
  isoTime,
  maskPhoneNumbers,
  type SendOptions,
  type SendReceipt,
  toConnectorError,
} from '@bitbrat/connectors-core';
import { ClientRun } from './client-run.js';
import { type ClientSession } from './client-session.js';
import { type TwilioConfig } from './config.js';
import { ConsentBook } from './consent-book.js';
import { ConversationJoiner } from './conversation-joiner.js';
import { ConversationReconciler } from './conversation-reconciler.js';
import { DeliveryReporter } from './delivery-reporter.js';
import { MessageIntake } from './message-intake.js';
import { MessageSender } from './message-sender.js';
import { TWILIO, TwilioEnvelopeBuilder } from './twilio-envelope-builder.js';
import { TwilioRest } from './twilio-rest.js';
import { type DeliveryUpdate } from './webhook.js';

/** Milliseconds after a client's end within which the SDK may still reject what was under way in it. */
const LEFTOVERS_MS = 5_000;

/** Twilio Conversations as the connector uses it: one client of the SDK at a time, its state, reading and sending. */
export class TwilioIngressClient {
  readonly #config: TwilioConfig;
  readonly #host: ConnectorHost;
  readonly #random: () => number;
  readonly #record: ConnectorRecord;
  readonly #joiner: ConversationJoiner;
  readonly #reconciler: ConversationReconciler;
  readonly #deliveries: DeliveryReporter;
  readonly #intake: MessageIntake;
  readonly #sender: MessageSender;
  #run: ClientRun | undefined;
  /** Clients that are being put away, and until when those that were may still be heard of, by the clock's monotonic time. */
  #closing = 0;
  #leftoversUntil = -Infinity;
  #starting: { readonly done: Promise<void>; readonly stopped: AbortController } | undefined;
  #ending: Promise<void> = Promise.resolve();

  /** @param random in [0, 1); for the jitter of back-offs */
  constructor(config: TwilioConfig, host: ConnectorHost, random: () => number) {
    this.#config = config;
    this.#host = host;
    this.#random = random;
    this.#record = new ConnectorRecord(TWILIO, host);
    const { identity } = config;
    const { clock, logger } = host;
    const rest = new TwilioRest(config);
    this.#joiner = new ConversationJoiner(rest, identity);
    this.#reconciler = new ConversationReconciler({
      rest,
      join: (conversationSid, signal) => this.#joiner.join(conversationSid, signal),
      historyMs: config.historyHours * 3_600_000,
      clock,
      logger,
    });
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
      join: (conversationSid) => {
        this.#joiner.forget(conversationSid);
        return this.#joiner.join(conversationSid);
      },
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
  async start(signal: AbortSignal): Promise<void> {
    if (this.#starting === undefined) {
      if (this.#run !== undefined && this.#record.state.status !== 'failed') return;
      const stopped = new AbortController();
      const done = this.#start(AbortSignal.any([signal, stopped.signal])).finally(() => {
        this.#starting = undefined;
      });
      this.#starting = { done, stopped };
    }
    return this.#starting.done;
  }

  /** As `IConnector.stop`; takes 4 seconds at the most. */
  async stop(): Promise<void> {
    this.#starting?.stopped.abort();
    await this.#starting?.done.catch(() => undefined);
    await this.#endRun();
    this.#record.stopped();
  }

  /** As `IConnector.sendText`; the destination is a conversation's SID. */
  sendText(text: string, conversationSid: string, options: SendOptions): Promise<SendReceipt> {
    return this.#record.sending(() => this.#sender.send(text, conversationSid, options));
  }

  /** Adds the bot to a conversation, unless it is there, and reads it. @throws ConnectorError */
  async joinAndRead(conversationSid: string): Promise<void> {
    const run = this.#run;
    if (run === undefined) throw new ConnectorError('NOT_CONNECTED', 'the connector is not running');
    if (run.session?.isJoined(conversationSid) !== true) await this.#joiner.join(conversationSid);
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
      pendingReads: run?.pendingReads ?? 0,
      clientGeneration: run?.generation ?? 0,
      messagesSeenByClient: run?.seen ?? 0,
      tokenExpiresAt: iso(session?.tokenExpiresAt),
      lastWatchdogAnswerAt: iso(session?.lastAnswerAt),
      webhook: this.#config.webhookUrl !== undefined,
    });
  }

  async #start(signal: AbortSignal): Promise<void> {
    await this.#endRun();
    this.#record.starting();
    const run = this.#createRun();
    this.#run = run;
    const end = (): void => void run.end();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      await run.begin();
      this.#record.connected();
    } catch (reason) {
      const error = toConnectorError(reason);
      await this.#endRun();
      if (signal.aborted) this.#record.stopped();
      else this.#record.failed(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  /** Resolves when no run is left, one that is ending already included. */
  #endRun(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    if (run !== undefined) this.#ending = run.end();
    return this.#ending;
  }

  #createRun(): ClientRun {
    const run: ClientRun = new ClientRun({
      config: this.#config,
      host: this.#host,
      random: this.#random,
      intake: this.#intake,
      joiner: this.#joiner,
      reconciler: this.#reconciler,
      onPutAway: (closed) => {
        this.#closing += 1;
        void closed.then(() => {
          this.#closing -= 1;
          this.#leftoversUntil = this.#host.clock.monotonic() + LEFTOVERS_MS;
        });
      },
      sendsEnded: () => this.#sender.idle(),
      onConnected: () => {
        if (this.#run === run) this.#record.connected();
      },
      onReconnecting: (error) => {
        if (this.#run === run) this.#record.reconnecting(error);
      },
      onFailed: (error) => {
        if (this.#run !== run || run.isEnding) return;
        void run.end();
        this.#record.failed(error);
      },
    });
    return run;
  }

  #connectedSession(): ClientSession {
    const session = this.#run?.session;
    if (session?.isConnected !== true) {
      throw new ConnectorError('NOT_CONNECTED', `twilio is ${this.#record.state.status}`);
    }
    return session;
  }
}
