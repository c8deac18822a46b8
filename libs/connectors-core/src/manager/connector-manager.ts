import { MAX_TEXT_LENGTH } from '@bitbrat/envelope';
import { type Clock, isoTime, type Logger, messageOf, withTimeout } from '@bitbrat/foundation';
import { type ConnectorCapabilities } from '../capabilities.js';
import {
  type ConnectorFactory,
  type ConnectorSnapshot,
  type SendOptions,
  type SendReceipt,
} from '../connector.js';
import { ConnectionWatch } from './connection-watch.js';
import { ConnectorError } from '../connector-error.js';
import { ConnectorScopes } from './connector-scopes.js';
import { type ConnectorState } from '../connector-state.js';
import { FaultClaims, type FaultOrigin } from './fault-claims.js';
import { type ConnectorHost, type CursorStore, type DeliveryReceipt } from '../host.js';
import { type SupervisionPolicy } from './supervision-policy.js';
import { Supervisor } from './supervisor.js';
import { isWebhookReceiver, type WebhookReceiver, type WebhookResponse } from './webhook.js';

/** A connector by the name that envelopes and egress events carry. */
export interface ConnectorRegistration {
  readonly name: string;
  readonly create: ConnectorFactory;
}

/** What the manager needs from the service around it. */
export interface ConnectorManagerServices {
  /** As `ConnectorHost.publish`. */
  readonly publish: ConnectorHost['publish'];
  /** As `ConnectorHost.receiptReceived`, with the name of the connector. */
  receiptReceived?(name: string, receipt: DeliveryReceipt): Promise<void>;
  readonly egressTopic: string;
  /** Cursors of one connector, apart from those of the others. */
  cursorsFor(name: string): CursorStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1); for the jitter of back-offs. */
  readonly random: () => number;
  /** Called at each change of a connector's state, in order. Resolves as `ConnectorHost.stateChanged`. */
  onStateChanged(name: string, state: ConnectorState): Promise<boolean>;
  /** Outranks the policy of every connector. For tests. */
  readonly supervision?: Partial<SupervisionPolicy>;
}

/**
 * Keeps all connectors up and routes to them by exact name. It knows no platform.
 *
 * A connector that fails holds up no other one, and each can be stopped and started while the service runs.
 */
export class ConnectorManager {
  readonly #supervisors = new Map<string, Supervisor>();
  readonly #connections = new ConnectionWatch();
  readonly #scopes = new ConnectorScopes();
  readonly #faults: FaultClaims;

