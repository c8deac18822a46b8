import { messageOf } from '@bitbrat/foundation';
import { StateStoreError } from '../state-store.js';

/** The code of a failed system call, such as `ENOENT`; undefined for errors of another kind. */
export function systemCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * One table for all that a file system refuses. A full disk is not final: somebody makes room.
 * @param path the state file
 */
export function toFileError(error: unknown, path: string): StateStoreError {
  if (error instanceof StateStoreError) return error;
  const text = `state file "${path}": ${messageOf(error)}`;
  switch (systemCodeOf(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StateStoreError(
        'FORBIDDEN',
        `${text} (the service must be allowed to read and write the file and its folder)`,
        { cause: error },
      );
    case 'EISDIR':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
    case 'EEXIST':
    case 'ELOOP':
      return new StateStoreError('INVALID_CONFIG', `${text} (the path must name a file in a folder)`, {
        cause: error,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new StateStoreError(
        'UNAVAILABLE',
        `${text} (make room on the disk; the store goes on by itself)`,
        {
          cause: error,
        },
      );
    default:
      return new StateStoreError('UNAVAILABLE', `${text} (check the disk and its mount)`, { cause: error });
  }
}
