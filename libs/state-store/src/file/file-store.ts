import { realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  type Clock,
  keepAliveClock,
  type Logger,
  silentLogger,
  sleep,
  withTimeout,
} from '@bitbrat/foundation';
import { assertWritable, writeFileAtomically } from './atomic-write.js';
import { CallGate } from '../call-gate.js';
import { asideError, findAside, makeFolder, readState, setAside } from './file-content.js';
import { systemCodeOf, toFileError } from './file-errors.js';
import { decodeEntries, encodeEntries } from './file-format.js';
import { FileHome } from './file-home.js';
import { acquireFileLock, type FileLock } from './file-lock.js';
import { applyChange, assertChange, type StateChange } from '../state-change.js';
import { assertKey } from '../state-limits.js';
import { StateStoreError, type StateStore } from '../state-store.js';

/** Settings of the file store. */
export interface FileStoreOptions {
  /** The state file, on a disk of this machine. It and its folder are made when they are missing at the first call. */
  readonly path: string;
  /** How long a write waits for others to share its trip to the disk, in milliseconds. Default 0. */
  readonly flushMs?: number;
  /**
   * What becomes of a file that cannot be read: `refuse` (default) leaves it and rejects each call; `set-aside` renames it and
   * begins with nothing remembered, and `checkHealth` reports `CORRUPT` until the renamed file is removed.
   */
  readonly whenCorrupt?: 'refuse' | 'set-aside';
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * A store in one JSON file that is read once and written whole: for one process and some thousand keys.
 *
 * Writes that come while one is on its way to the disk share the next. The file is opened and locked at the first call,
 * `checkHealth` included; a call that could not open it rejects, and the next one tries again. From then on a folder or a
 * file that is missing is away and not empty: writes reject with `UNAVAILABLE` until it is back.
 */
export function createFileStore(options: FileStoreOptions): StateStore {
  return new FileStore(options);
}

interface OpenFile {
  readonly home: FileHome;
  readonly lock: FileLock;
  /** The lock was taken from us: others may have written. */
  isLost: boolean;
  /** What is on the disk. */
  entries: ReadonlyMap<string, string>;
}

interface PendingChange {
  readonly change: StateChange;
  readonly resolve: (accepted: boolean) => void;
  readonly reject: (error: StateStoreError) => void;
}

class FileStore implements StateStore {
  private readonly path: string;
  private readonly flushMs: number;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly whenCorrupt: 'refuse' | 'set-aside';
  private readonly gate: CallGate;
  private opening: Promise<OpenFile> | undefined;
  /** Known once the file has been opened. */
  private home: FileHome | undefined;
  private pending: PendingChange[] = [];
  private writing: Promise<void> | undefined;
  private releasing: Promise<void> | undefined;

  constructor(options: FileStoreOptions) {
    if (options.path === '')
      throw new StateStoreError('INVALID_CONFIG', 'the path of the state file is empty');
    this.path = resolve(options.path);
    this.flushMs = options.flushMs ?? 0;
    this.clock = options.clock ?? keepAliveClock;
    this.logger = options.logger ?? silentLogger;
    this.whenCorrupt = options.whenCorrupt ?? 'refuse';
    this.gate = new CallGate(this.clock);
  }

  get(key: string): Promise<string | undefined> {
    return this.gate.run(async () => {
      assertKey(key);
      return (await this.file()).entries.get(key);
    });
  }

  async set(key: string, value: string): Promise<void> {
    await this.change({ kind: 'set', key, value });
  }

  async delete(key: string): Promise<void> {
    await this.change({ kind: 'delete', key });
  }

  compareAndSet(key: string, expected: string | undefined, value: string): Promise<boolean> {
    return this.change({ kind: 'compareAndSet', key, expected, value });
  }

  checkHealth(timeoutMs: number): Promise<void> {
    return this.gate.run(() =>
      withTimeout(
        this.clock,
        this.checkFile(),
        timeoutMs,
        () =>
          new StateStoreError('UNAVAILABLE', `state file "${this.path}": no answer within ${timeoutMs} ms`),
      ),
    );
  }

  async close(timeoutMs: number): Promise<void> {
    await this.gate.close(timeoutMs);
    this.releasing ??= this.release().catch((error: unknown) => {
      throw toFileError(error, this.path);
    });
    // A write that hangs keeps the lock: nobody else may open the file before it has ended.
    if (this.gate.signal.aborted) this.releasing.catch(() => undefined);
    else await this.releasing;
  }

