import { type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { type LocalBusServer, startLocalBus } from '@bitbrat/message-bus/local-bus';

/** Which server plays Pub/Sub. */
export type BusKind = 'pubsub' | 'local';

/** A server of Pub/Sub's API that a run can kill. It holds all in memory. */
export type CampaignBus = Pick<PubSubEmulator, 'host' | 'projectId' | 'kill' | 'restart' | 'stop'>;

const LEAST_MB = 512;
/** The emulator keeps what was acknowledged: about 3 KiB for a message with its answer, and its collector needs some air. */
const MB_PER_THOUSAND = 5;

/** A bus for a run in which people write so many messages. */
export async function startBus(kind: BusKind, messages: number): Promise<CampaignBus> {
  return kind === 'local' ? startLocal() : startEmulatedBus(messages);
}

/** An emulator with memory for so many messages. */
export function startEmulatedBus(messages: number): Promise<PubSubEmulator> {
  const heapMb = Math.ceil(LEAST_MB + (messages / 1_000) * MB_PER_THOUSAND);
  return startPubSubEmulator({ environment: process.env, heapMb });
}

async function startLocal(): Promise<CampaignBus> {
  let server: LocalBusServer | undefined = await startLocalBus();
  const { address, port } = server;
  const close = async (): Promise<void> => {
    await server?.close();
    server = undefined;
  };
  return {
    host: address,
    projectId: 'campaign',
    kill: close,
    restart: async () => {
      server = await startLocalBus({ port });
    },
    stop: close,
  };
}
