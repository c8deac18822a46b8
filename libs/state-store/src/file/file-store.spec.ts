import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ManualClock } from '@bitbrat/foundation/testing';
import fc from 'fast-check';
import { toFileError } from './file-errors.js';
import { decodeEntries } from './file-format.js';
import { createFileStore } from './file-store.js';

const run = promisify(execFile);

async function makePipe(path: string): Promise<string> {
  await run('mkfifo', [path]);
  return path;
}

describe('createFileStore', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'state-store-'));
    path = join(folder, 'state.json');
  });

  afterEach(() => rm(folder, { recursive: true }));

  const onDisk = async (): Promise<Record<string, string>> =>
    Object.fromEntries(decodeEntries(await readFile(path, 'utf8'), path));

  it('has a value on the disk when set resolves', async () => {
    const store = createFileStore({ path });
    for (const value of ['1', '2', '3']) {
      await store.set('k', value);
      expect(await onDisk()).toEqual({ k: value });
    }
    await store.close(1000);
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('lets writes share one trip to the disk, in the order of the calls', async () => {
    const clock = new ManualClock();
    const store = createFileStore({ path, flushMs: 50, clock });
    await store.checkHealth(1000);
    let resolved = 0;
    const writes = Array.from({ length: 500 }, (_, index) =>
      store.set(`k${index % 5}`, `${index}`).then(() => resolved++),
    );
    await clock.advance(49);
    expect([resolved, await readdir(folder)]).toEqual([0, expect.not.arrayContaining(['state.json'])]);
    const advanced = clock.advance(1);
    await Promise.all([...writes, advanced]);
    expect(await onDisk()).toEqual({ k0: '495', k1: '496', k2: '497', k3: '498', k4: '499' });
    expect(clock.pendingTimers).toBe(0);
    await store.close(1000);
  });

  it('leaves a file that it cannot read as it is, and reads what is put in its place', async () => {
    const corrupt = '{"version": 1, "entries": {"k": "va';
    await writeFile(path, corrupt);
    const store = createFileStore({ path });
    const isCorrupt = { code: 'CORRUPT', message: expect.stringContaining(path) as string };
    await expect(store.get('k')).rejects.toMatchObject(isCorrupt);
    await expect(store.set('k', 'new')).rejects.toMatchObject(isCorrupt);
    await expect(store.compareAndSet('k', undefined, 'new')).rejects.toMatchObject(isCorrupt);
    await expect(store.checkHealth(1000)).rejects.toMatchObject(isCorrupt);
    expect(await readFile(path, 'utf8')).toBe(corrupt);
    expect(await readdir(folder)).toEqual(['state.json']);

    await writeFile(path, '{"version": 1, "entries": {"k": "value"}}');
    expect(await store.get('k')).toBe('value');
    await store.close(1000);
  });

  it('keeps the old state when a write fails, and goes on when the cause is gone', async () => {
    const store = createFileStore({ path });
    await store.set('k', 'old');
    await mkdir(`${path}.tmp`);
    await expect(store.set('k', 'new')).rejects.toMatchObject({ name: 'StateStoreError' });
    await expect(store.compareAndSet('k', 'old', 'new')).rejects.toMatchObject({ name: 'StateStoreError' });
    expect([await store.get('k'), await onDisk()]).toEqual(['old', { k: 'old' }]);
    await rmdir(`${path}.tmp`);
    await store.set('k', 'new');
    expect([await store.get('k'), await onDisk()]).toEqual(['new', { k: 'new' }]);
    await store.close(1000);
  });

  it('writes over what a killed writer has left half written', async () => {
    await writeFile(`${path}.tmp`, '{"version": 1, "entr'.repeat(1000));
    const store = createFileStore({ path });
    await store.set('k', 'v');
    await store.close(1000);
    expect(await onDisk()).toEqual({ k: 'v' });
  });

  it('follows a symbolic link rather than replacing it', async () => {
    const target = join(folder, 'volume', 'real.json');
    await mkdir(join(folder, 'volume'));
    await writeFile(target, '{"version": 1, "entries": {}}');
    await symlink(target, path);
    const store = createFileStore({ path });
    await store.set('k', 'v');
    await store.close(1000);
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect(await onDisk()).toEqual({ k: 'v' });
  });

  it('refuses a path that is a folder, or goes through a file', async () => {
    const isInvalid = { code: 'INVALID_CONFIG' };
    await writeFile(path, '');
    for (const wrong of [folder, join(path, 'state.json')]) {
      const store = createFileStore({ path: wrong });
      await expect(store.get('k')).rejects.toMatchObject(isInvalid);
      await store.close(1000);
    }
    expect(() => createFileStore({ path: '' })).toThrow(expect.objectContaining(isInvalid) as Error);
  });

  describe('that may set a corrupt file aside', () => {
    const contents = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.constantFrom(
        '',
        '{"version": 1, "entries": {"k": "va',
        '{"version":2,"entries":{}}',
        '{"version":1,"entries":{"k":1}}',
      ),
    );

    it('never overwrites it, goes on, and says so until it is removed, also after a restart', async () => {
      await fc.assert(
        fc.asyncProperty(contents, async (content) => {
          await rm(folder, { recursive: true });
          await mkdir(folder);
          await writeFile(path, content);
          const store = createFileStore({ path, whenCorrupt: 'set-aside' });
          expect(await store.get('k')).toBeUndefined();
          await store.set('k', 'new');
          const isReported = {
            code: 'CORRUPT',
            message: expect.stringMatching(/sent twice.*delete/s) as string,
          };
          await expect(store.checkHealth(5_000)).rejects.toMatchObject(isReported);
          await store.close(1_000);
          const asides = (await readdir(folder)).filter((name) => name.startsWith('state.json.corrupt-'));
          expect(asides).toHaveLength(1);
          const aside = join(folder, asides[0] ?? '');
          expect(await readFile(aside, 'utf8')).toBe(Buffer.from(content).toString());

          const next = createFileStore({ path, whenCorrupt: 'set-aside' });
          expect(await next.get('k')).toBe('new');
          await expect(next.checkHealth(5_000)).rejects.toMatchObject(isReported);
          await rm(aside);
          await next.checkHealth(5_000);
          await next.close(1_000);
        }),
        { seed: Number(process.env['FC_SEED'] ?? 1), numRuns: 40 },
      );
    });
  });

  it.each<[string, () => Promise<string>]>([
    ['below /proc', () => Promise.resolve('/proc/x/y')],
    ['in /proc', () => Promise.resolve('/proc/state.json')],
    ['below a process in /proc', () => Promise.resolve('/proc/self/x/y/z')],
    ['in /sys', () => Promise.resolve('/sys/x/y')],
    ['a device without an end', () => Promise.resolve('/dev/zero')],
    ['a device that is full', () => Promise.resolve('/dev/full')],
    ['below a device', () => Promise.resolve('/dev/null/x')],
    ['a folder', () => Promise.resolve(folder)],
    ['a pipe', () => makePipe(path)],
    ['beside a pipe in the place of the temporary file', () => makePipe(`${path}.tmp`).then(() => path)],
    ['a link to itself', () => symlink(path, path).then(() => path)],
    ['a name that is too long', () => Promise.resolve(join(folder, 'x'.repeat(300)))],
    ['with a NUL', () => Promise.resolve(`${folder}/a\u0000b`)],
  ])('answers for a path that cannot work: %s', async (_what, prepare) => {
    const store = createFileStore({ path: await prepare(), whenCorrupt: 'set-aside' });
    await expect(store.set('k', 'v')).rejects.toMatchObject({ name: 'StateStoreError' });
    await store.close(1_000);
  });

  it('is not well while nothing can be written, although it can be read', async () => {
    const store = createFileStore({ path });
    await store.set('k', 'v');
    await store.checkHealth(5_000);
    await makePipe(`${path}.probe`);
    await expect(store.checkHealth(5_000)).rejects.toMatchObject({ name: 'StateStoreError' });
    await store.checkHealth(5_000);
    await store.close(1_000);
  });

  it('gives up writes that wait when closing runs out of time', async () => {
    const clock = new ManualClock();
    const store = createFileStore({ path, flushMs: 60_000, clock });
    const rejected = expect(store.set('k', 'v')).rejects.toMatchObject({ code: 'CLOSED' });
    const closing = store.close(1000);
    await clock.advance(1000);
    await Promise.all([closing, rejected]);
    expect(await readdir(folder)).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('toFileError', () => {
  it.each([
    ['EACCES', 'FORBIDDEN', false],
    ['EPERM', 'FORBIDDEN', false],
    ['EROFS', 'FORBIDDEN', false],
    ['EISDIR', 'INVALID_CONFIG', false],
    ['ENOTDIR', 'INVALID_CONFIG', false],
    ['ENOSPC', 'UNAVAILABLE', true],
    ['ELOOP', 'INVALID_CONFIG', false],
    ['EIO', 'UNAVAILABLE', true],
    ['EMFILE', 'UNAVAILABLE', true],
  ])('maps %s to %s', (code, expected, retryable) => {
    const fault = toFileError(Object.assign(new Error('refused'), { code }), '/data/state.json');
    expect(fault).toMatchObject({ code: expected, retryable });
    expect(fault.message).toMatch(/"\/data\/state\.json".*refused/);
  });
});
