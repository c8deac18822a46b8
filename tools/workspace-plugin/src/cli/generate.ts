import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readArchitecture } from '../architecture/read-architecture.js';
import { compareGenerated, staleFindings } from '../generated/staleness.js';
import { formatFinding } from '../workspace/finding.js';
import { readWorkspace } from '../workspace/workspace-view.js';

/** Writes what is generated, or with `--check` only says what is stale. Run from the root. */
function run(check: boolean): number {
  const root = process.cwd();
  const view = readWorkspace(root);
  const result = readArchitecture(view);
  if (!result.ok) return fail(result.findings.map(formatFinding));
  const generation = compareGenerated(result.architecture, view);
  if (check) {
    const findings = staleFindings(generation);
    if (findings.length > 0) return fail(findings.map(formatFinding));
    console.log('every generated file is what it is generated from');
    return 0;
  }
  for (const { file, text } of generation.stale) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    console.log(`wrote ${file}`);
  }
  if (generation.stale.length === 0) console.log('nothing to write');
  return generation.findings.length === 0 ? 0 : fail(generation.findings.map(formatFinding));
}

function fail(lines: readonly string[]): number {
  for (const line of lines) console.error(line);
  return 1;
}

process.exitCode = run(process.argv.includes('--check'));
