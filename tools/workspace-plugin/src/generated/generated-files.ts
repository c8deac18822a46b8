import { type Architecture } from '../architecture/architecture.js';
import { projectsOf } from '../workspace/projects.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';
import { contractTypeFiles } from './contract-types/contract-types.js';
import { renderConfigTable } from './config-table.js';
import { DEPLOYMENT_FILES } from './deployment-files.js';
import { renderEnvExample } from './env-example.js';
import { renderKnownVariables } from './known-variables.js';
import { replaceBlock } from './marked-block.js';

/** A file that is made, whole or in part, from `architecture.yaml` or from the contract's schemas. */
export interface GeneratedFile {
  /** Relative to the workspace's root. */
  readonly file: string;
  /**
   * The file's whole new text. Pure: the same input gives the same text.
   * @param current the text as it stands, for files that are generated in part; undefined where there is no file
   */
  readonly render: (architecture: Architecture, current: string | undefined) => string;
}

/** Files at a fixed place. A further generated file is a further row. */
const FIXED_FILES: readonly GeneratedFile[] = [
  { file: '.env.example', render: renderEnvExample },
  { file: 'apps/ingress-egress/src/settings/known-variables.ts', render: renderKnownVariables },
  ...DEPLOYMENT_FILES,
];

/** All generated files of a workspace: the fixed ones, the contract's types, and the configuration table of each project's README. */
export function generatedFiles(architecture: Architecture, view: WorkspaceView): GeneratedFile[] {
  const readmes = projectsOf(view)
    .filter(
      ({ name, root }) => name in architecture.variables && view.read(`${root}/README.md`) !== undefined,
    )
    .map(({ name, root }): GeneratedFile => ({
      file: `${root}/README.md`,
      render: ({ variables }, current) =>
        replaceBlock(current ?? '', 'config', renderConfigTable(variables[name] ?? [])),
    }));
  return [...FIXED_FILES, ...contractTypeFiles(view), ...readmes];
}
