import { constants } from 'node:fs';
import { access, mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { writeFileAtomically } from './atomic-write.js';
import { CallGate } from './call-gate.js';
import { pause, settleWithin, type StateClock, systemStateClock } from './clock.js';
import { systemCodeOf, toFileError } from './file-errors.js';
import { decodeEntries, encodeEntries } from './file-format.js';
import { acquireFileLock, type FileLock } from './file-lock.js';
import { applyChange, assertChange, type StateChange } from './state-change.js';
import { assertKey } from './state-limits.js';
import { StateStoreError, type StateStore } from './state-store.js';

/** Settings of the file store. */
export interface FileStoreOptions {
  /** The state file, on a disk of this machine. It and its folder are made when they are missing. */
  readonly path: string;
  /** How long a write waits for others to share its trip to the disk, in milliseconds. Default 0. */
  readonly flushMs?: number;
  /** Default: the machine's. */
  readonly clock?: StateClock;
}

/**
 * A store in one JSON file that is read once and written whole: for one process and some thousand keys.
 *
 * Writes that come while one is on its way to the disk share the next. The file is opened and locked at the first call,
 * `checkHealth` included; a call that could not open it rejects, and the next one tries again.
 */
export function createFileStore(options: FileStoreOptions): StateStore {
  return new FileStore(options);
}

interface OpenFile {
  /** With symbolic links resolved: a rename would replace a link, not what it points to. */
  readonly path: string;
  readonly lock: FileLock;
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
  private readonly clock: StateClock;
  private readonly gate: CallGate;
  private opening: Promise<OpenFile> | undefined;
  private pending: PendingChange[] = [];
  private writing: Promise<void> | undefined;
  private releasing: Promise<void> | undefined;

  constructor(options: FileStoreOptions) {
    if (options.path === '')
      throw new StateStoreError('INVALID_CONFIG', 'the path of the state file is empty');
    this.path = resolve(options.path);
    this.flushMs = options.flushMs ?? 0;
    this.clock = options.clock ?? systemStateClock;
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
      settleWithin(
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
      if (this.flushMs > 0) await pause(this.clock, this.flushMs, this.gate.signal);
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
        await writeFileAtomically(file.path, encodeEntries(next));
        file.entries = next;
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
      await access(dirname(file.path), constants.W_OK);
    } catch (error) {
      throw toFileError(error, this.path);
    }
  }

  private async verifyLock(file: OpenFile): Promise<void> {
    try {
      await file.lock.verify();
    } catch (error) {
      // What we hold may be out of date; the next call locks and reads anew.
      if (error instanceof StateStoreError) this.opening = undefined;
      throw error;
    }
  }

  private file(): Promise<OpenFile> {
    this.opening ??= openFile(this.path).catch((error: unknown) => {
      this.opening = undefined;
      throw toFileError(error, this.path);
    });
    return this.opening;
  }

  private async release(): Promise<void> {
    await this.writing;
    const file = await this.opening?.catch(() => undefined);
    await file?.lock.release();
  }
}

async function openFile(path: string): Promise<OpenFile> {
  await mkdir(dirname(path), { recursive: true });
  const realPath = await absentAs(path, realpath(path));
  const lock = await acquireFileLock(realPath);
  try {
    const content = await absentAs(undefined, readFile(realPath, 'utf8'));
    const entries = content === undefined ? new Map<string, string>() : decodeEntries(content, path);
    return { path: realPath, lock, entries };
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
