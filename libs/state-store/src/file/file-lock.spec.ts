import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOCK_TIMES } from './file-lock.js';
import { createFileStore } from './file-store.js';

const host = encodeURIComponent(hostname());

describe('lock of the file store', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'state-store-'));
    path = join(folder, 'state.json');
  });

  afterEach(() => rm(folder, { recursive: true }));

  /** What a process has left that ended, or runs, `ageMs` after it last showed itself. */
  const leaveLock = async (owner: string, ageMs = 0): Promise<string> => {
    const lockPath = `${path}.lock.${owner}`;
    await writeFile(lockPath, '');
    const touched = new Date(Date.now() - ageMs);
    await utimes(lockPath, touched, touched);
    return lockPath;
  };

  const endedPid = async (): Promise<number> => {
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(child, 'exit');
    return child.pid ?? Number.NaN;
  };

  it('keeps a second store out until the first is closed', async () => {
    const [first, second] = [createFileStore({ path }), createFileStore({ path })];
    await first.set('k', 'first');
    const isLocked = {
      code: 'LOCKED',
      message: expect.stringContaining(`process ${process.pid} `) as string,
    };
    await expect(second.set('k', 'second')).rejects.toMatchObject(isLocked);
    await expect(second.get('k')).rejects.toMatchObject(isLocked);
    await expect(second.checkHealth(1000)).rejects.toMatchObject(isLocked);
    await first.set('k', 'still first');
    await first.close(1000);
    expect(await second.get('k')).toBe('still first');
    await second.close(1000);
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('lets at most one of many in that come at once', async () => {
    const stores = Array.from({ length: 8 }, () => createFileStore({ path }));
    const results = await Promise.allSettled(stores.map((store, index) => store.set('owner', `${index}`)));
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    await Promise.all(stores.map((store) => store.close(1000)));
    expect((await readdir(folder)).filter((name) => name.includes('.lock.'))).toEqual([]);
  });

  it.each([
    ['a process that has ended', async () => leaveLock(`${host}.${await endedPid()}.unknown.0a`)],
    ['an earlier process with our pid', () => leaveLock(`${host}.${process.pid}.00000000-1.0a`)],
    ['another host, long silent', () => leaveLock('else.where.1.unknown.0a', LOCK_TIMES.staleAfterMs + 1000)],
    ['nobody knows whom, long silent', () => leaveLock('garbage', LOCK_TIMES.staleAfterMs + 1000)],
  ])('clears away the lock of %s', async (_who, leave) => {
    const lockPath = await leave();
    const store = createFileStore({ path });
    await store.set('k', 'v');
    expect(await readdir(folder)).not.toContain(lockPath.slice(folder.length + 1));
    await store.close(1000);
  });

  it.each([
    ['another host', () => leaveLock('else.where.1.unknown.0a'), /process 1 on host "else\.where"/],
    ['nobody knows whom', () => leaveLock('garbage'), /another process/],
    ['a process that runs', () => leaveLock(`${host}.${process.ppid}.unknown.0a`), /used by process \d+/],
  ])('respects the lock of %s', async (_who, leave, who) => {
    const lockPath = await leave();
    const store = createFileStore({ path });
    await expect(store.set('k', 'v')).rejects.toThrow(who);
    await expect(store.set('k', 'v')).rejects.toThrow(`delete "${lockPath}"`);
    await store.close(1000);
    expect(await readdir(folder)).toEqual([lockPath.slice(folder.length + 1)]);
  });

  it('writes no more when its lock was cleared away, and locks and reads anew', async () => {
    const store = createFileStore({ path });
    await store.set('k', 'ours');
    for (const name of await readdir(folder)) if (name.includes('.lock.')) await rm(join(folder, name));
    await writeFile(path, '{"version": 1, "entries": {"k": "theirs"}}');
    await expect(store.set('k', 'ours again')).rejects.toMatchObject({ code: 'LOCKED' });
    expect(await store.get('k')).toBe('theirs');
    await store.set('other', 'ours');
    expect(await store.get('k')).toBe('theirs');
    await store.close(1000);
  });
});
