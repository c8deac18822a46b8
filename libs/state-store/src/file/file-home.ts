import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from './file-errors.js';
import { StateStoreError } from '../state-store.js';

/**
 * Where a state file stood when it was opened. The folder itself and not its name alone, which a mount point or another
 * folder bears while ours is away.
 */
export class FileHome {
  /** Whether the file has been read or written: before that it may be missing. */
  hasFile = false;

  private constructor(
    /** Of the state file, with symbolic links resolved: a rename would replace a link, not what it points to. */
    readonly path: string,
    private readonly folder: string,
  ) {}

  /** @throws the file system's error */
  static async of(path: string): Promise<FileHome> {
    const folder = await identityOf(dirname(path));
    if (folder === undefined) throw away(path, 'its folder is missing');
    return new FileHome(path, folder);
  }

  /**
   * Passes a folder that is the one of the opening, with the file in it if there was one.
   * @throws StateStoreError `UNAVAILABLE`, else the file system's error
   */
  async assertThere(): Promise<void> {
    const folder = await identityOf(dirname(this.path));
    if (folder === undefined) throw away(this.path, 'its folder is missing');
    if (folder !== this.folder) throw away(this.path, 'its folder is another one than before');
    if (this.hasFile && (await identityOf(this.path)) === undefined) throw this.missingFile();
  }

  /** What is wrong where the file is missing that was there. */
  missingFile(): StateStoreError {
    return away(this.path, 'it is missing');
  }
}

function away(path: string, reason: string): StateStoreError {
  return new StateStoreError(
    'UNAVAILABLE',
    `state file "${path}": ${reason}. Put back what was there (is the volume mounted?) and the store goes on by itself; a restart of the service begins with what it finds`,
  );
}

/** Device and inode; undefined where there is no such thing. */
async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
