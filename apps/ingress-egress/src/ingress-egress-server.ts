import { randomUUID } from 'node:crypto';
import {
  ConnectorManager,
  type ConnectorRegistration,
  type ConnectorState,
  type FaultOrigin,
} from '@bitbrat/connectors-core';
import {
  type ConnectorStatus,
  createTopics,
  ENVELOPE_VERSION,
  type IngressEnvelope,
  type Topics,
} from '@bitbrat/envelope';
import { type Clock, isoTime, type Logger, sleep } from '@bitbrat/foundation';
import { isTopicKeeper, type MessageBus } from '@bitbrat/message-bus';
import { createCursorStore, type StateStore } from '@bitbrat/state-store';
import { type ServiceConfig } from './config.js';
import { DeadLetterDesk } from './dead-letters/dead-letter-desk.js';
import { EchoBot } from './local/echo-bot.js';
import { EgressConsumer, REPEAT_WINDOW_MS } from './egress/egress-consumer.js';
import { toReceiptOutcome } from './egress/outcomes.js';
import { SendClaims } from './egress/send-claims.js';
import { createHttpServer, type HttpServer } from './http/http-server.js';
import { type TransportFacts } from './http/readiness.js';
import { Publisher } from './publisher.js';
import { BusOpening } from './transport/bus-opening.js';
import { StoreWatch } from './transport/store-watch.js';
import { TemporaryEgress } from './transport/temporary-egress.js';

/** Cloud Run kills ten seconds after SIGTERM; the parts below add up to less. */
const STOP_MS = { egress: 4_000, connectors: 3_000, bus: 1_500, store: 500 } as const;

/** Milliseconds that the start waits for the bus before the connectors start without it. */
const BUS_GRACE_MS = 3_000;

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
  /** No other process will have `instanceId`: its topic is removed at the end. Default false. */
  readonly isTemporaryInstance?: boolean;
}

/** The gateway: connectors on one side, the bus on the other, HTTP for probes and webhooks. */
export class IngressEgressServer {
  readonly topics: Topics;
  readonly manager: ConnectorManager;
  readonly #egress: EgressConsumer;
  readonly #publisher: Publisher;
  readonly #echoBot: EchoBot | undefined;
  readonly #desk: DeadLetterDesk;
  readonly #opening: BusOpening;
  readonly #store: StoreWatch;
  readonly #temporary: TemporaryEgress | undefined;
  #egressOpen: Promise<boolean> | true | undefined;
  readonly #stopping = new AbortController();
  #http: HttpServer | undefined;
  #stopped: Promise<void> | undefined;
  #statusCount = 0;

