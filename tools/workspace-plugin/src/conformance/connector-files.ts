import { connectorsOf } from '../workspace/projects.js';
import { type Finding } from '../workspace/finding.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';
import { vendorPackagesOf } from './vendor-packages.js';

const RULE = 'connector files';

/** `my-chat` -> `MyChat`. */
export const pascalCase = (slug: string): string =>
  slug
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

/** What each connector has, by file, and what the file exports. */
function standardFiles(name: string): Readonly<Record<string, readonly string[]>> {
  const [pascal, camel] = [
    pascalCase(name),
    pascalCase(name).replace(/^./, (letter) => letter.toLowerCase()),
  ];
  return {
    'README.md': [],
    'package.json': [],
    'jest.config.cjs': [],
    'jest.int.config.cjs': [],
    'tsconfig.json': [],
    'tsconfig.lib.json': [],
    'tsconfig.spec.json': [],
    'src/index.ts': [`create${pascal}Connector`, `${camel}ConfigSchema`],
    'src/config.ts': [`${camel}ConfigSchema`],
    'src/capabilities.ts': [],
    [`src/${name}-ingress-client.ts`]: [`${pascal}IngressClient`],
    [`src/inbound/${name}-envelope-builder.ts`]: [`${pascal}EnvelopeBuilder`],
    'src/connector-adapter.ts': [`${pascal}ConnectorAdapter`],
    'src/platform/errors.ts': [],
  };
}

/** Siblings look alike: each connector has the standard files, and in them the standard names. */
export function checkConnectorFiles(view: WorkspaceView): Finding[] {
  const vendors = vendorPackagesOf(view);
  return connectorsOf(view).flatMap((name) => {
    const root = `libs/connectors-${name}`;
    const sdk = vendors.some(({ owner }) => owner === root) ? { 'src/session/sdk.ts': [] } : {};
    const files = Object.entries({ ...standardFiles(name), ...sdk });
    return [
      ...files.flatMap(([file, names]) => checkFile(view, `${root}/${file}`, names)),
      ...(view.files.some((file) => file.startsWith(`${root}/src/fixtures/`))
        ? []
        : [
            {
              file: `${root}/src/fixtures`,
              line: 1,
              rule: RULE,
              message: 'the folder is missing or empty',
              cure: 'put real payloads of the platform there, scrubbed, for the specs to read as tables',
            },
          ]),
    ];
  });
}

function checkFile(view: WorkspaceView, file: string, names: readonly string[]): Finding[] {
  const text = view.read(file);
  if (text === undefined) {
    const cure = 'add the file: docs/adding-a-connector.md says what each one holds';
    return [{ file, line: 1, rule: RULE, message: 'the file is missing', cure }];
  }
  return names
    .filter((name) => !new RegExp(`\\bexport\\b[^;]*?\\b${name}\\b`, 's').test(text))
    .map((name) => ({
      file,
      line: 1,
      rule: RULE,
      message: `${name} is not exported`,
      cure: `export ${name}, as the other connectors export theirs`,
    }));
}
