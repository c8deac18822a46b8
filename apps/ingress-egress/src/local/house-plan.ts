import { type Environment } from '@bitbrat/connectors-core';
import { DEFAULT_BUS_PORT, toPort } from '../local-bus/port.js';

/** The project of the local bus and of an emulator that is given without one. */
export const LOCAL_PROJECT = 'local';

/** The bus that gateway and bots meet on. */
export type HouseBus =
  | { readonly kind: 'local'; readonly port: number }
  | { readonly kind: 'memory' }
  | { readonly kind: 'emulator'; readonly host: string; readonly projectId: string }
  | { readonly kind: 'google-cloud'; readonly projectId: string };

/** What `npm start` runs. */
export interface HousePlan {
  readonly bus: HouseBus;
  readonly servicePort: number;
  readonly sandboxPort: number;
  /** The service's settings, those of its platforms and of the local bus excepted. */
  readonly settings: Readonly<Record<string, string>>;
  /** Settings that have no effect here, and why. */
  readonly notes: readonly string[];
}

/** Settings of the service that hold here, too. Platforms are the sandbox's, and the state is forgotten with them. */
const SERVICE_SETTINGS = [
  'LOG_LEVEL',
  'DEBUG_TOKEN',
  'MESSAGE_BUS_DRIVER',
  'BUS_PREFIX',
  'BUS_MAX_IN_FLIGHT',
  'GOOGLE_CLOUD_PROJECT',
  'PUBSUB_EMULATOR_HOST',
  'PUBSUB_CREATE_MISSING',
  'INGRESS_WITHOUT_SUBSCRIBER',
  'EGRESS_INSTANCE_ID',
  'EGRESS_MAX_ATTEMPTS',
  'EGRESS_GIVE_UP_AFTER_SECONDS',
  'ECHO_BOT_ENABLED',
] as const;

/**
 * Reads what is to run from the environment. Pure. The local bus is the default; the service's own bus settings win.
 * @throws Error that names a variable that is no port
 */
export function planHouse(environment: Environment, noEcho: boolean): HousePlan {
  const given = new Map(
    SERVICE_SETTINGS.flatMap((name): [string, string][] => {
      const value = environment[name]?.trim() ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
  const servicePort = toPort('PORT', environment['PORT'], 3_000);
  const bus = toBus(given, environment['BUS_PORT']);
  const settings: Record<string, string> = {
    LOG_LEVEL: 'warn',
    ECHO_BOT_ENABLED: 'true',
    ...Object.fromEntries(given),
    ...(noEcho ? { ECHO_BOT_ENABLED: 'false' } : {}),
    ...(bus.kind === 'emulator' ? { GOOGLE_CLOUD_PROJECT: bus.projectId } : {}),
    HOST: '127.0.0.1',
    PORT: String(servicePort),
  };
  return {
    bus,
    servicePort,
    sandboxPort: toPort('SANDBOX_PORT', environment['SANDBOX_PORT'], 4_010),
    settings,
    notes: bus.kind === 'local' ? unused(given, bus.port) : [],
  };
}

/** The settings by which the service, or a bot, finds the bus. */
export function busSettings(bus: HouseBus, address: string | undefined): Record<string, string> {
  switch (bus.kind) {
    case 'local':
      return { PUBSUB_EMULATOR_HOST: address ?? '', GOOGLE_CLOUD_PROJECT: LOCAL_PROJECT };
    case 'emulator':
      return { PUBSUB_EMULATOR_HOST: bus.host, GOOGLE_CLOUD_PROJECT: bus.projectId };
    case 'google-cloud':
      return { GOOGLE_CLOUD_PROJECT: bus.projectId };
    case 'memory':
      return {};
    default:
      return bus satisfies never;
  }
}

function toBus(given: ReadonlyMap<string, string>, busPort: string | undefined): HouseBus {
  const driver = given.get('MESSAGE_BUS_DRIVER');
  if (driver === 'memory') return { kind: 'memory' };
  const host = given.get('PUBSUB_EMULATOR_HOST');
  const projectId = given.get('GOOGLE_CLOUD_PROJECT');
  if (driver === 'pubsub' && host !== undefined) {
    return { kind: 'emulator', host, projectId: projectId ?? LOCAL_PROJECT };
  }
  if (driver === 'pubsub' && projectId !== undefined) return { kind: 'google-cloud', projectId };
  return { kind: 'local', port: toPort('BUS_PORT', busPort, DEFAULT_BUS_PORT, 0) };
}

/** What is set for another bus than the local one. */
function unused(given: ReadonlyMap<string, string>, port: number): string[] {
  const hint = 'set MESSAGE_BUS_DRIVER=pubsub to use it';
  const host = given.get('PUBSUB_EMULATOR_HOST');
  const isOwn = host === undefined || new RegExp(`^(?:127\\.0\\.0\\.1|localhost):${port}$`).test(host);
  const projectId = given.get('GOOGLE_CLOUD_PROJECT');
  return [
    ...(isOwn ? [] : [`PUBSUB_EMULATOR_HOST=${host} is not used: ${hint}`]),
    ...(projectId === undefined || projectId === LOCAL_PROJECT
      ? []
      : [
          `GOOGLE_CLOUD_PROJECT=${projectId} is not used: ${hint}; bots on the local bus need GOOGLE_CLOUD_PROJECT=${LOCAL_PROJECT}`,
        ]),
  ];
}