  constructor(private readonly options: IngressEgressOptions) {
    const { bus, clock, config, connectors, instanceId, logger, random } = options;
    this.topics = createTopics(config.bus.prefix);
    const egressTopic = this.topics.egress(instanceId);
    const temporary = options.isTemporaryInstance === true;
    this.#opening = new BusOpening(clock, logger);
    this.#store = new StoreWatch(options.store, clock, logger);
    this.#temporary = temporary ? new TemporaryEgress({ bus, clock, logger }, egressTopic) : undefined;
    this.#publisher = new Publisher({
      bus,
      topics: this.topics,
      clock,
      logger,
      source: `/ingress-egress/${instanceId}`,
    });
    this.manager = new ConnectorManager(connectors, {
      publish: (envelope) => this.#publishIngress(envelope),
      receiptReceived: (name, receipt) => this.#publisher.outcome(toReceiptOutcome(name, receipt)),
      egressTopic,
      cursorsFor: (name) => createCursorStore(this.#store, name),
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
        claims: new SendClaims(this.#store, clock, logger, {
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
        temporary,
        limits: config.egress,
        maxInFlight: config.bus.maxInFlight,
        repeatWindowMs: REPEAT_WINDOW_MS,
      },
    );
  }

  /**
   * Resolves when HTTP listens and connectors have begun to start. Waits a moment for the bus; one that is away or refuses is tried
   * until it is mended, while readiness says why.
   *
   * Messages of people are published only when the egress subscription exists, so that no answer to them is lost; until then
   * connectors keep them, or leave them at the platform. Resolves with port 0 where the service was stopped meanwhile.
   * @throws Error where the port cannot be had
   */
  async start(): Promise<{ port: number }> {
    if (this.#isStopping()) return { port: 0 };
    const { bus, clock, config, instanceId, logger } = this.options;
    this.#http = createHttpServer({
      bus,
      clock,
      logger,
      manager: this.manager,
      desk: this.#desk,
      debugToken: config.debugToken,
      facts: this.#facts(),
      ...(this.options.droppedLogLines === undefined
        ? {}
        : { droppedLogLines: this.options.droppedLogLines }),
    });
    const port = await this.#http.listen(config.host, config.port).catch((error: unknown) => {
      if (this.#isStopping()) return 0;
      throw error;
    });
    if (this.#isStopping()) return { port };
    if (this.#http.isLoopbackOnly && config.debugToken === undefined) {
      logger.warn('http.debug-open', {
        hint: 'programs on this machine can read /_debug and dead letters; a proxy here would open them to its clients: then set DEBUG_TOKEN',
      });
    }
    const isOpen = await Promise.race([
      this.#openTransport(),
      sleep(clock, BUS_GRACE_MS, this.#stopping.signal).then(() => false),
    ]);
    if (this.#isStopping()) return { port };
    if (this.manager.names.length === 0) {
      logger.warn('service.no-connector', {
        hint: 'set TWILIO_ENABLED=true and its settings to connect a platform',
      });
    }
    logger.info('service.started', {
      port,
      instance: instanceId,
      bus: config.bus.driver,
      isBusOpen: isOpen,
      connectors: this.manager.names,
      egressTopic: this.topics.egress(instanceId),
    });
    void this.manager.startAll();
    return { port };
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #facts(): TransportFacts {
    const { bus } = this.options;
    const opening = this.#opening;
    const store = this.#store;
    const { ingress } = this.topics;
    return {
      get busFault() {
        return opening.fault;
      },
      get storeFault() {
        return store.fault;
      },
      get ingressSubscriptions() {
        return isTopicKeeper(bus) ? bus.subscriptionsOf(ingress) : 'unknown';
      },
    };
  }

  /** Resolves when everything on the bus is open and the store was looked at; with false when the service stops first. */
  async #openTransport(): Promise<boolean> {
    const { bus, config } = this.options;
    const { deadLetter, ingress, outcome, status } = this.topics;
    if (isTopicKeeper(bus)) {
      bus.keepTopic(ingress, { holdWithoutSubscription: config.bus.holdIngress });
      for (const topic of [outcome, status, deadLetter]) bus.keepTopic(topic);
    }
    const egress = this.#opening.open({ name: 'egress events', open: () => this.#egress.start() });
    this.#egressOpen = egress.then((isOpen) => {
      if (isOpen) this.#egressOpen = true;
      return isOpen;
    });
    this.#temporary?.start();
    const echoBot = this.#echoBot;
    const opened = await Promise.all([
      egress,
      this.#opening.open({ name: 'dead letters', open: () => this.#desk.start() }),
      ...(echoBot === undefined
        ? []
        : [this.#opening.open({ name: 'echo bot', open: () => echoBot.start() })]),
      this.#store.start().then(() => true),
    ]);
    return opened.every(Boolean);
  }

  /** Not an async function: thousands of envelopes may wait, and the usual road has nothing to wait for. */
  #publishIngress(envelope: IngressEnvelope): Promise<void> {
    if (this.#egressOpen === true) return this.#publisher.ingress(envelope);
    return Promise.resolve(this.#egressOpen).then((isOpen) => {
      if (isOpen !== true) throw new Error('the service stops before its bus was open');
      return this.#publisher.ingress(envelope);
    });
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
    const { bus, clock, logger } = this.options;
    const startedAt = clock.now();
    logger.info('service.stopping');
    this.#http?.drain();
    this.#stopping.abort();
    this.#opening.stop();
    await Promise.all([
      this.#echoBot?.stop(STOP_MS.egress),
      this.#egress.stop(STOP_MS.egress, isCrash),
      this.#desk.stop(),
    ]);
    const isEgressOpen = this.#egressOpen === true;
    await Promise.all([
      this.manager.stopAll(STOP_MS.connectors),
      isEgressOpen ? this.#temporary?.stop() : undefined,
    ]);
    await bus.close(STOP_MS.bus);
    await this.#store.close(STOP_MS.store);
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
