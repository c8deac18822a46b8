import { createProjectGraphAsync } from '@nx/devkit';
import { filterAffected } from 'nx/src/project-graph/affected/affected-project-graph.js';
import { calculateFileChanges } from 'nx/src/project-graph/file-utils.js';
import { type Finding } from '../workspace/finding.js';
import { connectorsOf, projectsOf } from '../workspace/projects.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';

/** Which projects must be worked on when a file was touched. */
export interface AffectedRow {
  readonly file: string;
  readonly projects: readonly string[];
}

/** Asks which projects a touched file affects. */
export type AffectedBy = (file: string) => Promise<readonly string[]>;

/** The projects that stand on the service. */
const SERVICE = ['ingress-egress', 'ingress-egress-e2e'];

/** The table: a change runs what it can break and nothing else. */
export function affectedRows(view: WorkspaceView): AffectedRow[] {
  const connectors = connectorsOf(view).map((name) => `connectors-${name}`);
  const testedInSandbox = connectors.filter((name) =>
    view.read(`libs/${name}/package.json`)?.includes('"@bitbrat/sandbox"'),
  );
  const all = projectsOf(view).map(({ name }) => name);
  const bots = all.filter((name) => name === 'bot' || name.startsWith('bot-'));
  const withoutPlugin = all.filter((name) => name !== 'workspace-plugin');
  return [
    ...connectors.map((name) => ({ file: `libs/${name}/src/index.ts`, projects: [name, ...SERVICE] })),
    { file: 'apps/ingress-egress/src/main.ts', projects: SERVICE },
    // The generator writes into it, and its specs prove that it still can.
    { file: 'apps/ingress-egress/src/composition.ts', projects: [...SERVICE, 'workspace-plugin'] },
    { file: 'apps/ingress-egress-e2e/package.json', projects: ['ingress-egress-e2e'] },
    {
      file: 'libs/connectors-core/src/index.ts',
      projects: ['connectors-core', 'connectors-testing', ...connectors, ...SERVICE],
    },
    {
      file: 'libs/connectors-testing/src/index.ts',
      projects: ['connectors-testing', ...connectors, ...SERVICE],
    },
    {
      file: 'libs/foundation/src/index.ts',
      projects: withoutPlugin.filter((name) => !['sandbox', 'emulators', 'envelope'].includes(name)),
    },
    { file: 'libs/message-bus/src/index.ts', projects: ['message-bus', ...bots, ...SERVICE] },
    ...(bots.length === 0 ? [] : [{ file: 'libs/bot/src/index.ts', projects: bots }]),
    { file: 'libs/state-store/src/index.ts', projects: ['state-store', ...SERVICE] },
    {
      file: 'libs/envelope/src/index.ts',
      projects: withoutPlugin.filter(
        (name) => !['sandbox', 'emulators', 'foundation', 'message-bus', 'state-store'].includes(name),
      ),
    },
    { file: 'tools/sandbox/src/index.ts', projects: ['sandbox', ...testedInSandbox, ...SERVICE] },
    {
      file: 'tools/emulators/src/index.ts',
      projects: ['emulators', 'message-bus', 'state-store', ...bots, ...SERVICE],
    },
    { file: 'tools/workspace-plugin/package.json', projects: ['workspace-plugin'] },
    { file: 'architecture.yaml', projects: ['workspace-plugin'] },
    // Its code is compiled by the bot library's tests.
    { file: 'README.md', projects: bots },
    { file: 'docs/adding-a-connector.md', projects: [] },
    { file: 'tsconfig.base.json', projects: all },
  ];
}

/** Compares the table with what `nx affected` would run. */
export async function checkAffectedSets(view: WorkspaceView, affectedBy: AffectedBy): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { file, projects } of affectedRows(view)) {
    findings.push(...compare(file, projects, await affectedBy(file)));
  }
  return findings;
}

function compare(file: string, expected: readonly string[], actual: readonly string[]): Finding[] {
  const extra = actual.filter((name) => !expected.includes(name));
  const missing = expected.filter((name) => !actual.includes(name));
  if (extra.length === 0 && missing.length === 0) return [];
  const faults = [
    ...(extra.length === 0 ? [] : [`affects ${extra.join(', ')}, which it should not`]),
    ...(missing.length === 0 ? [] : [`does not affect ${missing.join(', ')}`]),
  ];
  return [
    {
      file,
      line: 1,
      rule: 'affected set',
      message: `a change of this file ${faults.join(' and ')}`,
      cure: 'correct the imports, tags or dependencies, or the table in tools/workspace-plugin/src/conformance/affected-sets.ts',
    },
  ];
}

/**
 * Asks Nx itself, by the function behind `nx affected` and `nx show projects --affected`. The commands would load the workspace anew for each
 * row of the table, some three seconds each.
 */
export async function createNxAffected(): Promise<AffectedBy> {
  const graph = await createProjectGraphAsync({ exitOnError: true });
  return async (file) => {
    const changes = calculateFileChanges([file], { base: 'HEAD' });
    const affected = await filterAffected(graph, changes);
    return Object.keys(affected.nodes);
  };
}
