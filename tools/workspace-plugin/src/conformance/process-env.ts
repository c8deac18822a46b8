import * as ts from 'typescript';
import { type Finding } from '../workspace/finding.js';
import { isTestFile, lineOfNode, nodesOf, sourcesOf } from '../workspace/source.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';

/** Where the environment may be read: the mains, tools, and what serves tests only. */
function mayRead(file: string): boolean {
  return (
    /^apps\/[^/]+\/src\/(?:[^/]+\/)?main\.ts$/.test(file) ||
    // Bots have no main of ours: their library reads the standard environment of the bus for them.
    file === 'libs/bot/src/process-environment.ts' ||
    file.startsWith('tools/') ||
    file.endsWith('.config.cjs') ||
    isTestFile(file)
  );
}

/** The environment is read in `main.ts` alone; configuration reaches everything else as values. */
export function checkProcessEnv(view: WorkspaceView): Finding[] {
  return sourcesOf(view)
    .filter(({ file }) => !mayRead(file))
    .flatMap((source) =>
      [...nodesOf(source.tree)].filter(readsEnvironment).map((node) => ({
        file: source.file,
        line: lineOfNode(source, node),
        rule: 'process.env',
        message: 'the environment is read outside main.ts',
        cure: 'take the value as an argument; a variable belongs into the schema in config.ts',
      })),
    );
}

function readsEnvironment(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) return isProcess(node.expression) && node.name.text === 'env';
  if (ts.isElementAccessExpression(node)) {
    const { argumentExpression: key, expression } = node;
    return isProcess(expression) && ts.isStringLiteralLike(key) && key.text === 'env';
  }
  if (ts.isVariableDeclaration(node) && node.initializer !== undefined) {
    return isProcess(node.initializer) && ts.isObjectBindingPattern(node.name) && binds(node.name, 'env');
  }
  if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) return false;
  const bindings = node.importClause?.namedBindings;
  return (
    /^(?:node:)?process$/.test(node.moduleSpecifier.text) &&
    bindings !== undefined &&
    ts.isNamedImports(bindings) &&
    bindings.elements.some(({ name, propertyName }) => (propertyName ?? name).text === 'env')
  );
}

function isProcess(node: ts.Expression): boolean {
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'process';
  return ts.isIdentifier(node) && node.text === 'process';
}

function binds(pattern: ts.ObjectBindingPattern, key: string): boolean {
  return pattern.elements.some(({ name, propertyName }) => (propertyName ?? name).getText() === key);
}
