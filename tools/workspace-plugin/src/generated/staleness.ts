import { type Architecture } from '../architecture/architecture.js';
import { type Finding, lineOf } from '../workspace/finding.js';
import { type WorkspaceView } from '../workspace/workspace-view.js';
import { generatedFiles } from './generated-files.js';
import { MissingMarkerError } from './marked-block.js';

/** What the generated files should be, and what stands in the way. */
export interface Generation {
  /** Files whose text differs from what it should be, with the text that it should be. */
  readonly stale: readonly { readonly file: string; readonly line: number; readonly text: string }[];
  /** Files that cannot be generated. */
  readonly findings: readonly Finding[];
}

/** Renders every generated file and compares. Writes nothing. */
export function compareGenerated(architecture: Architecture, view: WorkspaceView): Generation {
  const stale: { file: string; line: number; text: string }[] = [];
  const findings: Finding[] = [];
  for (const { file, render } of generatedFiles(architecture, view)) {
    const current = view.read(file);
    try {
      const text = render(architecture, current);
      if (text !== current) stale.push({ file, line: firstDifference(current ?? '', text), text });
    } catch (error) {
      if (!(error instanceof MissingMarkerError)) throw error;
      findings.push({
        file,
        line: lineOf(current ?? '', '## Configuration'),
        rule: 'generated file',
        message: error.message,
        cure: `put both lines where the table shall stand, then run npx nx run workspace-plugin:generate`,
      });
    }
  }
  return { stale, findings };
}

/** Stale files as findings. */
export function staleFindings({ findings, stale }: Generation): Finding[] {
  const differing = stale.map(({ file, line }) => ({
    file,
    line,
    rule: 'generated file',
    message: 'differs from what it is generated from',
    cure: 'run npx nx run workspace-plugin:generate and commit the file; change architecture.yaml or the schemas, never the file',
  }));
  return [...findings, ...differing];
}

function firstDifference(current: string, text: string): number {
  const [before, after] = [current.split('\n'), text.split('\n')];
  const index = before.findIndex((line, at) => line !== after[at]);
  return (index === -1 ? Math.min(before.length, after.length) : index) + 1;
}
