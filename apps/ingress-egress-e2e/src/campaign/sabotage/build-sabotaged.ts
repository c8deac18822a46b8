import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { sabotage, type SabotageName, sabotageOf } from './sabotages.js';

/** ESM output of CommonJS packages still calls require and reads __filename. */
const BANNER = `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __toPath } from 'node:url';
import { dirname as __toDirectory } from 'node:path';
const require = __createRequire(import.meta.url);
const __filename = __toPath(import.meta.url);
const __dirname = __toDirectory(__filename);`;

/**
 * Builds the service with one of its promises broken, in a temporary folder.
 * @param appRoot folder of the service's sources
 * @returns the entry of the build
 * @throws Error where the source has changed so that the sabotage does not apply any more
 */
export async function buildSabotaged(name: SabotageName, appRoot: string): Promise<string> {
  const change = sabotageOf(name);
  const outdir = await mkdtemp(join(tmpdir(), `campaign-${name}-`));
  let applied = 0;
  await build({
    absWorkingDir: appRoot,
    entryPoints: ['src/main.ts'],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@bitbrat/source'],
    banner: { js: BANNER },
    logLevel: 'warning',
    tsconfig: 'tsconfig.app.json',
    plugins: [
      {
        name: 'sabotage',
        setup: (building) => {
          building.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            if (!path.endsWith(change.file)) return undefined;
            applied += 1;
            return { contents: sabotage(await readFile(path, 'utf8'), change), loader: 'ts' };
          });
        },
      },
    ],
  });
  if (applied !== 1) throw new Error(`${change.file} is not part of the build: the sabotage did not apply`);
  return join(outdir, 'main.mjs');
}
