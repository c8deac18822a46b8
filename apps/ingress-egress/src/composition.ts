import {
  type ConnectorFactory,
  type ConnectorRegistration,
  type Environment,
} from '@bitbrat/connectors-core';
import { createDiscordConnector, discordConfigSchema } from '@bitbrat/connectors-discord';
import { createTwilioConnector, twilioConfigSchema } from '@bitbrat/connectors-twilio';
import { createTwitchConnector, twitchConfigSchema } from '@bitbrat/connectors-twitch';
import { type Logger } from '@bitbrat/foundation';
import { createMemoryBus, createPubSubBus, type MessageBus } from '@bitbrat/message-bus';
import { createFileStore, createFirestoreStore, type StateStore } from '@bitbrat/state-store';
import { ConfigReader, type ServiceConfig, serviceConfigSchema } from './config.js';

/** All that the environment says, parsed. */
export interface Settings {
  readonly service: ServiceConfig;
  /** The enabled connectors. */
  readonly connectors: readonly ConnectorRegistration[];
}

interface Platform {
  readonly name: string;
  /** The connector that its part of the environment asks for; undefined where it is disabled or has faults. */
  readonly read: (reader: ConfigReader) => ConnectorFactory | undefined;
}

/** One row a platform. */
const PLATFORMS: readonly Platform[] = [
  {
    name: 'twilio',
    read: (reader) => {
      const settings = reader.read(twilioConfigSchema);
      return settings?.enabled === true ? createTwilioConnector(settings) : undefined;
    },
  },
  {
    name: 'twitch',
    read: (reader) => {
      const settings = reader.read(twitchConfigSchema);
      return settings?.enabled === true ? createTwitchConnector(settings) : undefined;
    },
  },
  {
    name: 'discord',
    read: (reader) => {
      const settings = reader.read(discordConfigSchema);
      return settings?.enabled === true ? createDiscordConnector(settings) : undefined;
    },
  },
];

/** @throws ConfigError that names every fault of the service's and of each enabled connector's settings */
export function readSettings(environment: Environment): Settings {
  const reader = new ConfigReader(environment);
  const service = reader.read(serviceConfigSchema);
  const connectors = PLATFORMS.flatMap(({ name, read }) => {
    const create = read(reader);
    return create === undefined ? [] : [{ name, create }];
  });
  reader.check();
  if (service === undefined) throw new Error('unreachable: a missing config has faults');
  return { service, connectors };
}

/** The bus that the settings name. */
export function createBus({ bus, projectId }: ServiceConfig, logger: Logger): MessageBus {
  switch (bus.driver) {
    case 'memory':
      return createMemoryBus({ logger });
    case 'pubsub':
      return createPubSubBus({
        projectId,
        ...(bus.emulatorHost === undefined ? {} : { emulatorHost: bus.emulatorHost }),
        createMissing: bus.createMissing,
        maxInFlight: bus.maxInFlight,
        logger,
      });
    default:
      return bus.driver satisfies never;
  }
}

/**
 * The store that the settings name. Nothing is opened before it is first used.
 * @param whenCorrupt what becomes of a state file that cannot be read
 */
export function createStateStore(
  { projectId, state }: ServiceConfig,
  logger: Logger,
  whenCorrupt: 'refuse' | 'set-aside' = 'set-aside',
): StateStore {
  switch (state.driver) {
    case 'file':
      return createFileStore({ path: state.file, whenCorrupt, logger });
    case 'firestore':
      return createFirestoreStore({
        projectId,
        collection: state.collection,
        ...(state.emulatorHost === undefined ? {} : { emulatorHost: state.emulatorHost }),
        logger,
      });
    default:
      return state.driver satisfies never;
  }
}