  /** @throws Error where two connectors have one name, or one calls itself otherwise than it is registered */
  constructor(
    registrations: readonly ConnectorRegistration[],
    private readonly services: ConnectorManagerServices,
  ) {
    this.#faults = new FaultClaims(this.#supervisors, this.#scopes, services.logger);
    for (const { name, create } of registrations) {
      if (this.#supervisors.has(name)) throw new Error(`two connectors are named ${name}`);
      const supervisor = this.#supervise(name, create);
      if (supervisor.connector.name !== name) {
        throw new Error(`the connector registered as ${name} calls itself ${supervisor.connector.name}`);
      }
      this.#supervisors.set(name, supervisor);
    }
  }

  get names(): readonly string[] {
    return [...this.#supervisors.keys()];
  }

  /** Starts all side by side; resolves when each has connected or failed for the first time. Never rejects. */
  async startAll(): Promise<void> {
    await Promise.all([...this.#supervisors.values()].map((supervisor) => supervisor.start()));
  }

  /** Stops all side by side; resolves when all have stopped, or after `deadlineMs`. Never rejects. */
  async stopAll(deadlineMs: number): Promise<void> {
    const { clock, logger } = this.services;
    const stopped = Promise.all([...this.#supervisors.values()].map((supervisor) => supervisor.stop()));
    try {
      await withTimeout(clock, stopped, deadlineMs, () => new Error('deadline'));
    } catch {
      const states = this.#states().filter(([, state]) => state.status !== 'stopped');
      logger.error('connectors.stop-deadline', { deadlineMs, connectors: states.map(([name]) => name) });
    }
  }

  /**
   * Resolves when the next try has ended; never rejects for a failed connector. Ends its wait for a next start.
   * @throws ConnectorError TARGET_NOT_FOUND
   */
  async start(name: string): Promise<void> {
    await this.#get(name).start();
  }

  /** @throws ConnectorError TARGET_NOT_FOUND */
  async stop(name: string): Promise<void> {
    await this.#get(name).stop();
  }

  /** @throws ConnectorError TARGET_NOT_FOUND */
  async restart(name: string): Promise<void> {
    await this.stop(name);
    await this.start(name);
  }

  /**
   * @throws ConnectorError TARGET_NOT_FOUND for an unknown connector, PAYLOAD_INVALID for a text that is longer than
   * `MAX_TEXT_LENGTH`, else what the connector rejects with
   */
  async sendText(
    name: string,
    text: string,
    destination: string,
    options: SendOptions,
  ): Promise<SendReceipt> {
    const { connector, life } = this.#get(name);
    if (text.length > MAX_TEXT_LENGTH) {
      const limit = MAX_TEXT_LENGTH.toLocaleString('en');
      throw new ConnectorError(
        'PAYLOAD_INVALID',
        `the text has ${text.length.toLocaleString('en')} UTF-16 code units, ${limit} are allowed`,
        { hint: 'send it as several events' },
      );
    }
    return this.#scopes.call({ connector: name, life }, () => connector.sendText(text, destination, options));
  }

  /** As `IConnector.canonicalDestination`; the destination itself where there is no such connector. */
  canonicalDestination(name: string, destination: string): string {
    const connector = this.#supervisors.get(name)?.connector;
    return connector?.canonicalDestination?.(destination) ?? destination;
  }

  /** Undefined where there is no such connector. */
  capabilitiesOf(name: string): ConnectorCapabilities | undefined {
    return this.#supervisors.get(name)?.connector.capabilities;
  }

  /** The connector's webhook, where there is such a connector and it takes webhooks. */
  webhookReceiver(name: string): WebhookReceiver | undefined {
    const supervisor = this.#supervisors.get(name);
    if (supervisor === undefined || !isWebhookReceiver(supervisor.connector)) return undefined;
    const receiver = supervisor.connector;
    return {
      handleWebhook: async (request) => {
        try {
          return await this.#scopes.call({ connector: name, life: supervisor.life }, () =>
            receiver.handleWebhook(request),
          );
        } catch (error) {
          return this.#webhookFailed(name, error);
        }
      },
    };
  }

  getSnapshot(name: string): ConnectorSnapshot | undefined {
    return this.#supervisors.get(name)?.getSnapshot();
  }

  getSnapshots(): ConnectorSnapshot[] {
    return [...this.#supervisors.values()].map((supervisor) => supervisor.getSnapshot());
  }

  /** State by name. */
  getStates(): Record<string, ConnectorState> {
    return Object.fromEntries(this.#states());
  }

  /**
   * Finds the connector that left an error to the process. A send or webhook in flight fails alone; otherwise the connector
   * is started again, unless only a client left it that is gone. To be called in the process's handler itself.
   * @returns its name; undefined where the error is nobody's
   */
  claimFault(reason: unknown, origin: FaultOrigin): string | undefined {
    return this.#faults.claim(reason, origin);
  }

  #webhookFailed(name: string, error: unknown): WebhookResponse {
    this.services.logger.error('connector.webhook-failed', { connector: name, reason: messageOf(error) });
    return { status: 500, body: 'internal error' };
  }

  /** How often the connector has connected; to be read before a try, for `waitForConnection` after it. */
  connectionCount(name: string): number {
    return this.#connections.count(name);
  }

  /**
   * Resolves when the connector, or a part of it that failed, has connected after `connectionCount` was `seen`; at once
   * where it has already. Resolves also when `signal` is aborted. Never rejects.
   */
  async waitForConnection(name: string, seen: number, signal: AbortSignal): Promise<void> {
    await this.#connections.wait(name, seen, signal);
  }

  #states(): [string, ConnectorState][] {
    return [...this.#supervisors].map(([name, supervisor]) => [name, supervisor.state]);
  }

  #get(name: string): Supervisor {
    const supervisor = this.#supervisors.get(name);
    if (supervisor !== undefined) return supervisor;
    const known = this.names.length === 0 ? 'none is enabled' : `enabled: ${this.names.join(', ')}`;
    throw new ConnectorError('TARGET_NOT_FOUND', `there is no connector named ${name} (${known})`);
  }

  #supervise(name: string, create: ConnectorFactory): Supervisor {
    const { services } = this;
    const outside = <T>(work: () => T): T => this.#scopes.outside(work);
    const cursors = services.cursorsFor(name);
    const { clock, egressTopic, logger, random } = services;
    let last: ConnectorState['status'] | undefined;
    return new Supervisor(create, {
      clock,
      logger,
      random,
      ...(services.supervision === undefined ? {} : { policy: services.supervision }),
      host: {
        publish: (envelope) => outside(() => services.publish(envelope)),
        ...(services.receiptReceived === undefined
          ? {}
          : {
              receiptReceived: (receipt) =>
                outside(() => services.receiptReceived?.(name, receipt) ?? Promise.resolve()),
            }),
        cursors: {
          load: (key) => outside(() => cursors.load(key)),
          save: (key, value) => outside(() => cursors.save(key, value)),
        },
        clock,
        logger,
        egressTopic,
      },
      inScope: (life, work) => this.#scopes.run({ connector: name, life }, work),
      onStateChanged: (state) => {
        if (state.status !== last) {
          logger.info(`connector.${state.status}`, { connector: name, at: isoTime(clock.now()) });
        }
        last = state.status;
        this.#connections.note(name, state);
        return outside(() => services.onStateChanged(name, state));
      },
    });
  }
}
