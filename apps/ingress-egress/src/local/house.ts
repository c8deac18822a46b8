import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultOrigin } from '@bitbrat/connectors-core';
import { createTopics } from '@bitbrat/envelope';
import { systemClock } from '@bitbrat/foundation';
import { isTopicKeeper } from '@bitbrat/message-bus';
import { type LocalBusServer, startLocalBus } from '@bitbrat/message-bus/local-bus';
import { startSandbox } from '@bitbrat/sandbox';
import { createMemoryStore } from '@bitbrat/state-store';
import { type DestinationStream } from 'pino';
import { createBus, readSettings, type Settings } from '../composition.js';
import { IngressEgressServer } from '../ingress-egress-server.js';
import { resolveInstanceId } from '../instance-id.js';
import { portTrouble } from '../local-bus/port.js';
import { createLogger, type ServiceLogger } from '../logging/logger.js';
import { busSettings, type HousePlan } from './house-plan.js';
import { createNarrator } from './narrator.js';
import { withoutExpected } from './plain-logger.js';
import { watchBus } from './watched-bus.js';
import { type RunningHouse } from './welcome.js';

/** Milliseconds that the connectors get before the house counts as open all the same, and between two looks at them. */
const CONNECT_MS = 15_000;
const LOOK_EVERY_MS = 50;

/** Milliseconds that the bus gets to answer. */
const BUS_CHECK_MS = 2_000;

/** Everything that `npm start` runs, in one process. */
export interface House {
  readonly logger: ServiceLogger;
  /** Resolves when all runs, and connectors are connected or have had their time. @throws Error that says which port is taken */
  open(): Promise<Omit<RunningHouse, 'seconds'>>;
  /** Whether an error that nobody caught is some connector's, which mends itself. */
  claimFault(reason: unknown, origin: FaultOrigin): boolean;
  /** Ends all that was started, in order. */
  close(): Promise<void>;
}

/** @param print gets a line for each message that passes */
export function createHouse(
  plan: HousePlan,
  output: DestinationStream,
  print: (line: string) => void,
): House {
  const logger = withoutExpected(createLogger(plan.settings['LOG_LEVEL'] ?? 'warn', output));
  const parts: (() => Promise<unknown>)[] = [];
  let server: IngressEgressServer | undefined;
  const open = async (): Promise<Omit<RunningHouse, 'seconds'>> => {
    const localBus = await openBus(plan, logger);
    if (localBus !== undefined) parts.push(() => localBus.close());
    const webhookUrl = `http://127.0.0.1:${plan.servicePort}/webhooks/twilio`;
    const sandbox = await onPort(plan.sandboxPort, 'set SANDBOX_PORT', () =>
      startSandbox({ port: plan.sandboxPort, twilio: { webhookUrl } }),
    );
    parts.push(() => sandbox.close());
    const settings = readSettings({
      ...plan.settings,
      ...(localBus === undefined
        ? {}
        : { MESSAGE_BUS_DRIVER: plan.settings['MESSAGE_BUS_DRIVER'] ?? 'pubsub' }),
      ...busSettings(plan.bus, localBus?.address),
      ...sandbox.twilio.environment(),
      ...sandbox.twitch.environment(),
      ...sandbox.discord.environment(),
      TWILIO_WEBHOOK_URL: webhookUrl,
    });
    const service = await createServer(plan, settings, logger, print);
    server = service.server;
    parts.push(() => service.server.stop());
    await onPort(plan.servicePort, 'set PORT', () => service.server.start());
    const notes = [...plan.notes, ...(await service.troubles())];
    return {
      serviceUrl: `http://127.0.0.1:${plan.servicePort}`,
      sandboxUrl: sandbox.url,
      isDefaultSandbox: plan.sandboxPort === 4_010,
      bus: plan.bus,
      busAddress: localBus?.address,
      hasEcho: settings.service.echoBot,
      notes,
    };
  };
  return {
    logger,
    open,
    claimFault: (reason, origin) => server?.claimFault(reason, origin) === true,
    close: async () => {
      for (const close of parts.splice(0).reverse()) await close();
    },
  };
}

async function openBus({ bus }: HousePlan, logger: ServiceLogger): Promise<LocalBusServer | undefined> {
  if (bus.kind !== 'local') return undefined;
  const ways = `set BUS_PORT, or, where it is a bus, use it by MESSAGE_BUS_DRIVER=pubsub PUBSUB_EMULATOR_HOST=127.0.0.1:${bus.port},`;
  return onPort(bus.port, ways, () => startLocalBus({ port: bus.port, logger }));
}

interface Service {
  readonly server: IngressEgressServer;
  /** Waits for the connectors and the bus. Resolves with what does not work, one line each. */
  troubles(): Promise<string[]>;
}

async function createServer(
  { bus: { kind } }: HousePlan,
  { connectors, service: config }: Settings,
  logger: ServiceLogger,
  print: (line: string) => void,
): Promise<Service> {
  // Others may use the project, under the same name: then it must be this process's own.
  const isShared = kind === 'google-cloud';
  const configured = config.instanceId ?? (isShared ? undefined : 'local');
  const instanceId = await resolveInstanceId({ configured, metadataUrl: undefined, hostName: hostname() });
  const topics = createTopics(config.bus.prefix);
  const driver = createBus(config, logger);
  const isUnread = (): boolean =>
    config.bus.holdIngress && isTopicKeeper(driver) && driver.subscriptionsOf(topics.ingress) === 'none';
  const bus = watchBus(driver, createNarrator(topics, topics.egress(instanceId), isUnread, print));
  const server = new IngressEgressServer({
    config,
    connectors,
    bus,
    instanceId,
    isTemporaryInstance: configured === undefined,
    clock: systemClock,
    logger,
    random: Math.random,
    store: createMemoryStore(),
  });
  // The first publish to a topic that is missing would be reported as failing.
  if (kind === 'local' && isTopicKeeper(driver)) {
    const { deadLetter, ingress, outcome, status } = topics;
    await Promise.all([ingress, outcome, status, deadLetter].map((topic) => driver.inspectTopic(topic)));
  }
  return { server, troubles: async () => [...(await busTrouble(bus)), ...(await connectorTroubles(server))] };
}

async function busTrouble(bus: ReturnType<typeof createBus>): Promise<string[]> {
  return bus.checkHealth(BUS_CHECK_MS).then(
    () => [],
    (error: unknown) => [
      `the bus does not answer yet, and is tried again: ${error instanceof Error ? error.message : String(error)}`,
    ],
  );
}

async function connectorTroubles({ manager }: IngressEgressServer): Promise<string[]> {
  const end = performance.now() + CONNECT_MS;
  const away = (): string[] =>
    Object.entries(manager.getStates()).flatMap(([name, { status }]) =>
      status === 'connected' ? [] : [`${name} is ${status}`],
    );
  while (away().length > 0 && performance.now() < end) await sleep(LOOK_EVERY_MS);
  return away();
}

async function onPort<T>(port: number, ways: string, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const trouble = portTrouble(error, port, ways);
    throw trouble === undefined ? error : new Error(trouble, { cause: error });
  }
}
