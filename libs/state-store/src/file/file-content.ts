import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCodeOf } from './file-errors.js';
import { StateStoreError } from '../state-store.js';

/** Longest state file that is read, in bytes: far above what some thousand keys need. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Makes the folder and its parents. Not by Node's recursive mkdir, which never ends in file systems that answer "missing" for
 * a name below an existing folder, such as /proc.
 * @throws the file system's error
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  try {
    await mkdir(path);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST' || !(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * The content of the state file; undefined where there is none. Pipes and devices are refused before anything is read: they
 * would block a thread, or have no end.
 * @throws StateStoreError `INVALID_CONFIG`, else the file system's error
 */
export async function readState(path: string): Promise<string | undefined> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0)); // not on Windows
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) {
      throw new StateStoreError(
        'INVALID_CONFIG',
        `state file "${path}": it is not an ordinary file (the path must name a file in a folder)`,
      );
    }
    if (found.size > MAX_BYTES) {
      throw new StateStoreError(
        'CORRUPT',
        `state file "${path}" cannot be read: it has ${found.size} bytes, ${MAX_BYTES} are allowed`,
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

const asidePrefix = (path: string): string => `${basename(path)}.corrupt-`;

/** Renames a file that cannot be read, so that nothing overwrites it. Resolves with the new path. @throws the file system's error */
export async function setAside(path: string, now: number): Promise<string> {
  const aside = join(
    dirname(path),
    `${asidePrefix(path)}${new Date(now).toISOString().replaceAll(':', '-')}`,
  );
  await rename(path, aside);
  return aside;
}

/** A file that was set aside and is still there. @throws the file system's error */
export async function findAside(path: string): Promise<string | undefined> {
  const names = await readdir(dirname(path));
  const name = names.find((each) => each.startsWith(asidePrefix(path)));
  return name === undefined ? undefined : join(dirname(path), name);
}

/** What a file that was set aside means, and what to do. */
export function asideError(path: string, aside: string): StateStoreError {
  return new StateStoreError(
    'CORRUPT',
    `state file "${path}" could not be read and was set aside as "${aside}". The service goes on and has forgotten what was in it: ` +
      'messages since the last position may be published again or be missed, and an answer that was in flight at the last end may be sent twice. ' +
      `Stop the service and put a good copy at "${path}", or delete "${aside}" to accept that`,
  );
}
