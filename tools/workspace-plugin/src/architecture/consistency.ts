import { type Finding } from '../workspace/finding.js';
import { type Architecture, type Variable, variablesOf } from './architecture.js';
import { checkDeployment } from './deployment-consistency.js';

/** Something that is wrong with the file. */
export type Fault = Pick<Finding, 'line' | 'message' | 'cure'>;
/** The line of something, by its path in the data. */
export type Locate = (path: readonly (string | number)[]) => number;

/** What a schema cannot say: parts of the file that must fit each other. Gives every fault, by line. */
export function checkConsistency(architecture: Architecture, locate: Locate): Fault[] {
  return [
    ...checkVariables(architecture, locate),
    ...checkSecrets(architecture, locate),
    ...checkValues(architecture, locate),
    ...checkProbes(architecture, locate),
    ...checkDeployment(architecture, locate),
  ];
}

function checkVariables(architecture: Architecture, locate: Locate): Fault[] {
  const names = new Set(variablesOf(architecture).map(({ name }) => name));
  const seen = new Map<string, string>();
  return Object.entries(architecture.variables).flatMap(([owner, variables]) =>
    variables.flatMap((variable, index) => {
      const at = (message: string, cure: string): Fault => ({
        line: locate(['variables', owner, index]),
        message: `${variable.name} ${message}`,
        cure,
      });
      const faults: Fault[] = [];
      const before = seen.get(variable.name);
      if (before !== undefined)
        faults.push(at(`stands twice, before under ${before}`, 'remove one of the two'));
      seen.set(variable.name, owner);
      if (variable.secret === true && variable.default !== undefined) {
        faults.push(
          at('is a secret with a default', 'remove the default: secrets stand in Secret Manager only'),
        );
      }
      if (variable.default !== undefined && variable.requiredWhen !== undefined) {
        faults.push(at('has a default and is required', 'remove one of the two'));
      }
      const expected = variable.default === undefined ? undefined : unfit(variable, variable.default);
      if (expected !== undefined)
        faults.push(at(`has a default that does not fit: expected ${expected}`, 'correct it'));
      for (const [name] of (variable.requiredWhen ?? '').matchAll(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/g)) {
        if (!names.has(name))
          faults.push(at(`is required by ${name}, which is unknown`, `add ${name} or correct the name`));
      }
      return faults;
    }),
  );
}

function checkSecrets(architecture: Architecture, locate: Locate): Fault[] {
  const secretVariables = variablesOf(architecture).filter(({ secret }) => secret === true);
  const listed = architecture.secrets.map(({ variable }) => variable);
  const stray = architecture.secrets.flatMap(({ variable }, index) =>
    secretVariables.some(({ name }) => name === variable) && listed.indexOf(variable) === index
      ? []
      : [
          {
            line: locate(['secrets', index]),
            message: `secrets has ${variable}, which is no variable with secret: true or stands there twice`,
            cure: `remove it, or mark the variable with secret: true`,
          },
        ],
  );
  const missing = secretVariables
    .filter(({ name }) => !listed.includes(name))
    .map(({ name, owner }) => ({
      line: locate(['variables', owner]),
      message: `${name} is a secret that secrets does not list`,
      cure: `add { variable: ${name}, secret: ${name.toLowerCase().replaceAll('_', '-')} } to secrets`,
    }));
  return [...stray, ...missing];
}

function checkValues(architecture: Architecture, locate: Locate): Fault[] {
  const known = new Map(variablesOf(architecture).map((variable) => [variable.name, variable]));
  const places = [
    [['deployment'], architecture.deployment.environment],
    [['overlays', 'dev'], architecture.overlays.dev.environment],
    [['overlays', 'prod'], architecture.overlays.prod.environment],
  ] as const;
  return places.flatMap(([path, environment]) =>
    Object.entries(environment).flatMap(([name, value]): Fault[] => {
      const line = locate([...path, 'environment', name]);
      const variable = known.get(name);
      if (variable === undefined) {
        return [
          { line, message: `${name} is set but unknown`, cure: 'add it to variables or correct the name' },
        ];
      }
      if (variable.secret === true) {
        return [
          {
            line,
            message: `${name} is a secret`,
            cure: 'remove its value here: it comes from Secret Manager',
          },
        ];
      }
      const expected = unfit(variable, value);
      return expected === undefined
        ? []
        : [{ line, message: `${name} has a value that does not fit`, cure: `use ${expected}` }];
    }),
  );
}

function checkProbes({ deployment, endpoints }: Architecture, locate: Locate): Fault[] {
  return Object.entries(deployment.probes)
    .filter(
      ([, { path }]) => !endpoints.some((endpoint) => endpoint.method === 'GET' && endpoint.path === path),
    )
    .map(([name, { path }]) => ({
      line: locate(['deployment', 'probes', name]),
      message: `the probe ${name} asks ${path}, which is no endpoint`,
      cure: `add GET ${path} to endpoints or correct the path`,
    }));
}

/** What would fit, where the value does not. */
function unfit({ maximum, minimum, type, values }: Variable, value: string): string | undefined {
  switch (type) {
    case 'boolean':
      return ['true', 'false'].includes(value) ? undefined : 'true or false';
    case 'enum':
      return values?.includes(value) === false ? values.join(', ') : undefined;
    case 'integer': {
      const number = /^\d+$/.test(value) ? Number(value) : NaN;
      const fits = number >= (minimum ?? -Infinity) && number <= (maximum ?? Infinity);
      return fits ? undefined : `a whole number from ${minimum ?? 'any'} to ${maximum ?? 'any'}`;
    }
    case 'url':
      return URL.canParse(value) ? undefined : 'a URL';
    case 'string':
    case 'list':
      return undefined;
    default:
      return type satisfies never;
  }
}
