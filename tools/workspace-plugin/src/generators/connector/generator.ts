import {
  formatFiles,
  generateFiles,
  type GeneratorCallback,
  logger,
  type Tree,
  updateJson,
  workspaceRoot,
} from '@nx/devkit';
import { join } from 'node:path';
import { readArchitecture } from '../../architecture/read-architecture.js';
import { compareGenerated } from '../../generated/staleness.js';
import { formatFinding } from '../../workspace/finding.js';
import { createView } from '../../workspace/workspace-view.js';
import { type ConnectorNames, parseSdk, toConnectorNames } from './connector-names.js';
import { addToArchitecture } from './edit-architecture.js';
import { addToComposition, addToReadme, addToVendorTable } from './edit-sources.js';

/** What `nx g @bitbrat/workspace-plugin:connector` takes; `schema.json` describes the same. */
export interface ConnectorGeneratorOptions {
  /** The platform's name: `slack`. */
  readonly name: string;
  /** The vendor's package with its exact version, where one is used. */
  readonly sdk?: string;
}

const TEMPLATES = join(workspaceRoot, 'tools/workspace-plugin/src/generators/connector');
const APP = 'apps/ingress-egress';

/**
 * A new connector, with the files of its siblings and an entry wherever they have one. It lints, typechecks, builds and starts at once; its
 * contract suite fails and says, case by case, what is left to write.
 * @throws Error where the name cannot be one or is taken; then nothing is written
 */
export async function connectorGenerator(
  tree: Tree,
  options: ConnectorGeneratorOptions,
): Promise<GeneratorCallback> {
  const names = toConnectorNames(options.name);
  const sdk = options.sdk === undefined ? undefined : parseSdk(options.sdk);
  const root = `libs/connectors-${names.name}`;
  if (tree.exists(root))
    throw new Error(`${root} is there already: choose another name or delete the folder`);

  const variables = { ...names, sdkName: sdk?.name ?? '', zodVersion: zodVersionOf(tree) };
  generateFiles(tree, join(TEMPLATES, 'files'), root, variables);
  generateFiles(tree, join(TEMPLATES, 'docs/files'), 'docs/guides', variables);
  edit(tree, `${APP}/src/composition.ts`, (text) => addToComposition(text, names));
  updateJson(tree, `${APP}/package.json`, (manifest: Manifest) =>
    withDependency(manifest, `@bitbrat/connectors-${names.name}`, '*'),
  );
  edit(tree, 'README.md', (text) => addToReadme(text, names));
  if (sdk !== undefined) {
    generateFiles(tree, join(TEMPLATES, 'sdk/files'), root, variables);
    updateJson(tree, `${root}/package.json`, (manifest: Manifest) =>
      withDependency(manifest, sdk.name, sdk.version),
    );
    edit(tree, 'eslint.config.mjs', (text) => addToVendorTable(text, names, sdk.name));
  }
  edit(tree, 'architecture.yaml', (text) => addToArchitecture(text, names));
  await formatFiles(tree);
  writeGenerated(tree);
  return () => {
    logger.info(nextSteps(names));
  };
}

export default connectorGenerator;

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

function withDependency(manifest: Manifest, name: string, version: string): Manifest {
  const entries = Object.entries({ ...manifest.dependencies, [name]: version });
  return { ...manifest, dependencies: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** One version of a package in the whole workspace: the one that the core has. */
function zodVersionOf(tree: Tree): string {
  const text = tree.read('libs/connectors-core/package.json', 'utf8') ?? '';
  return /"zod": "([^"]+)"/.exec(text)?.[1] ?? '*';
}

function edit(tree: Tree, file: string, change: (text: string) => string): void {
  const text = tree.read(file, 'utf8');
  if (text === null) throw new Error(`${file} is missing: run the generator in the workspace of the gateway`);
  tree.write(file, change(text));
}

/** What is made from architecture.yaml, as `workspace-plugin:generate` makes it. */
function writeGenerated(tree: Tree): void {
  const files = [
    'architecture.yaml',
    'tools/workspace-plugin/src/architecture/architecture.schema.json',
    '.env.example',
    ...['apps', 'libs', 'tools'].flatMap((folder) =>
      tree
        .children(folder)
        .flatMap((child) => [`${folder}/${child}/package.json`, `${folder}/${child}/README.md`]),
    ),
  ];
  const texts = files.flatMap((file): [string, string][] => {
    const text = tree.read(file, 'utf8');
    return text === null ? [] : [[file, text]];
  });
  const view = createView(Object.fromEntries(texts));
  const result = readArchitecture(view);
  if (!result.ok) throw new Error(result.findings.map(formatFinding).join('\n'));
  for (const { file, text } of compareGenerated(result.architecture, view).stale) tree.write(file, text);
}

function nextSteps({ name }: ConnectorNames): string {
  return `
libs/connectors-${name} is there. Next:

  npm install                                   links the package
  npx nx sync                                   writes the TypeScript references
  npx nx run-many -t lint typecheck test build -p connectors-${name} ingress-egress
  npx nx integration connectors-${name}         the contract suite: it fails and says what is left to write

docs/adding-a-connector.md leads through it.
`;
}
