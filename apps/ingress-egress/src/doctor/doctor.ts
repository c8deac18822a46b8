import {
  type ConnectorHost,
  type ConnectorRegistration,
  type DiagnosisRow,
  type Environment,
  fault,
  type Finding,
  type IConnector,
  isDiagnosable,
  isRejectionHandler,
  ok,
  runCheck,
  warning,
} from '@bitbrat/connectors-core';
import { createTopics } from '@bitbrat/envelope';
import { type Clock, type Logger, withTimeout } from '@bitbrat/foundation';
import { isTopicKeeper, type MessageBus } from '@bitbrat/message-bus';
import { type StateStore } from '@bitbrat/state-store';
import { createBus, createStateStore, readSettings, type Settings } from '../composition.js';
import { ConfigError, type ServiceConfig } from '../config.js';
import { noteEnvironment, PROXY_HINT } from '../settings/environment-notes.js';
import { checkPort, judgeDebugAccess, judgeNode } from './machine-checks.js';
import { type DoctorRow } from './report.js';
import { checkBus, checkStore, checkSubscribers, checkTopics } from './transport-checks.js';

/** Milliseconds that bus and store get to close. */
const CLOSE_MS = 1_000;

/** What the doctor needs from the process around it. */
export interface DoctorServices {
  readonly clock: Clock;
  /** As `process.versions.node`. */
  readonly nodeVersion: string;
  /** Called when the doctor turns to something else. */
  readonly onArea: (area: string) => void;
}

const ignore = (): void => undefined;
const SILENT: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/**
 * Finds out why the service would not work, from the environment that it would get.
 *
 * No message is sent and no setting is changed. What it makes in passing goes by itself: a subscription that nobody uses, a key in the store.
 */
export class Doctor {
  readonly #connectors: IConnector[] = [];

  constructor(private readonly services: DoctorServices) {}

  /** Whether an SDK of a connector under examination has left this rejection unhandled. */
  claimRejection(reason: unknown): boolean {
    return this.#connectors.some(
      (connector) => isRejectionHandler(connector) && connector.claimRejection(reason),
    );
  }

  /** Yields each row as soon as it is known; never throws for what it finds. @param signal ends it soon */
  async *examine(environment: Environment, signal: AbortSignal): AsyncGenerator<DoctorRow> {
    const { nodeVersion, onArea } = this.services;
    onArea('settings');
    const settings = readOrFaults(environment);
    if (Array.isArray(settings)) yield* settings;
    else yield toRow('settings', 'settings', judgeSettings(settings));
    yield* judgeEnvironment(environment);
    onArea('service');
    yield toRow('service', 'Node', judgeNode(nodeVersion));
    if (Array.isArray(settings)) return;
    yield* this.#examineService(settings.service, signal);
    for (const registration of settings.connectors) {
      if (signal.aborted) return;
      onArea(registration.name);
      yield* this.#examineConnector(registration, signal);
    }
  }

  async *#examineService(config: ServiceConfig, signal: AbortSignal): AsyncGenerator<DoctorRow> {
    const { clock, onArea } = this.services;
    yield toRow('service', 'debug access', judgeDebugAccess(config.host, config.debugToken));
    let isServiceRunning = false;
    const port = await runCheck({ check: 'port', clock, signal }, async (limit) => {
      const { finding, ...found } = await checkPort(config.host, config.port, limit);
      isServiceRunning = found.isServiceRunning;
      return finding;
    });
    yield { area: 'service', ...port };
    onArea('bus');
    yield* this.#examineBus(config, signal);
    onArea('state');
    let store: StateStore | undefined;
    const row = await runCheck({ check: 'store', clock, signal }, () => {
      store = createStateStore(config, SILENT, 'refuse');
      return checkStore(store, config, isServiceRunning);
    });
    await this.#ended(store?.close(CLOSE_MS));
    yield { area: 'state', ...row };
  }

  async *#examineBus(config: ServiceConfig, signal: AbortSignal): AsyncGenerator<DoctorRow> {
    const { clock } = this.services;
    let bus: MessageBus | undefined;
    try {
      bus = createBus(config, SILENT);
      const opened = bus;
      const health = await runCheck({ check: 'bus', clock, signal }, () => checkBus(opened, config));
      yield { area: 'bus', ...health };
      if (health.status !== 'ok' || config.bus.driver === 'memory') return;
      if (!isTopicKeeper(opened)) return;
      const topics = createTopics(config.bus.prefix);
      const made = await runCheck({ check: 'topics', clock, signal }, () =>
        checkTopics(opened, topics, config),
      );
      yield { area: 'bus', ...made };
      const subscribers = await runCheck({ check: 'subscribers', clock, signal }, () =>
        checkSubscribers(opened, topics.ingress, config),
      );
      yield { area: 'bus', ...subscribers };
    } finally {
      await this.#ended(bus?.close(CLOSE_MS));
    }
  }

  /** Resolves when the work has ended, soon after `CLOSE_MS` at the latest. */
  async #ended(work: Promise<void> | undefined): Promise<void> {
    if (work === undefined) return;
    const timeIsUp = (): Error => new Error('it does not end');
    await withTimeout(this.services.clock, work, 2 * CLOSE_MS, timeIsUp).catch(ignore);
  }

  async *#examineConnector(
    { create, name }: ConnectorRegistration,
    signal: AbortSignal,
  ): AsyncGenerator<DoctorRow> {
    const connector = create(this.#host());
    this.#connectors.push(connector);
    if (!isDiagnosable(connector)) {
      yield toRow(name, 'connector', warning('cannot be diagnosed', 'start the service and look at /_debug'));
      return;
    }
    const rows: AsyncIterable<DiagnosisRow> = connector.diagnose(signal);
    for await (const row of rows) {
      if (signal.aborted) return;
      yield { area: name, ...row };
    }
  }

  /** Nothing is published and nothing remembered: the connectors are not started. */
  #host(): ConnectorHost {
    return {
      publish: () => Promise.reject(new Error('the doctor publishes nothing')),
      stateChanged: () => Promise.resolve(true),
      cursors: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
      logger: SILENT,
      clock: this.services.clock,
      egressTopic: '',
    };
  }
}

function readOrFaults(environment: Environment): Settings | DoctorRow[] {
  try {
    return readSettings(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ expected, variable }) =>
      toRow('settings', variable, fault('missing or not as expected', expected)),
    );
  }
}

function judgeEnvironment(environment: Environment): DoctorRow[] {
  const { proxies, unknown } = noteEnvironment(environment);
  const rows = unknown.map(({ nearest, variable }) => {
    const cure = nearest === undefined ? 'correct or remove it' : `did you mean ${nearest}?`;
    return toRow('settings', variable, warning('is no setting of this service', cure));
  });
  if (proxies.length === 0) return rows;
  return [...rows, toRow('settings', 'proxy', warning(`set: ${proxies.join(', ')}`, PROXY_HINT))];
}

function judgeSettings({ connectors }: Settings): Finding {
  const names = connectors.map(({ name }) => name);
  return names.length === 0
    ? warning(
        'no connector is enabled',
        'set TWILIO_ENABLED, TWITCH_ENABLED or DISCORD_ENABLED to true, and its settings',
      )
    : ok(`enabled: ${names.join(', ')}`);
}

function toRow(area: string, check: string, finding: Finding): DoctorRow {
  return { area, check, ...finding };
}
