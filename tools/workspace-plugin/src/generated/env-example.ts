import { type Architecture, type Variable } from '../architecture/architecture.js';
import { describeType } from './describe-type.js';

const HEAD = `# Generated from architecture.yaml: change it there, then run \`npx nx run workspace-plugin:generate\`.
#
# Copy it to .env, which git leaves out, and take the # from the settings that you change. The service, the doctor, the
# dead-letters command, npm start, sms, chat and the sandbox read .env in the folder in which they are started. A variable of
# the environment wins over one of the file.
# A setting that is left out or empty has its default. Secrets belong in .env or Secret Manager, never here.`;

/** `.env.example`: every setting with its meaning, commented out. No secret has a value in it. */
export function renderEnvExample({ variables }: Architecture): string {
  const sections = Object.entries(variables).map(([owner, list]) => {
    const settings = list.filter(({ providedBy }) => providedBy === undefined).map(renderVariable);
    return [`# --- ${owner} ---`, ...settings].join('\n\n');
  });
  return `${[HEAD, ...sections].join('\n\n')}\n`;
}

function renderVariable(variable: Variable): string {
  const { meaning, name, requiredWhen, secret } = variable;
  const facts = [
    describeType(variable).replaceAll('`', ''),
    ...(requiredWhen === undefined ? [] : [`required when ${requiredWhen}`]),
    ...(secret === true ? ['secret'] : []),
  ];
  return [
    `# ${meaning.replaceAll('`', '')}`,
    `# (${facts.join('; ')})`,
    `#${name}=${variable.default ?? ''}`,
  ].join('\n');
}
