import { execFile } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../../..');
const CLI = join(ROOT, 'apps/ingress-egress/src/dead-letters/main.ts');

/** What a run of the command has said. */
export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `dead-letters` as a process of its own against a service. */
export function runDeadLetters(url: string, ...argv: readonly string[]): Promise<CliRun> {
  const args = ['--conditions=@bitbrat/source', '--import', 'tsx', CLI, '--url', url, ...argv];
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd: ROOT, env: { PATH: process.env['PATH'] ?? '' } },
      (_error, out, err) => {
        resolve({ code: child.exitCode ?? -1, out, err });
      },
    );
  });
}
