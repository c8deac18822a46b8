import * as ts from 'typescript';
import { type Finding } from '../workspace/finding.js';
import { lineOfNode, nodesOf, sourcesOf } from '../workspace/source.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';

const SLEEPERS = new Set(['sleep', 'delay', 'wait', 'pause', 'setTimeout']);

/**
 * A test waits for a condition, never for a time: too short on a busy machine, too long on all others. The pause inside a loop that
 * looks at a condition is none, nor is one on a clock that the test itself moves (`sleep(clock, …)`). A load that is driven at a pace, or
 * a fault that lasts for a time, stands apart from the specs.
 */
export function checkFixedSleeps(view: WorkspaceView): Finding[] {
  return sourcesOf(view)
    .filter(({ file }) => /\.(?:spec|e2e)\.ts$|\/(?:testing|support)\//.test(file))
    .flatMap((source) =>
      [...nodesOf(source.tree)]
        .filter((node) => (isSleep(node) || isSleepingPromise(node)) && !isInLoop(node))
        .map((node) => ({
          file: source.file,
          line: lineOfNode(source, node),
          rule: 'fixed sleep',
          message: 'the test waits for a time, whatever happens',
          cure: 'wait for a condition with a limit (waitFor), or move a manual clock',
        })),
    );
}

/** `await delay(50)`, `await setTimeout(50)` */
function isSleep(node: ts.Node): boolean {
  if (!ts.isAwaitExpression(node) || !ts.isCallExpression(node.expression)) return false;
  const {
    arguments: [first],
    expression,
  } = node.expression;
  const name = ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
  return SLEEPERS.has(name) && first !== undefined && isDuration(first);
}

/** `new Promise((resolve) => setTimeout(resolve, 50))` */
function isSleepingPromise(node: ts.Node): boolean {
  if (!ts.isNewExpression(node) || node.expression.getText() !== 'Promise') return false;
  const executor = node.arguments?.[0];
  if (executor === undefined || !(ts.isArrowFunction(executor) || ts.isFunctionExpression(executor)))
    return false;
  const resolve = executor.parameters[0]?.name.getText();
  return [...nodesOf(executor.body)].some(
    (call) =>
      ts.isCallExpression(call) &&
      call.expression.getText() === 'setTimeout' &&
      call.arguments[0]?.getText() === resolve &&
      call.arguments[1] !== undefined,
  );
}

/** A number, or a constant named like one: `WAIT_MS`. */
function isDuration(node: ts.Expression): boolean {
  return (
    ts.isNumericLiteral(node) ||
    (ts.isIdentifier(node) && /^[A-Z][A-Z0-9_]*$|Ms$|[sS]econds$/.test(node.text))
  );
}

function isInLoop(node: ts.Node): boolean {
  for (let outer = node.parent; !ts.isSourceFile(outer) && !ts.isFunctionLike(outer); outer = outer.parent) {
    if (ts.isWhileStatement(outer) || ts.isDoStatement(outer)) return true;
    if (ts.isForStatement(outer)) return !countsOnly(outer);
  }
  return false;
}

/** A loop that counts to a number is a longer sleep, unless it is left on a condition. */
function countsOnly({ condition, statement }: ts.ForStatement): boolean {
  const counts =
    condition !== undefined &&
    ts.isBinaryExpression(condition) &&
    condition.operatorToken.kind !== ts.SyntaxKind.AmpersandAmpersandToken;
  return (
    counts && ![...nodesOf(statement)].some((node) => ts.isReturnStatement(node) || ts.isBreakStatement(node))
  );
}
