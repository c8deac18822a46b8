import { type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';

const LEAST_MB = 512;
/** The emulator keeps what was acknowledged: about 3 KiB for a message with its answer, and its collector needs some air. */
const MB_PER_THOUSAND = 5;

/** An emulator with memory for a run in which people write so many messages. */
export function startEmulatedBus(messages: number): Promise<PubSubEmulator> {
  const heapMb = Math.ceil(LEAST_MB + (messages / 1_000) * MB_PER_THOUSAND);
  return startPubSubEmulator({ environment: process.env, heapMb });
}
