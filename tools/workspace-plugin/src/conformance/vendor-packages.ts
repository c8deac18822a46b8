import * as ts from 'typescript';
import { nodesOf, sourceOf } from '../workspace/source.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';

const LINT_CONFIG = 'eslint.config.mjs';
const TABLE = 'vendorSdks';

/** A vendor's package and the one project that may import it. */
export interface VendorPackage {
  readonly name: string;
  /** The project's folder: `libs/connectors-twilio`. */
  readonly owner: string;
}

/** The table `vendorSdks` of the lint configuration, so that the two never differ. */
export function vendorPackagesOf(view: WorkspaceView): VendorPackage[] {
  const source = sourceOf(view, LINT_CONFIG);
  if (source === undefined) return [];
  for (const node of nodesOf(source.tree)) {
    if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name) || node.name.text !== TABLE) continue;
    const { initializer } = node;
    return initializer && ts.isObjectLiteralExpression(initializer) ? readTable(initializer) : [];
  }
  return [];
}

function readTable(table: ts.ObjectLiteralExpression): VendorPackage[] {
  return table.properties.flatMap((row) => {
    if (!ts.isPropertyAssignment(row) || !ts.isStringLiteral(row.name)) return [];
    const owner = row.name.text;
    const names = ts.isArrayLiteralExpression(row.initializer) ? row.initializer.elements : [];
    return [...names].filter(ts.isStringLiteral).map(({ text }) => ({ name: text, owner }));
  });
}
