import { type Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { checkDisabledTests } from '../../conformance/disabled-tests.js';
import { checkProcessEnv } from '../../conformance/process-env.js';
import { checkProjectTags } from '../../conformance/project-tags.js';
import { createView } from '../../workspace/workspace-view.js';
import { botGenerator } from './generator.js';

function createWorkspace(): Tree {
  const tree = createTreeWithEmptyWorkspace();
  // Without a formatter's settings nothing is formatted: Prettier is an ES module, which Jest cannot load.
  tree.delete('.prettierrc');
  for (const file of tree.children('.').filter((child) => child.startsWith('.oxfmtrc'))) tree.delete(file);
  return tree;
}

const written = (tree: Tree): Record<string, string> =>
  Object.fromEntries(
    tree
      .listChanges()
      .filter(({ path }) => path.startsWith('apps/'))
      .map(({ path }) => [path, tree.read(path, 'utf8') ?? '']),
  );

describe('the bot generator', () => {
  it('makes a bot that the conformance checks accept, and leaves no template behind', async () => {
    const tree = createWorkspace();
    await botGenerator(tree, { name: 'faq-desk' });
    const files = written(tree);
    expect(Object.keys(files).sort()).toEqual(
      [
        'README.md',
        'jest.config.cjs',
        'package.json',
        'src/bot.spec.ts',
        'src/bot.ts',
        'src/main.ts',
        'tsconfig.app.json',
        'tsconfig.json',
        'tsconfig.spec.json',
      ].map((file) => `apps/bot-faq-desk/${file}`),
    );
    const view = createView(files);
    const checks = [checkDisabledTests, checkProcessEnv, checkProjectTags];
    expect(checks.flatMap((check) => check(view))).toEqual([]);
    expect(Object.values(files).filter((text) => /<%|%>|\.template\b/.test(text))).toEqual([]);
    expect(files['apps/bot-faq-desk/src/bot.ts']).toContain("name: 'faq-desk'");
  });

  it.each(['', 'Orders', '1st', 'orders-', '../orders', 'a b', 'bot-orders', 'a'.repeat(51)])(
    'refuses the name %j, writing nothing',
    async (name) => {
      const tree = createWorkspace();
      await expect(botGenerator(tree, { name })).rejects.toThrow(/use lower-case letters/);
      expect(written(tree)).toEqual({});
    },
  );

  it('refuses a name that is taken', async () => {
    const tree = createWorkspace();
    await botGenerator(tree, { name: 'orders' });
    await expect(botGenerator(tree, { name: 'orders' })).rejects.toThrow(/exists already/);
  });
});
