import * as ts from 'typescript';
import { type WorkspaceView } from './workspace-view.js';

/**
 * A parsed TypeScript or JavaScript file. Rules look at the syntax tree and not at the text, so that what stands in a
 * comment, a string or a template counts as what it is.
 */
export interface Source {
  readonly file: string;
  readonly tree: ts.SourceFile;
}

const parsed = new WeakMap<WorkspaceView, Map<string, Source>>();

/** The parsed file; undefined where there is none. */
export function sourceOf(view: WorkspaceView, file: string): Source | undefined {
  const known = parsed.get(view) ?? new Map<string, Source>();
  parsed.set(view, known);
  const text = view.read(file);
  if (text === undefined) return undefined;
  const source = known.get(file) ?? {
    file,
    tree: ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true),
  };
  known.set(file, source);
  return source;
}

/** All source files of the projects, whatever they are for. */
export function sourcesOf(view: WorkspaceView): Source[] {
  return view.files
    .filter((file) => /^(?:apps|libs|tools)\/.+\.[cm]?[jt]s$/.test(file) && !file.endsWith('.d.ts'))
    .flatMap((file) => sourceOf(view, file) ?? []);
}

/** Whether the file is run by a test runner or serves nothing but tests. */
export function isTestFile(file: string): boolean {
  return (
    /\.(?:spec|e2e|bench)\.ts$/.test(file) ||
    /^apps\/[^/]+-e2e\//.test(file) ||
    /^(?:libs\/connectors-[^/]+|tools\/sandbox)\/src\/(?:[^/]+\/)?testing\//.test(file) ||
    /^libs\/[^/]+\/(?:bench|src\/fixtures)\//.test(file)
  );
}

/** Every node of the tree, outer ones first. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    children.push(child);
  });
  for (const child of children) yield* nodesOf(child);
}

/** The line of a node, from 1. */
export function lineOfNode({ tree }: Source, node: ts.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}
