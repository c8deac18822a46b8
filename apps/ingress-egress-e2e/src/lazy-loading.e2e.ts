import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Platform, PLATFORMS, World } from './support/world.js';

/** A file of each SDK, as esbuild names the modules of a bundle in its comments. */
const MARKS: Readonly<Record<Platform, string>> = {
  twilio: 'node_modules/@twilio/conversations/',
  twitch: 'node_modules/tmi.js/',
  discord: 'node_modules/discord.js/',
};

/** The SDKs whose code the service has loaded, by what Node's own coverage lists at its end. */
async function loadedSdks(platforms: readonly Platform[]): Promise<Platform[]> {
  const folder = await mkdtemp(join(tmpdir(), 'ingress-egress-coverage-'));
  const world = await World.start(undefined, { NODE_V8_COVERAGE: folder }, platforms);
  await world.stop();
  const loaded = new Set<string>();
  for (const file of await readdir(folder)) {
    const coverage = JSON.parse(await readFile(join(folder, file), 'utf8')) as { result: { url: string }[] }; // V8's format
    for (const { url } of coverage.result) if (url.startsWith('file:')) loaded.add(fileURLToPath(url));
  }
  await rm(folder, { recursive: true });
  const sources = await Promise.all([...loaded].map((path) => readFile(path, 'utf8')));
  return PLATFORMS.filter((platform) => sources.some((source) => source.includes(MARKS[platform])));
}

describe('the SDK of a disabled connector', () => {
  it.each<[string, readonly Platform[]]>([
    ['no connector', []],
    ...PLATFORMS.map((platform): [string, readonly Platform[]] => [platform, [platform]]),
    ['all connectors', PLATFORMS],
  ])('is never loaded with %s enabled', async (_name, platforms) => {
    await expect(loadedSdks(platforms)).resolves.toEqual(platforms);
  });
});
