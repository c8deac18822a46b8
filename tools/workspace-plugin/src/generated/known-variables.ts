import { type Architecture, variablesOf } from '../architecture/architecture.js';

const HEAD = `// Generated from architecture.yaml: change it there, then run \`npx nx run workspace-plugin:generate\`.

/** Every setting of the service and of the sandbox. */
export const KNOWN_VARIABLES: ReadonlySet<string> = new Set([`;

/** The names of all settings as a source file, for whatever looks for misspelt ones. */
export function renderKnownVariables(architecture: Pick<Architecture, 'variables'>): string {
  const names = variablesOf(architecture).map(({ name }) => `  '${name}',`);
  return `${[HEAD, ...names].join('\n')}\n]);\n`;
}
