import { randomUUID } from 'node:crypto';
import {
  type Clock,
  ConnectorManager,
  type ConnectorRegistration,
  type ConnectorState,
  type FaultOrigin,
  isoTime,
  type Logger,
} from '@bitbrat/connectors-core';
import { type ConnectorStatus, createTopics, ENVELOPE_VERSION, type Topics } from '@bitbrat/envelope';
import { type MessageBus } from '@bitbrat/message-bus';
import { createCursorStore, type StateStore } from '@bitbrat/state-store';
import { type ServiceConfig } from './config.js';
import { DeadLetterDesk } from './dead-letters/dead-letter-desk.js';
import { EchoBot } from './echo-bot.js';
import { EgressConsumer, REPEAT_WINDOW_MS } from './egress/egress-consumer.js';
import { toReceiptOutcome } from './egress/outcomes.js';
import { SendClaims } from './egress/send-claims.js';
import { createHttpServer, type HttpServer } from './http/http-server.js';
import { Publisher } from './publisher.js';

/** Cloud Run kills ten seconds after SIGTERM; the parts below add up to less. */
const STOP_MS = { egress: 4_000, connectors: 3_000, bus: 1_500, store: 500 } as const;

export interface IngressEgressOptions {
  readonly config: ServiceConfig;
  readonly connectors: readonly ConnectorRegistration[];
  readonly bus: MessageBus;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly store: StateStore;
  /** Lines of the log that could not be written, for `/healthz`. */
  readonly droppedLogLines?: () => number;
}

/** The gateway: connectors on one side, the bus on the other, HTTP for probes and webhooks. */
export class IngressEgressServer {
  readonly topics: Topics;
  readonly manager: ConnectorManager;
  readonly #egress: EgressConsumer;
  readonly #publisher: Publisher;
  readonly #echoBot: EchoBot | undefined;
  readonly #desk: DeadLetterDesk;
  #http: HttpServer | undefined;
  #stopped: Promise<void> | undefined;
  #statusCount = 0;

  constructor(private readonly options: IngressEgressOptions) {
    const { bus, clock, config, connectors, instanceId, logger, random } = options;
    this.topics = createTopics(config.bus.prefix);
    const egressTopic = this.topics.egress(instanceId);
    this.#publisher = new Publisher({
      bus,
      topics: this.topics,
      clock,
      logger,
      source: `/ingress-egress/${instanceId}`,
    });
    this.manager = new ConnectorManager(connectors, {
      publish: (envelope) => this.#publisher.ingress(envelope),
      receiptReceived: (name, receipt) => this.#publisher.outcome(toReceiptOutcome(name, receipt)),
      egressTopic,
      cursorsFor: (name) => createCursorStore(options.store, name),
      clock,
      logger,
      random,
      onStateChanged: (name, state) => this.#reportState(name, state),
    });
    this.#echoBot = config.echoBot ? new EchoBot(bus, this.topics, clock, logger) : undefined;
    this.#desk = new DeadLetterDesk({ bus, clock, logger }, { topics: this.topics, egressTopic });
    this.#egress = new EgressConsumer(
      {
        bus,
        manager: this.manager,
        publisher: this.#publisher,
        claims: new SendClaims(options.store, clock, logger, {
          instanceId,
          epoch: randomUUID(),
          isShared: config.state.driver === 'firestore',
        }),
        clock,
        logger,
        random,
      },
      {
        topic: egressTopic,
        limits: config.egress,
        maxInFlight: config.bus.maxInFlight,
        repeatWindowMs: REPEAT_WINDOW_MS,
      },
    );
  }

  /**
   * Resolves when HTTP listens and egress events are taken; connectors go on starting side by side.
   *
   * The egress subscription exists before any connector starts, so that no answer to the first message is lost.
   */
  async start(): Promise<{ port: number }> {
    const { bus, clock, config, instanceId, logger } = this.options;
    this.#http = createHttpServer({
      bus,
      clock,
      logger,
      manager: this.manager,
      desk: this.#desk,
      debugToken: config.debugToken,
      ...(this.options.droppedLogLines === undefined
        ? {}
        : { droppedLogLines: this.options.droppedLogLines }),
    });
    const port = await this.#http.listen(config.host, config.port);
    if (this.#http.isLoopbackOnly && config.debugToken === undefined) {
      logger.warn('http.debug-open', {
        hint: 'programs on this machine can read /_debug and dead letters; a proxy here would open them to its clients: then set DEBUG_TOKEN',
      });
    }
    await Promise.all([this.#desk.start(), this.#egress.start()]);
    await this.#echoBot?.start();
    if (this.manager.names.length === 0) {
      logger.warn('service.no-connector', {
        hint: 'set TWILIO_ENABLED=true and its settings to connect a platform',
      });
    }
    logger.info('service.started', {
      port,
      instance: instanceId,
      bus: config.bus.driver,
      connectors: this.manager.names,
      egressTopic: this.topics.egress(instanceId),
    });
    void this.manager.startAll();
    return { port };
  }

  /**
   * Stops within 10 s: nothing new is taken, what is in flight ends, the bus is flushed, sockets close. Idempotent.
   * @param isCrash because of a fault that nobody has handled: as `EgressConsumer.stop`
   */
  async stop(isCrash = false): Promise<void> {
    this.#stopped ??= this.#stopOnce(isCrash);
    await this.#stopped;
  }

  /** For the process's handlers: whether a connector left the error. Its consequences are then limited to that connector. */
  claimFault(reason: unknown, origin: FaultOrigin): boolean {
    return this.manager.claimFault(reason, origin) !== undefined;
  }

  async #stopOnce(isCrash: boolean): Promise<void> {
    const { bus, clock, logger, store } = this.options;
    const startedAt = clock.now();
    logger.info('service.stopping');
    this.#http?.drain();
    await Promise.all([
      this.#echoBot?.stop(STOP_MS.egress),
      this.#egress.stop(STOP_MS.egress, isCrash),
      this.#desk.stop(),
    ]);
    await this.manager.stopAll(STOP_MS.connectors);
    await bus.close(STOP_MS.bus);
    await store.close(STOP_MS.store);
    await this.#http?.close();
    logger.info('service.stopped', { tookMs: clock.now() - startedAt });
  }

  /** Status events are told as they come; a bus that is away delays them, never the connector. As `ConnectorHost.stateChanged`. */
  async #reportState(connector: string, state: ConnectorState): Promise<boolean> {
    const { clock, instanceId, logger } = this.options;
    const { status, ...facts } = state;
    this.#statusCount += 1;
    const event: ConnectorStatus = {
      v: ENVELOPE_VERSION,
      id: `${instanceId}:${connector}:${clock.now()}:${this.#statusCount}`,
      type: 'connector.status.v1',
      connector,
      instanceId,
      state: status,
      ...facts,
      occurredAt: isoTime(clock.now()),
    };
    try {
      await this.#publisher.status(event);
      return true;
    } catch (error) {
      logger.warn('status.unpublished', { connector, state: status, reason: String(error) });
      return false;
    }
  }
}
