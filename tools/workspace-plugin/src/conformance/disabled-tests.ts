import * as ts from 'typescript';
import { type Finding } from '../workspace/finding.js';
import { lineOfNode, nodesOf, sourcesOf } from '../workspace/source.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';

const REGISTRARS = new Set(['it', 'test', 'describe']);
const DISABLING = new Set(['skip', 'only', 'todo', 'failing']);
const DISABLED_REGISTRARS = new Set(['xit', 'xtest', 'xdescribe', 'fit', 'fdescribe']);

/** They leave a suite out by name where what it needs is missing, and fail instead where `CI` is `true`. */
const ALLOWED = new Set([
  'apps/ingress-egress-e2e/src/support/describe-with-python.ts',
  'libs/bot/src/fixtures/describe-with-python.e2e.ts',
  'tools/emulators/src/describe-with-emulator.ts',
]);

/** No test is disabled, and none is run at the cost of others. */
export function checkDisabledTests(view: WorkspaceView): Finding[] {
  return sourcesOf(view)
    .filter(({ file }) => !ALLOWED.has(file))
    .flatMap((source) =>
      [...nodesOf(source.tree)].flatMap((node) => {
        const word = disabledBy(node);
        if (word === undefined) return [];
        return [
          {
            file: source.file,
            line: lineOfNode(source, node),
            rule: 'disabled test',
            message: `${word} leaves tests out`,
            cure: 'run it, or delete the test; where it needs something that may be missing, fail by name in CI',
          },
        ];
      }),
    );
}

function disabledBy(node: ts.Node): string | undefined {
  if (ts.isCallExpression(node)) {
    const { expression } = node;
    return ts.isIdentifier(expression) && DISABLED_REGISTRARS.has(expression.text)
      ? expression.text
      : undefined;
  }
  if (!ts.isPropertyAccessExpression(node) || !DISABLING.has(node.name.text)) return undefined;
  let root: ts.Expression = node.expression;
  while (ts.isPropertyAccessExpression(root)) root = root.expression;
  return ts.isIdentifier(root) && REGISTRARS.has(root.text) ? node.getText() : undefined;
}
