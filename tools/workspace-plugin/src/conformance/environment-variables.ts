import { type Architecture, type OwnedVariable, variablesOf } from '../architecture/architecture.js';
import { ARCHITECTURE_FILE, readArchitecture } from '../architecture/read-architecture.js';
import { type Finding } from '../workspace/finding.js';
import { projectsOf } from '../workspace/projects.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';
import { type ReadVariable, readVariables } from './schema-variables.js';

const RULE = 'environment variable';

/** What the schemas read and what architecture.yaml says are the same: names, owners, defaults and bounds. */
export function checkEnvironmentVariables(view: WorkspaceView): Finding[] {
  const result = readArchitecture(view);
  return result.ok ? compareVariables(result.architecture, view) : [...result.findings];
}

/** Compares the variables that are described with those that the view's sources read, in both directions. */
export function compareVariables(described: Pick<Architecture, 'variables'>, view: WorkspaceView): Finding[] {
  const read = readVariables(view);
  return [...undescribed(described, read), ...unfounded(described, read, view)];
}

/** Variables that are read but not described. */
function undescribed(
  architecture: Pick<Architecture, 'variables'>,
  read: readonly ReadVariable[],
): Finding[] {
  const described = new Set(variablesOf(architecture).map(({ name }) => name));
  return read
    .filter(({ name }) => !described.has(name))
    .map(({ file, line, name, root }) => ({
      file,
      line,
      rule: RULE,
      message: `${name} does not stand in ${ARCHITECTURE_FILE}`,
      cure: `describe it there under variables, ${root.split('/').at(-1) ?? root}, and run npx nx run workspace-plugin:generate`,
    }));
}

/** Variables that are described but not read by their owner, or otherwise than they are described. */
function unfounded(
  architecture: Pick<Architecture, 'variables'>,
  read: readonly ReadVariable[],
  view: WorkspaceView,
): Finding[] {
  const lines = (view.read(ARCHITECTURE_FILE) ?? '').split('\n');
  const roots = new Map(projectsOf(view).map(({ name, root }) => [name, root]));
  return variablesOf(architecture).flatMap((variable) => {
    const { name, owner } = variable;
    const finding = (message: string, cure: string): Finding => ({
      file: ARCHITECTURE_FILE,
      line: lines.findIndex((line) => line.endsWith(`name: ${name}`)) + 1 || 1,
      rule: RULE,
      message,
      cure,
    });
    const root = roots.get(owner);
    if (root === undefined) {
      return [
        finding(`${name} belongs to ${owner}, which is no project`, 'put it under the project that reads it'),
      ];
    }
    const found = read.find((candidate) => candidate.name === name && candidate.root === root);
    if (found === undefined) {
      return [
        finding(
          `${name} is not read by ${owner}`,
          'remove it here, correct its name, or add it to the schema',
        ),
      ];
    }
    return differences(variable, found).map(([key, value]) =>
      finding(
        `${name} has the ${key} ${value} here, but not in ${found.file}:${found.line}`,
        `make both say the same, then run npx nx run workspace-plugin:generate`,
      ),
    );
  });
}

function differences(variable: OwnedVariable, { literals }: ReadVariable): [key: string, value: string][] {
  if (literals.size === 0) return [];
  const { default: fallback, maximum, minimum, values } = variable;
  const claims: [string, string | undefined][] = [
    ['default', fallback],
    ['minimum', minimum === undefined ? undefined : String(minimum)],
    ['maximum', maximum === undefined ? undefined : String(maximum)],
    ...(values ?? []).map((value): [string, string] => ['value', value]),
  ];
  return claims.flatMap(([key, value]) => (value === undefined || literals.has(value) ? [] : [[key, value]]));
}
