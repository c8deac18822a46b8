import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEntries } from './file-format.js';
import { createFileStore } from './file-store.js';

const KILLS = 20;

describe('file store under SIGKILL', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'state-store-'));
    path = join(folder, 'state.json');
  });

  afterEach(() => rm(folder, { recursive: true }));

  const startWriter = (): ChildProcessWithoutNullStreams =>
    spawn(process.execPath, ['--import', 'tsx', join(__dirname, '..', 'fixtures', 'write-forever.ts'), path]);

  /**
   * Lets a writer resolve some writes, kills it, and returns the last count that it has told.
   * @param midWrite wait, without letting go of the processor, for the moment at which a file is half written
   */
  const writeAndKill = async (writes: number, midWrite: boolean): Promise<number> => {
    const child = startWriter();
    let [told, errors] = ['', ''];
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      if (child.killed || told.split('\n').length <= writes) return;
      const deadline = performance.now() + 1000;
      while (midWrite && !existsSync(`${path}.tmp`) && performance.now() < deadline);
      child.kill('SIGKILL');
    });
    const [, signal] = (await once(child, 'close')) as [unknown, string | null]; // Node's documented arguments
    if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself: ${errors}`);
    return Number(told.trimEnd().split('\n').at(-1));
  };

  it(`holds the last resolved value after each of ${KILLS} kills, and opens again at once`, async () => {
    let half = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const told = await writeAndKill(1 + kill * 3, kill % 2 === 1);
      const entries = decodeEntries(await readFile(path, 'utf8'), path);
      const stored = Number(entries.get('count'));
      // At most the three of the batch that was under way are stored and not yet told.
      expect(stored).toBeGreaterThanOrEqual(told);
      expect(stored).toBeLessThanOrEqual(told + 3);
      expect(entries.size).toBe(41);
      if ((await readdir(folder)).includes('state.json.tmp')) half += 1;
    }
    // Else the kills have hit between writes only, and nothing was shown.
    expect(half).toBeGreaterThan(0);

    const store = createFileStore({ path });
    await store.set('after', 'all');
    await store.close(5000);
    expect(await readdir(folder)).toEqual(expect.not.arrayContaining([expect.stringMatching(/lock/)]));
  }, 120_000);

  it('keeps a second process out while the first runs', async () => {
    const child = startWriter();
    await once(child.stdout, 'data');
    const store = createFileStore({ path });
    await expect(store.get('count')).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining(`process ${child.pid} `) as string,
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(Number(await store.get('count'))).toBeGreaterThan(0);
    await store.close(5000);
  });
});
