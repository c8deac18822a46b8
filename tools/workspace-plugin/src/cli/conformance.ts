import { CHECKS } from '../conformance/checks.js';
import { checkAffectedSets, createNxAffected } from '../conformance/affected-sets.js';
import { type Finding, formatFinding } from '../workspace/finding.js';
import { readWorkspace } from '../workspace/workspace-view.js';

/** Runs every check and says what it found. Run from the root. */
async function run(): Promise<number> {
  const view = readWorkspace(process.cwd());
  let findings = 0;
  const report = (name: string, found: readonly Finding[]): void => {
    findings += found.length;
    console.log(`${found.length === 0 ? 'ok  ' : 'FAIL'}  ${name}`);
    for (const finding of found) console.error(formatFinding(finding));
  };
  for (const [name, check] of Object.entries(CHECKS)) report(name, check(view));
  report('a change affects what the table says', await checkAffectedSets(view, await createNxAffected()));
  console.log(findings === 0 ? 'conformance: all is as agreed' : `conformance: ${findings} findings`);
  return findings === 0 ? 0 : 1;
}

process.exitCode = await run();
