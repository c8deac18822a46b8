import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describeChange, findBreakingChanges } from './compatibility.js';
import { createContract } from './contract.js';
import { createSchemas, type SchemaFiles } from './schemas.js';
import { type Files, findStaleFiles } from './staleness.js';

const CONTRACT = join(import.meta.dirname, '../../../docs/contract');
const BASELINE = join(import.meta.dirname, 'baseline');

/** What the commands of `nx run envelope:…` do. Each resolves with the process's exit code. */
const COMMANDS: Readonly<Record<string, () => Promise<number>>> = {
  check: async () => {
    const faults = findStaleFiles(await generate(), await committedFiles());
    for (const fault of faults) console.error(`docs/contract/${fault}`);
    if (faults.length > 0) console.error('Stale. Run: npx nx run envelope:contract-write');
    else console.log('docs/contract is fresh');
    return faults.length > 0 ? 1 : 0;
  },
  write: async () => {
    const generated = await generate();
    for (const path of (await committedFiles()).keys()) {
      if (!generated.has(path)) await rm(join(CONTRACT, path));
    }
    await writeFiles(CONTRACT, generated);
    console.log(`docs/contract: ${generated.size} files written`);
    return 0;
  },
  compat: async () => {
    const changes = findBreakingChanges(await released(), createSchemas());
    for (const change of changes) console.error(describeChange(change));
    console.log(`${changes.length} breaking changes against the released contract`);
    return changes.length > 0 ? 1 : 0;
  },
  release: async () => {
    const changes = findBreakingChanges(await released(), createSchemas());
    for (const change of changes) console.error(describeChange(change));
    if (changes.length > 0) return 1;
    const schemas = Object.entries(createSchemas()).map(async ([file, schema]): Promise<[string, string]> => [
      file,
      await formatted(join(BASELINE, file), JSON.stringify(schema)),
    ]);
    await writeFiles(BASELINE, new Map(await Promise.all(schemas)));
    console.log('the contract as it is now is the released one');
    return 0;
  },
};

async function generate(): Promise<Files> {
  const contract = createContract(await readFolder(join(CONTRACT, 'examples'), /(?<name>.+)\.json$/));
  const files = [...contract].map(async ([path, content]): Promise<[string, string]> => [
    path,
    await formatted(join(CONTRACT, path), content),
  ]);
  return new Map(await Promise.all(files));
}

async function committedFiles(): Promise<Files> {
  const schemas = await readFolder(join(CONTRACT, 'schemas'), /(?<name>.+)$/);
  const top = await readFolder(CONTRACT, /(?<name>.+\.(?:md|yaml))$/);
  return new Map([
    ...[...schemas].map(([name, text]): [string, string] => [`schemas/${name}`, text]),
    ...top,
  ]);
}

async function released(): Promise<SchemaFiles> {
  const files = await readFolder(BASELINE, /(?<name>.+\.json)$/);
  // Written by `release`; what is no schema is found as a breaking change.
  return Object.fromEntries(
    [...files].map(([name, text]) => [name, JSON.parse(text) as SchemaFiles[string]]),
  );
}

/** The files of a folder whose name matches, by the name that the pattern finds. A missing folder has none. */
async function readFolder(folder: string, pattern: RegExp): Promise<Files> {
  const names = await readdir(folder).catch(() => []);
  const found = names.sort().flatMap((file) => {
    const name = pattern.exec(file)?.groups?.['name'];
    return name === undefined ? [] : [{ file, name }];
  });
  const read = found.map(async ({ file, name }): Promise<[string, string]> => [
    name,
    await readFile(join(folder, file), 'utf8'),
  ]);
  return new Map(await Promise.all(read));
}

/** In the workspace's own style, so that its format check has nothing to say. */
async function formatted(path: string, content: string): Promise<string> {
  return format(content, { ...(await resolveConfig(path)), filepath: path });
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** An example that is none any more is a fault of whoever changed the schema, not of this program. */
function report(error: unknown): number {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
}

const [name = ''] = process.argv.slice(2);
const command = COMMANDS[name];
if (command === undefined) console.error(`expected one of: ${Object.keys(COMMANDS).join(', ')}`);
process.exitCode = command === undefined ? 2 : await command().catch(report);
