import {
  formatFiles,
  generateFiles,
  type GeneratorCallback,
  logger,
  type Tree,
  workspaceRoot,
} from '@nx/devkit';
import { join } from 'node:path';

/** What `nx g @bitbrat/workspace-plugin:bot` takes; `schema.json` describes the same. */
export interface BotGeneratorOptions {
  /** The bot's name: `orders`. */
  readonly name: string;
}

const TEMPLATES = join(workspaceRoot, 'tools/workspace-plugin/src/generators/bot/files');

/** A bot's name, as libs/bot reads it. A `bot-` in front would be there twice. */
const NAME = /^(?!bot-)(?=.{1,50}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/**
 * A new bot in `apps/bot-{name}`, with its test. It lints, typechecks, passes its test and answers at once.
 * @throws Error where the name cannot be one or is taken; then nothing is written
 */
export async function botGenerator(tree: Tree, { name }: BotGeneratorOptions): Promise<GeneratorCallback> {
  if (!NAME.test(name)) {
    throw new Error(
      `"${name}" cannot be a bot's name: use lower-case letters, digits and single hyphens, 50 at most, a letter first and not "bot-"`,
    );
  }
  const root = `apps/bot-${name}`;
  if (tree.exists(root)) throw new Error(`${root} exists already: choose another name or delete the folder`);
  generateFiles(tree, TEMPLATES, root, { name });
  await formatFiles(tree);
  return () => {
    logger.info(nextSteps(name));
  };
}

export default botGenerator;

function nextSteps(name: string): string {
  return `
apps/bot-${name} is ready. Next:

  npm install                     links the package
  npx nx sync                     writes the TypeScript references
  npx nx test bot-${name}

and against \`npm start -- --no-echo\` in another terminal:

  PUBSUB_EMULATOR_HOST=127.0.0.1:8085 GOOGLE_CLOUD_PROJECT=local npx nx run bot-${name}:start

docs/writing-a-bot.md says what a bot can do.
`;
}
