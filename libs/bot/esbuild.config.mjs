import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/**
 * Makes `dist`: a package that needs nothing of this workspace. The workspace's libraries are bundled into it; Google's client
 * is a dependency of the package.
 */
const root = import.meta.dirname;
const workspace = join(root, '../..');
const dist = join(root, 'dist');
const ENTRIES = ['index', 'testing'];

const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

await rm(dist, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ENTRIES.map((name) => `src/${name}.ts`),
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  conditions: ['@bitbrat/source'],
  external: Object.keys(manifest.dependencies),
  metafile: true,
  legalComments: 'none',
  logLevel: 'warning',
  chunkNames: 'chunks/[name]-[hash]',
  tsconfig: 'tsconfig.lib.json',
});
await declarations();
await writeFile(join(dist, 'THIRD-PARTY-LICENSES.txt'), await licences());
await writeFile(join(dist, 'package.json'), `${JSON.stringify(publishedManifest(), null, 2)}\n`);
await cp(join(root, 'README.md'), join(dist, 'README.md'));
await cp(join(workspace, 'LICENSE'), join(dist, 'LICENSE'));

/** The licences of the packages that are bundled, which have to go with their code. */
async function licences() {
  const packages = new Set(
    Object.values(metafile.outputs)
      .flatMap(({ inputs }) => Object.entries(inputs))
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .flatMap(([input]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []),
  );
  const texts = [...packages].sort().map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
    const file = (await readdir(join(root, folder))).find((one) => /^licen[cs]e(?:\.\w+)?$/i.test(one));
    if (file === undefined) throw new Error(`${name} has no licence file`);
    return `${name} ${version} (${license})\n\n${await readFile(join(root, folder, file), 'utf8')}`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`);
}

/** The declarations that the entries reach. One that names a package of the workspace could not be read by anyone else. */
async function declarations() {
  const compiler = join(workspace, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '--build', join(root, 'tsconfig.lib.json')], {
    stdio: 'inherit',
  });
  const open = ENTRIES.map((name) => `${name}.d.ts`);
  const done = new Set();
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (done.has(file)) continue;
    done.add(file);
    const text = await readFile(join(root, 'out-tsc/lib', file), 'utf8');
    for (const [, specifier] of text.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      if (!specifier.startsWith('.'))
        throw new Error(`${file} imports ${specifier}: the package has no such types`);
      open.push(join(dirname(file), specifier.replace(/\.js$/, '.d.ts')));
    }
    await mkdir(dirname(join(dist, file)), { recursive: true });
    await writeFile(join(dist, file), text.replace(/^\/\/# sourceMappingURL=.*\n?/m, ''));
  }
}

/** What a reader of the package needs; the rest of the manifest is for the workspace. */
function publishedManifest() {
  const { name, version, description, type, license, engines, dependencies } = manifest;
  const exports = Object.fromEntries(
    ENTRIES.map((entry) => [
      entry === 'index' ? '.' : `./${entry}`,
      { types: `./${entry}.d.ts`, default: `./${entry}.js` },
    ]),
  );
  return {
    name,
    version,
    description,
    type,
    license,
    engines,
    exports: { './package.json': './package.json', ...exports },
    sideEffects: false,
    dependencies,
  };
}
