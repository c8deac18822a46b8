// Proves what `nx affected` would run after a change: a table of touched file -> affected projects.
import { execFileSync } from 'node:child_process';

const EXPECTED = {
  'libs/connectors-twilio/src/index.ts': ['connectors-twilio', 'ingress-egress', 'ingress-egress-e2e'],
  'README.md': [],
};

let failed = false;
for (const [file, expected] of Object.entries(EXPECTED)) {
  const output = execFileSync('npx', ['nx', 'show', 'projects', '--affected', `--files=${file}`, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const actual = JSON.parse(output).sort();
  if (JSON.stringify(actual) === JSON.stringify(expected)) {
    console.log(`${file}: ${expected.length === 0 ? 'nothing' : expected.join(', ')}`);
    continue;
  }
  failed = true;
  console.error(
    `${file}: expected ${expected.join(', ') || 'nothing'}; got ${actual.join(', ') || 'nothing'}`,
  );
}
process.exit(failed ? 1 : 0);
