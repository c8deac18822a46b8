import * as ts from 'typescript';
import { nodesOf } from '../../workspace/source.js';
import { type ConnectorNames } from './connector-names.js';

/** The service's composition with an import and a row for the connector. @throws Error where the table is missing */
export function addToComposition(text: string, { camel, name, pascal }: ConnectorNames): string {
  const row = `  {
    name: '${name}',
    read: (reader) => {
      const settings = reader.read(${camel}ConfigSchema);
      return settings?.enabled === true ? create${pascal}Connector(settings) : undefined;
    },
  },
`;
  const table = initializerOf(text, 'PLATFORMS');
  if (table === undefined || !ts.isArrayLiteralExpression(table)) {
    throw new Error('the composition has no table PLATFORMS: add the connector by hand');
  }
  const withRow = insert(text, table.end - 1, row);
  const line = `import { create${pascal}Connector, ${camel}ConfigSchema } from '@bitbrat/connectors-${name}';\n`;
  const behind = [...withRow.matchAll(/^(?:import .*|\}) from '@bitbrat\/([^']+)';\n/gm)].filter(
    ([, project = '']) => project < `connectors-${name}`,
  );
  const last = behind.at(-1);
  return insert(withRow, last === undefined ? 0 : last.index + last[0].length, line);
}

/** The lint configuration with the vendor's package reserved for the connector. @throws Error where the table is missing */
export function addToVendorTable(text: string, { name }: ConnectorNames, sdk: string): string {
  const table = initializerOf(text, 'vendorSdks');
  if (table === undefined || !ts.isObjectLiteralExpression(table)) {
    throw new Error('eslint.config.mjs has no table vendorSdks: add the package by hand');
  }
  return insert(text, table.end - 1, `  'libs/connectors-${name}': ['${sdk}'],\n`);
}

/** The README with a row for the connector behind those of the other connectors. Unchanged where it has no such table. */
export function addToReadme(text: string, { name, title }: ConnectorNames): string {
  const rows = [...text.matchAll(/^\| `libs\/connectors-[^|]*\|[^|]*\|\n/gm)];
  const last = rows.at(-1);
  if (last === undefined) return text;
  return insert(text, last.index + last[0].length, `| \`libs/connectors-${name}\` | ${title} |\n`);
}

function initializerOf(text: string, variable: string): ts.Expression | undefined {
  const tree = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true);
  for (const node of nodesOf(tree)) {
    if (ts.isVariableDeclaration(node) && node.name.getText(tree) === variable) return node.initializer;
  }
  return undefined;
}

function insert(text: string, at: number, part: string): string {
  return text.slice(0, at) + part + text.slice(at);
}