  private change(change: StateChange): Promise<boolean> {
    return this.gate.run(
      () =>
        new Promise<boolean>((resolve, reject) => {
          assertChange(change);
          this.pending.push({ change, resolve, reject });
          this.writing ??= this.writePending();
        }),
    );
  }

  private async writePending(): Promise<void> {
    while (this.pending.length > 0) {
      if (this.flushMs > 0) await sleep(this.clock, this.flushMs, this.gate.signal);
      const batch = this.pending;
      this.pending = [];
      if (!this.gate.signal.aborted) await this.writeBatch(batch);
    }
    this.writing = undefined;
  }

  private async writeBatch(batch: readonly PendingChange[]): Promise<void> {
    try {
      const file = await this.file();
      const next = new Map(file.entries);
      const results = batch.map(({ change }) => applyChange(next, change));
      if (results.some((result) => result.changed)) {
        await this.verifyLock(file);
        await writeFileAtomically(file.home.path, encodeEntries(next));
        file.entries = next;
        file.home.hasFile = true;
      }
      batch.forEach(({ resolve }, index) => resolve(results[index]?.accepted === true));
    } catch (error) {
      const fault = toFileError(error, this.path);
      for (const { reject } of batch) reject(fault);
    }
  }

  private async checkFile(): Promise<void> {
    try {
      const file = await this.file();
      await this.verifyLock(file);
      // Not the rights alone: a disk that is full or failing shows only when something is written.
      await assertWritable(file.home.path, encodeEntries(file.entries));
      const aside = await findAside(file.home.path);
      if (aside !== undefined) throw asideError(file.home.path, aside);
    } catch (error) {
      throw toFileError(error, this.path);
    }
  }

  private async verifyLock(file: OpenFile): Promise<void> {
    if (await file.lock.stands()) return;
    // Away with its folder it is ours still, and so is what we hold.
    await file.home.assertThere();
    if (!file.isLost) {
      file.isLost = true;
      // What we hold may be out of date; the next call locks and reads anew.
      this.opening = undefined;
      await file.lock.release();
    }
    throw new StateStoreError(
      'LOCKED',
      `state file "${this.path}": the lock of this process was cleared away while in use; see that one process only uses the file`,
    );
  }

  private file(): Promise<OpenFile> {
    this.opening ??= this.open().catch((error: unknown) => {
      this.opening = undefined;
      throw toFileError(error, this.path);
    });
    return this.opening;
  }

  private async open(): Promise<OpenFile> {
    const decode = (content: string, path: string): Promise<Map<string, string>> =>
      this.decode(content, path);
    const file = await (this.home === undefined
      ? openFirst(this.path, decode)
      : openAgain(this.home, decode));
    this.home = file.home;
    return file;
  }

  /** The entries of the file, or none where it cannot be read and may be set aside. */
  private async decode(content: string, path: string): Promise<Map<string, string>> {
    try {
      return decodeEntries(content, path);
    } catch (error) {
      if (this.whenCorrupt === 'refuse') throw error;
      const aside = await setAside(path, this.clock.now());
      this.logger.error('state.file.set-aside', { reason: asideError(path, aside).message });
      return new Map();
    }
  }

  private async release(): Promise<void> {
    await this.writing;
    const file = await this.opening?.catch(() => undefined);
    await file?.lock.release();
  }
}

type Decode = (content: string, path: string) => Promise<Map<string, string>>;

async function openFirst(path: string, decode: Decode): Promise<OpenFile> {
  await makeFolder(dirname(path));
  const realPath = await absentAs(path, realpath(path));
  return openLocked(realPath, () => FileHome.of(realPath), decode);
}

async function openAgain(home: FileHome, decode: Decode): Promise<OpenFile> {
  // Before it is locked: nothing is left behind in a folder that is not ours.
  await home.assertThere();
  return openLocked(home.path, () => Promise.resolve(home), decode);
}

async function openLocked(path: string, find: () => Promise<FileHome>, decode: Decode): Promise<OpenFile> {
  const lock = await acquireFileLock(path);
  try {
    const home = await find();
    const content = await readState(path);
    if (content === undefined && home.hasFile) throw home.missingFile();
    const entries = content === undefined ? new Map<string, string>() : await decode(content, path);
    // One that was set aside is not there any more.
    home.hasFile = content !== undefined && (await absentAs(undefined, stat(path))) !== undefined;
    return { home, lock, entries, isLost: false };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** What `work` resolves with, or `fallback` where there is no such file. */
async function absentAs<T>(fallback: T, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return fallback;
    throw error;
  }
}
