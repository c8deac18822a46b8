import { messageOf } from '@bitbrat/foundation';
import { BusError } from '../message-bus.js';

/** Status codes of gRPC (grpc/grpc, doc/statuscodes.md). */
export const GRPC = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** The gRPC status code of an error; undefined where it is of another kind, such as missing credentials. */
export function grpcCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

/**
 * What a failed request means. `transient`: the same request may succeed later. `forbidden` and `unready`: it may once
 * somebody has granted a right or mended what it relies on, such as the topic's key. `invalid`: it never will.
 */
export type PubSubFault =
  | { readonly kind: 'transient' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'forbidden' | 'unready' | 'invalid'; readonly error: BusError };

/**
 * One table for all requests. What is not known to be final is transient: a message that is kept too long can still
 * be saved, one that is given up cannot.
 */
export function classifyFault(error: unknown, doing: string): PubSubFault {
  const text = `${doing}: ${messageOf(error)}`;
  switch (grpcCodeOf(error)) {
    case GRPC.NOT_FOUND:
      return { kind: 'missing' };
    case GRPC.PERMISSION_DENIED:
      return {
        kind: 'forbidden',
        error: new BusError('FORBIDDEN', `${text} (grant the service account the Pub/Sub role it lacks)`, {
          cause: error,
        }),
      };
    case GRPC.FAILED_PRECONDITION:
    case GRPC.UNIMPLEMENTED:
      return { kind: 'unready', error: new BusError('UNAVAILABLE', text, { cause: error }) };
    case GRPC.INVALID_ARGUMENT:
    case GRPC.OUT_OF_RANGE:
      return { kind: 'invalid', error: new BusError('INVALID_MESSAGE', text, { cause: error }) };
    default:
      return { kind: 'transient' };
  }
}

/** Refusals that speak of the network, the load or the account, never of a message. */
const NEVER_THE_MESSAGE: ReadonlySet<number | undefined> = new Set([
  GRPC.CANCELLED,
  GRPC.DEADLINE_EXCEEDED,
  GRPC.NOT_FOUND,
  GRPC.PERMISSION_DENIED,
  GRPC.RESOURCE_EXHAUSTED,
  GRPC.ABORTED,
  GRPC.UNAVAILABLE,
  GRPC.UNAUTHENTICATED,
]);

/** Refusals that usually speak of the message. */
const USUALLY_THE_MESSAGE: ReadonlySet<number | undefined> = new Set([
  GRPC.INVALID_ARGUMENT,
  GRPC.FAILED_PRECONDITION,
  GRPC.OUT_OF_RANGE,
]);

/** A code that may mean anything proves something by repetition only: this often, with growing pauses up to 2 s. */
const VAGUE_PROOFS = 20;

/**
 * How often a message must be refused alone, while its topic takes others, before it is taken to be at fault.
 * undefined: such a refusal is never about a message.
 */
export function proofsOfFault(error: unknown): number | undefined {
  const code = grpcCodeOf(error);
  if (NEVER_THE_MESSAGE.has(code)) return undefined;
  return USUALLY_THE_MESSAGE.has(code) ? 1 : VAGUE_PROOFS;
}
