import { z } from 'zod';

/**
 * Pub/Sub allows letters, digits and `-._~+%` in a topic name, 3 to 255 characters, first a letter, not `goog`.
 * The prefix and the instance id are kept short so that the whole stays inside.
 */
export const busPrefixSchema = z
  .string()
  .regex(/^$|^(?!goog)[A-Za-z][A-Za-z0-9._-]{0,63}$/, 'expected letters, digits, ".", "_", "-"; 64 at most');

export const instanceIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,128}$/, 'expected letters, digits, ".", "_", "-"; 128 at most');

/** Full names, prefix included, of the topics that the gateway uses. */
export interface Topics {
  /** Every message from a platform. */
  readonly ingress: string;
  /** What became of egress events. */
  readonly outcome: string;
  /** How the connectors are. */
  readonly status: string;
  /** What could not be delivered or read. */
  readonly deadLetter: string;
  /** What the instance with this id shall send. */
  egress(instanceId: string): string;
}

/** @param prefix `BUS_PREFIX`, put in front as it is; `''` for none. */
export function createTopics(prefix = ''): Topics {
  return {
    ingress: `${prefix}internal.ingress.v1`,
    outcome: `${prefix}internal.egress.outcome.v1`,
    status: `${prefix}internal.connector.status.v1`,
    deadLetter: `${prefix}internal.deadletter.v1`,
    egress: (instanceId) => `${prefix}internal.egress.v1.${instanceId}`,
  };
}
