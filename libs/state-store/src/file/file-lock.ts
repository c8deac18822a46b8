import { randomBytes } from 'node:crypto';
import { access, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCodeOf } from './file-errors.js';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.js';
import { StateStoreError } from '../state-store.js';

/** How often a lock shows that its owner is alive, and when one that does not is stale; in milliseconds. */
export const LOCK_TIMES = { touchEveryMs: 5000, staleAfterMs: 30_000 } as const;

/** Begins the random part of our locks: tells a lock that we have left from one of another thread or copy of this module. */
const RUN = randomBytes(6).toString('hex');

/** Names of the locks that are held here. Of the process and not of a store: one store finds what another has left. */
const held = new Set<string>();

/** The right to write a file. */
export interface FileLock {
  /** Whether it is where it was put; if not it was taken from us, or its folder is away. @throws the file system's error */
  stands(): Promise<boolean>;
  /** Also of a lock that is not where it was put. @throws the file system's error */
  release(): Promise<void>;
}

/**
 * Takes the lock on `path`: a file of its own beside it, `{path}.lock.{host}.{pid}.{start}.{random}`. Cleared away are locks
 * of processes that have ended, and of stores here that were closed while their folder was away.
 *
 * As each lock has a name of its own, clearing one away can never hit another. Of two processes that try at the same
 * moment at most one succeeds; it may be that none does.
 * @throws StateStoreError `LOCKED`
 */
export async function acquireFileLock(path: string): Promise<FileLock> {
  const own = await ownIdentity();
  const name = `${lockPrefix(path)}${encodeURIComponent(own.host)}.${own.pid}.${own.start}.${RUN}${randomBytes(6).toString('hex')}`;
  const lockPath = join(dirname(path), name);
  held.add(name);
  try {
    await (await open(lockPath, 'wx', 0o600)).close();
    await refuseIfHeld(path, name);
  } catch (error) {
    held.delete(name);
    await rm(lockPath, { force: true });
    throw error;
  }
  const timer = setInterval(() => {
    const now = new Date();
    // A lock that is gone is noticed by `stands`, which has somebody to tell.
    utimes(lockPath, now, now).catch(() => undefined);
  }, LOCK_TIMES.touchEveryMs);
  timer.unref();
  return {
    stands: async () => {
      try {
        await access(lockPath);
        return true;
      } catch (error) {
        if (systemCodeOf(error) !== 'ENOENT') throw error;
        return false;
      }
    },
    release: async () => {
      clearInterval(timer);
      held.delete(name);
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
    if (!isLeftByUs(name) && (await isHeld(lockPath, owner))) {
      const who = owner === undefined ? 'another process' : `process ${owner.pid} on host "${owner.host}"`;
      throw new StateStoreError(
        'LOCKED',
        `state file "${path}" is used by ${who}. Stop that one first or give this one a file of its own; if it no longer runs, delete "${lockPath}"`,
      );
    }
    await rm(lockPath, { force: true });
  }
}

function isLeftByUs(name: string): boolean {
  return name.slice(name.lastIndexOf('.') + 1).startsWith(RUN) && !held.has(name);
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
