import { randomBytes } from 'node:crypto';
import { access, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCodeOf } from './file-errors.js';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.js';
import { StateStoreError } from './state-store.js';

/** How often a lock shows that its owner is alive, and when one that does not is stale; in milliseconds. */
export const LOCK_TIMES = { touchEveryMs: 5000, staleAfterMs: 30_000 } as const;

/** The right to write a file. */
export interface FileLock {
  /** @throws StateStoreError `LOCKED` when the lock was taken from us */
  verify(): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes the lock on `path`: a file of its own beside it, `{path}.lock.{host}.{pid}.{start}.{random}`. Locks of processes
 * that have ended are cleared away.
 *
 * As each lock has a name of its own, clearing one away can never hit another. Of two processes that try at the same
 * moment at most one succeeds; it may be that none does.
 * @throws StateStoreError `LOCKED`
 */
export async function acquireFileLock(path: string): Promise<FileLock> {
  const own = await ownIdentity();
  const name = `${lockPrefix(path)}${encodeURIComponent(own.host)}.${own.pid}.${own.start}.${randomBytes(6).toString('hex')}`;
  const lockPath = join(dirname(path), name);
  await (await open(lockPath, 'wx', 0o600)).close();
  try {
    await refuseIfHeld(path, name);
  } catch (error) {
    await rm(lockPath, { force: true });
    throw error;
  }
  const timer = setInterval(() => {
    const now = new Date();
    // A lock that is gone is noticed by `verify`, which has somebody to tell.
    utimes(lockPath, now, now).catch(() => undefined);
  }, LOCK_TIMES.touchEveryMs);
  timer.unref();
  return {
    verify: async () => {
      try {
        await access(lockPath);
      } catch (error) {
        if (systemCodeOf(error) !== 'ENOENT') throw error;
        clearInterval(timer);
        throw new StateStoreError(
          'LOCKED',
          `state file "${path}": the lock of this process was cleared away while in use; see that one process only uses the file`,
        );
      }
    },
    release: async () => {
      clearInterval(timer);
      await rm(lockPath, { force: true });
    },
  };
}

async function refuseIfHeld(path: string, ownName: string): Promise<void> {
  const prefix = lockPrefix(path);
  for (const name of await readdir(dirname(path))) {
    if (name === ownName || !name.startsWith(prefix)) continue;
    const lockPath = join(dirname(path), name);
    const owner = parseOwner(name.slice(prefix.length));
    if (await isHeld(lockPath, owner)) {
      const who = owner === undefined ? 'another process' : `process ${owner.pid} on host "${owner.host}"`;
      throw new StateStoreError(
        'LOCKED',
        `state file "${path}" is used by ${who}. Stop that one first or give this one a file of its own; if it no longer runs, delete "${lockPath}"`,
      );
    }
    await rm(lockPath, { force: true });
  }
}

async function isHeld(lockPath: string, owner: ProcessIdentity | undefined): Promise<boolean> {
  const running = owner === undefined ? undefined : await isRunning(owner);
  if (running !== undefined) return running;
  try {
    return Date.now() - (await stat(lockPath)).mtimeMs < LOCK_TIMES.staleAfterMs;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

const lockPrefix = (path: string): string => `${basename(path)}.lock.`;

function parseOwner(text: string): ProcessIdentity | undefined {
  const match = /^(?<host>.+)\.(?<pid>\d+)\.(?<start>[\w-]+)\.[0-9a-f]+$/.exec(text)?.groups;
  if (match?.['host'] === undefined || match['start'] === undefined) return undefined;
  try {
    return { host: decodeURIComponent(match['host']), pid: Number(match['pid']), start: match['start'] };
  } catch {
    return undefined;
  }
}
