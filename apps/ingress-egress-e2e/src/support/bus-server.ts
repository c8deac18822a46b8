import { describeWithPubSubEmulator, type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { startLocalBus } from '@bitbrat/message-bus/local-bus';

/** A server of Pub/Sub's API beside the service: the local bus, or Google's emulator. */
export type BusServer = Pick<PubSubEmulator, 'host' | 'projectId' | 'stop'>;

/**
 * The buses that each flow runs on: within the service, the local bus, Google's emulator. A suite that only needs some Pub/Sub
 * takes `local`, which needs no Java and starts within milliseconds.
 */
export const BUSES = ['memory', 'local', 'pubsub'] as const;

export type BusName = (typeof BUSES)[number];

/** Resolves with undefined for the bus that the service brings itself. */
export async function startBusServer(bus: BusName): Promise<BusServer | undefined> {
  switch (bus) {
    case 'memory':
      return undefined;
    case 'local': {
      const server = await startLocalBus();
      return { host: server.address, projectId: 'local', stop: () => server.close() };
    }
    case 'pubsub':
      return startPubSubEmulator({ environment: process.env });
    default:
      return bus satisfies never;
  }
}

/** Registers a suite; where it needs an emulator that is missing, `describeWithPubSubEmulator` says what becomes of it. */
export function describeOnBus(bus: BusName, name: string, body: () => void): void {
  if (bus === 'pubsub') describeWithPubSubEmulator(name, process.env, body);
  else describe(name, body);
}
