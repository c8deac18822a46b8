import { createHash } from 'node:crypto';

/** Each ordering key is an RPC of its own to Pub/Sub: a key per channel costs ten times the CPU of 64. */
export const ORDERING_BUCKETS = 64;

/**
 * The ordering key of a channel: `b00` to `b63`.
 *
 * All messages of one channel share a key, so the bus keeps their order; a key is shared by many channels.
 */
export function orderingKeyOf(connector: string, channelId: string): string {
  const digest = createHash('sha1').update(`${connector}\n${channelId}`).digest();
  return `b${String(digest.readUInt32BE(0) % ORDERING_BUCKETS).padStart(2, '0')}`;
}
