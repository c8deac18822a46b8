import * as ts from 'typescript';
import { connectorsOf } from '../workspace/projects.js';
import { type Finding } from '../workspace/finding.js';
import { nodesOf, sourcesOf } from '../workspace/source.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';

const SUITE = 'describeConnectorContract';

/** Each connector is put through the contract suite in a spec of its own. */
export function checkContractSuite(view: WorkspaceView): Finding[] {
  const callers = sourcesOf(view)
    .filter(({ file }) => file.endsWith('.spec.ts'))
    .filter(({ tree }) => [...nodesOf(tree)].some(callsSuite))
    .map(({ file }) => file);
  return connectorsOf(view)
    .filter((name) => !callers.some((file) => file.startsWith(`libs/connectors-${name}/`)))
    .map((name) => ({
      file: `libs/connectors-${name}/src/testing/connector-contract.int.spec.ts`,
      line: 1,
      rule: 'contract suite',
      message: `no spec of the connector calls ${SUITE}`,
      cure: `call it with a harness of the connector, see libs/connectors-testing/README.md`,
    }));
}

function callsSuite(node: ts.Node): boolean {
  return ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === SUITE;
}
