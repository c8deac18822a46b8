import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEntries } from './file-format.js';
import { createFileStore } from './file-store.js';
import { type StateStore } from '../state-store.js';

describe('file store whose folder goes away', () => {
  let base: string;
  let folder: string;
  let path: string;
  let store: StateStore;

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'state-store-'));
    folder = join(base, 'volume');
    path = join(folder, 'state.json');
    store = createFileStore({ path });
    await store.set('cursor', '1');
    await store.set('sent/e1', 'done');
  });

  afterEach(async () => {
    await store.close(1000);
    await rm(base, { recursive: true });
  });

  const away = (): string => `${folder}.away`;
  const onDisk = async (): Promise<Record<string, string>> =>
    Object.fromEntries(decodeEntries(await readFile(path, 'utf8'), path));
  const locks = async (): Promise<string[]> =>
    (await readdir(folder)).filter((name) => name.includes('.lock.'));
  const clearLocks = async (): Promise<void> => {
    for (const name of await locks()) await rm(join(folder, name));
  };

  const isUnavailable = { code: 'UNAVAILABLE', retryable: true };
  const expectUnavailable = async (): Promise<void> => {
    for (let call = 0; call < 3; call += 1) {
      await expect(store.set('cursor', '2')).rejects.toMatchObject(isUnavailable);
      await expect(store.compareAndSet('sent/e2', undefined, 'again')).rejects.toMatchObject(isUnavailable);
      await expect(store.checkHealth(1000)).rejects.toMatchObject(isUnavailable);
    }
    // What is known to have been done is not done again.
    expect(await store.compareAndSet('sent/e1', undefined, 'again')).toBe(false);
    expect(await store.get('cursor')).toBe('1');
  };

  it.each<[string, () => Promise<unknown>, readonly string[] | undefined]>([
    ['is renamed away', () => Promise.resolve(), undefined],
    ['leaves an empty mount point', () => mkdir(folder), []],
    [
      'leaves a mount point with a state of long ago',
      async () => {
        await mkdir(folder);
        await writeFile(path, '{"version": 1, "entries": {"cursor": "0"}}');
      },
      ['state.json'],
    ],
  ])('waits where it %s, and goes on with all it knew when it is back', async (_how, leave, left) => {
    await rename(folder, away());
    await leave();
    await expectUnavailable();
    expect(await readdir(folder).catch(() => undefined)).toEqual(left);

    await rm(folder, { recursive: true, force: true });
    await rename(away(), folder);
    await store.checkHealth(1000);
    expect(await store.compareAndSet('sent/e1', undefined, 'again')).toBe(false);
    await store.set('cursor', '2');
    expect(await onDisk()).toEqual({ cursor: '2', 'sent/e1': 'done' });
    expect(await locks()).toHaveLength(1);
  });

  it('does not begin anew where its lock was cleared away before the folder went', async () => {
    await clearLocks();
    await expect(store.set('cursor', '2')).rejects.toMatchObject({ code: 'LOCKED' });
    await rename(folder, away());
    await expect(store.get('cursor')).rejects.toMatchObject(isUnavailable);
    await mkdir(folder);
    await expect(store.set('cursor', '2')).rejects.toMatchObject(isUnavailable);
    expect(await readdir(folder)).toEqual([]);

    await rm(folder, { recursive: true });
    await rename(away(), folder);
    expect(await store.get('cursor')).toBe('1');
  });

  it('does not begin anew where file and lock were deleted, and goes on when the file is put back', async () => {
    await clearLocks();
    await rename(path, away());
    await expectUnavailable();
    expect(await readdir(folder)).toEqual([]);

    await rename(away(), path);
    await store.set('cursor', '2').catch(() => undefined); // notices that it has lost its lock
    await store.set('cursor', '3');
    expect(await onDisk()).toEqual({ cursor: '3', 'sent/e1': 'done' });
  });

  it('writes again what it holds where the file alone was deleted: nobody else can have written', async () => {
    await rm(path);
    await store.set('cursor', '2');
    expect(await onDisk()).toEqual({ cursor: '2', 'sent/e1': 'done' });
  });

  it('takes the file from a store of this process that was closed while the folder was away', async () => {
    await rename(folder, away());
    await store.close(1000);
    await rename(away(), folder);
    expect(await locks()).toHaveLength(1);
    store = createFileStore({ path });
    expect(await store.get('cursor')).toBe('1');
    expect(await locks()).toHaveLength(1);
  });
});
