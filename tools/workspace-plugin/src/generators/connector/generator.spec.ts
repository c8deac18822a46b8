import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { checkConnectorFiles } from '../../conformance/connector-files.js';
import { checkContractSuite } from '../../conformance/contract-suite.js';
import { checkDisabledTests } from '../../conformance/disabled-tests.js';
import { checkEnvironmentVariables } from '../../conformance/environment-variables.js';
import { checkProcessEnv } from '../../conformance/process-env.js';
import { checkProjectTags } from '../../conformance/project-tags.js';
import { checkVendorImports } from '../../conformance/vendor-imports.js';
import { createView, type WorkspaceView } from '../../workspace/workspace-view.js';
import { connectorGenerator } from './generator.js';

const ROOT = join(__dirname, '../../../../..');

/** The files of the repository that the generator reads or changes. */
const OWN_FILES = [
  'architecture.yaml',
  'eslint.config.mjs',
  'apps/ingress-egress/package.json',
  'apps/ingress-egress/src/composition.ts',
  'libs/connectors-core/package.json',
  'tools/workspace-plugin/src/architecture/architecture.schema.json',
];

function createWorkspace(): Tree {
  const tree = createTreeWithEmptyWorkspace();
  // Without a formatter's settings nothing is formatted: Prettier is an ES module, which Jest cannot load.
  tree.delete('.prettierrc');
  for (const file of tree.children('.').filter((child) => child.startsWith('.oxfmtrc'))) tree.delete(file);
  for (const file of OWN_FILES) tree.write(file, readFileSync(join(ROOT, file), 'utf8'));
  tree.write('README.md', README);
  return tree;
}

const README =
  '| folder | why |\n| --- | --- |\n| `libs/connectors-core` | the contract |\n| `tools/x` | a tool |\n';

const viewOf = (tree: Tree): WorkspaceView =>
  createView(
    Object.fromEntries(
      [...OWN_FILES, ...tree.listChanges().map(({ path }) => path)].map((file) => [
        file,
        tree.read(file, 'utf8') ?? '',
      ]),
    ),
  );

const textOf = (tree: Tree, file: string): string => tree.read(file, 'utf8') ?? '';

describe('the connector generator', () => {
  it('makes a connector that the conformance checks accept', async () => {
    const tree = createWorkspace();
    await connectorGenerator(tree, { name: 'my-chat', sdk: '@my-chat/sdk@1.2.3' });
    const view = viewOf(tree);
    const checks = [
      checkConnectorFiles,
      checkContractSuite,
      checkDisabledTests,
      checkProcessEnv,
      checkProjectTags,
      checkVendorImports,
    ];
    expect(checks.flatMap((check) => check(view))).toEqual([]);
    const variables = checkEnvironmentVariables(view).filter(({ message }) => message.includes('MY_CHAT'));
    expect(variables).toEqual([]);
  });

  it('enters it wherever the siblings stand', async () => {
    const tree = createWorkspace();
    await connectorGenerator(tree, { name: 'my-chat', sdk: '@my-chat/sdk@1.2.3' });
    const composition = textOf(tree, 'apps/ingress-egress/src/composition.ts');
    expect(composition).toContain(
      `import { createMyChatConnector, myChatConfigSchema } from '@bitbrat/connectors-my-chat';`,
    );
    expect(composition).toMatch(
      /name: 'my-chat',\n[^}]*reader\.read\(myChatConfigSchema\);\n[^}]*createMyChatConnector\(settings\)/,
    );
    expect(textOf(tree, 'apps/ingress-egress/package.json')).toContain('"@bitbrat/connectors-my-chat": "*"');
    expect(textOf(tree, 'eslint.config.mjs')).toContain(`'libs/connectors-my-chat': ['@my-chat/sdk'],`);
    expect(textOf(tree, 'architecture.yaml')).toMatch(
      /\n {2}connectors-my-chat:\n {4}- name: MY_CHAT_ENABLED\n/,
    );
    expect(textOf(tree, 'architecture.yaml')).toContain(
      '\n  - { variable: MY_CHAT_TOKEN, secret: my-chat-token }\n',
    );
    expect(textOf(tree, '.env.example')).toContain('\n#MY_CHAT_ENABLED=false\n');
    expect(textOf(tree, 'README.md')).toBe(
      README.replace('| `tools', '| `libs/connectors-my-chat` | My Chat |\n| `tools'),
    );
    expect(textOf(tree, 'libs/connectors-my-chat/README.md')).toMatch(
      /\| `MY_CHAT_TOKEN` +\| text +\| required when `MY_CHAT_ENABLED` is true \|/,
    );
    expect(tree.exists('docs/guides/my-chat.md')).toBe(true);
    expect(textOf(tree, 'libs/connectors-my-chat/package.json')).toContain('"@my-chat/sdk": "1.2.3"');
  });

  it('changes of the files that are there nothing but the entries', async () => {
    const tree = createWorkspace();
    await connectorGenerator(tree, { name: 'my-chat' });
    for (const file of [
      'architecture.yaml',
      'apps/ingress-egress/src/composition.ts',
      'apps/ingress-egress/package.json',
    ]) {
      const before = readFileSync(join(ROOT, file), 'utf8').split('\n');
      const after = new Set(textOf(tree, file).split('\n'));
      expect(before.filter((line) => !after.has(line))).toEqual([]);
    }
    expect(textOf(tree, 'eslint.config.mjs')).toBe(readFileSync(join(ROOT, 'eslint.config.mjs'), 'utf8'));
    expect(tree.exists('libs/connectors-my-chat/src/session/sdk.ts')).toBe(false);
  });

  it('leaves no template behind', async () => {
    const tree = createWorkspace();
    await connectorGenerator(tree, { name: 'slack' });
    const texts = tree.listChanges().map(({ path }) => `${path} ${textOf(tree, path)}`);
    expect(texts.filter((text) => /<%|%>|__name__|\.template\b/.test(text))).toEqual([]);
  });

  it.each([
    ['a capital letter', { name: 'Slack' }, /use lower-case letters/],
    ['a digit first', { name: '4chan' }, /use lower-case letters/],
    ['a name that is too long', { name: 'a'.repeat(33) }, /32 at most/],
    ['a hyphen at the end', { name: 'slack-' }, /use lower-case letters/],
    ['a path', { name: '../slack' }, /use lower-case letters/],
    ['a library that is no connector', { name: 'core' }, /is no connector/],
    ['a package without version', { name: 'slack', sdk: '@slack/bolt' }, /no package with an exact version/],
    ['a range', { name: 'slack', sdk: '@slack/bolt@^4.0.0' }, /no package with an exact version/],
  ])('refuses %s, writing nothing', async (_what, options, expected) => {
    const tree = createWorkspace();
    const before = tree.listChanges().length;
    await expect(connectorGenerator(tree, options)).rejects.toThrow(expected);
    expect(tree.listChanges()).toHaveLength(before);
  });

  it('refuses a name that is taken', async () => {
    const tree = createWorkspace();
    await connectorGenerator(tree, { name: 'slack' });
    await expect(connectorGenerator(tree, { name: 'slack' })).rejects.toThrow(/is there already/);
  });
});
