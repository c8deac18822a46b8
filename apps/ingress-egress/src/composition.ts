import {
  type ConnectorFactory,
  type ConnectorRegistration,
  type Environment,
} from '@bitbrat/connectors-core';
import { createTwilioConnector, twilioConfigSchema } from '@bitbrat/connectors-twilio';
import { createMemoryBus, createPubSubBus, type MessageBus } from '@bitbrat/message-bus';
import { type Logger } from '@bitbrat/connectors-core';
import { ConfigReader, type ServiceConfig, serviceConfigSchema } from './config.js';

/** All that the environment says, parsed. */
export interface Settings {
  readonly service: ServiceConfig;
  /** The enabled connectors. */
  readonly connectors: readonly ConnectorRegistration[];
}

/** One row a platform: its name, and how its part of the environment becomes a connector. */
const PLATFORMS: readonly {
  readonly name: string;
  read(reader: ConfigReader): ConnectorFactory | undefined;
}[] = [
  {
    name: 'twilio',
    read: (reader) => {
      const config = reader.read(twilioConfigSchema);
      return config?.enabled === true ? createTwilioConnector(config) : undefined;
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

export function createBus({ bus }: ServiceConfig, logger: Logger): MessageBus {
  switch (bus.driver) {
    case 'memory':
      return createMemoryBus({ logger });
    case 'pubsub':
      return createPubSubBus({
        projectId: bus.projectId ?? '',
        emulatorHost: bus.emulatorHost,
        createMissing: bus.createMissing,
        maxInFlight: bus.maxInFlight,
        logger,
      });
    default:
      return bus.driver satisfies never;
  }
}
