import { messageOf } from '@bitbrat/foundation';
import { StateStoreError } from '../state-store.js';

/** Status codes of gRPC (grpc/grpc, doc/statuscodes.md). */
const GRPC = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
} as const;

function grpcCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

/** Whether a conditional write was refused because the document is not as it was read. */
export function isConflict(error: unknown): boolean {
  const code = grpcCodeOf(error);
  return code === GRPC.ALREADY_EXISTS || code === GRPC.FAILED_PRECONDITION || code === GRPC.NOT_FOUND;
}

/**
 * One table for all requests: the error to reject with, or undefined where the same request may succeed later. What is
 * not known to be final is not.
 */
export function finalFault(error: unknown, doing: string): StateStoreError | undefined {
  if (error instanceof StateStoreError) return error;
  const text = `${doing}: ${messageOf(error)}`;
  switch (grpcCodeOf(error)) {
    case GRPC.PERMISSION_DENIED:
      return new StateStoreError(
        'FORBIDDEN',
        `${text} (grant the service account the role roles/datastore.user)`,
        { cause: error },
      );
    case GRPC.NOT_FOUND:
      return new StateStoreError(
        'INVALID_CONFIG',
        `${text} (make the Firestore database, or correct its name)`,
        {
          cause: error,
        },
      );
    case GRPC.FAILED_PRECONDITION:
      return new StateStoreError('INVALID_CONFIG', `${text} (the database must be in native mode)`, {
        cause: error,
      });
    case GRPC.INVALID_ARGUMENT:
    case GRPC.UNIMPLEMENTED:
      return new StateStoreError('INVALID_CONFIG', `${text} (check project id, database id and collection)`, {
        cause: error,
      });
    default:
      return undefined;
  }
}
