import * as ts from 'typescript';
import { isTestFile, lineOfNode, nodesOf, type Source, sourcesOf } from '../workspace/source.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';

/** An environment variable that a source file reads. */
export interface ReadVariable {
  readonly name: string;
  /** The folder of the project that reads it: `libs/connectors-twilio`. */
  readonly root: string;
  readonly file: string;
  readonly line: number;
  /** The literals of its schema, as text: among them are its default and its bounds. Empty where it has no schema. */
  readonly literals: ReadonlySet<string>;
}

const VARIABLE = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;

/**
 * The variables that the production code reads: keys of a zod object in a `config.ts`, the first argument of `connectorSettings`, and what is
 * looked up by name in an environment (`environment['X']`, `process.env['X']`).
 *
 * They are read from the syntax and not from the schemas: a connector's schema is a transform over a record and does not tell its keys,
 * and a check that imports connectors breaks with the first one that does not compile.
 */
export function readVariables(view: WorkspaceView): ReadVariable[] {
  const found = new Map<string, ReadVariable>();
  for (const source of sourcesOf(view)) {
    const root = /^(?:apps|libs|tools)\/[^/]+/.exec(source.file)?.[0] ?? '';
    if (isTestFile(source.file) || isNoProduct(view, root)) continue;
    for (const [name, node, schema] of namesIn(source)) {
      const key = `${root} ${name}`;
      const literals = new Set([...(found.get(key)?.literals ?? []), ...literalsOf(schema)]);
      const { file } = source;
      const line = lineOfNode(source, node);
      found.set(key, { ...(found.get(key) ?? { name, root, file, line }), literals });
    }
  }
  return [...found.values()];
}

/** What tests and checks are made with. */
const NO_PRODUCT = new Set(['tools/emulators', 'tools/workspace-plugin']);

/** Bots and their library: programs of their own, whose settings the gateway does not know. */
const BOTS = /^(?:libs\/bot|apps\/bot-[^/]+)$/;

/** Scripts that are no project, and projects that only tests and checks use: what they read is no setting of the product. */
function isNoProduct(view: WorkspaceView, root: string): boolean {
  return NO_PRODUCT.has(root) || BOTS.test(root) || view.read(`${root}/package.json`) === undefined;
}

function* namesIn(source: Source): Generator<readonly [string, ts.Node, ts.Node | undefined]> {
  const inConfig = source.file.endsWith('/config.ts');
  for (const node of nodesOf(source.tree)) {
    if (inConfig && ts.isPropertyAssignment(node) && isSchemaKey(node)) {
      yield [node.name.getText(source.tree), node, node.initializer];
    } else if (
      inConfig &&
      ts.isCallExpression(node) &&
      node.expression.getText(source.tree) === 'connectorSettings'
    ) {
      const [enabledBy] = node.arguments;
      if (enabledBy !== undefined && ts.isStringLiteralLike(enabledBy))
        yield [enabledBy.text, node, ts.factory.createFalse()];
    } else if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
      const { text } = node.argumentExpression;
      const from = node.expression.getText(source.tree);
      if (VARIABLE.test(text) && /^(?:process\.env|env|environment)$/.test(from)) {
        yield [text, node, inConfig && ts.isBinaryExpression(node.parent) ? node.parent.right : undefined];
      }
    }
  }
}

function isSchemaKey(node: ts.PropertyAssignment): boolean {
  const call = node.parent.parent;
  return (
    ts.isIdentifier(node.name) &&
    VARIABLE.test(node.name.text) &&
    ts.isCallExpression(call) &&
    ts.isPropertyAccessExpression(call.expression) &&
    /^(?:strict|loose)?[oO]bject$/.test(call.expression.name.text)
  );
}

function* literalsOf(schema: ts.Node | undefined): Generator<string> {
  for (const node of schema === undefined ? [] : nodesOf(schema)) {
    if (ts.isStringLiteralLike(node)) yield node.text;
    else if (ts.isNumericLiteral(node)) yield String(Number(node.text));
    else if (node.kind === ts.SyntaxKind.TrueKeyword) yield 'true';
    else if (node.kind === ts.SyntaxKind.FalseKeyword) yield 'false';
  }
}
