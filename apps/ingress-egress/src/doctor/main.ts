import { systemClock } from '@bitbrat/foundation';
import { outliveClosedPipes } from '../cli/closed-pipe.js';
import { EnvFileError, loadEnvFile } from '../settings/env-file.js';
import { EXIT, runDoctor } from './cli.js';

/** Back to the beginning of the line, which is then empty. */
const CLEAR_LINE = '\r\u001b[2K';

outliveClosedPipes(process.stdout, process.stderr);

try {
  loadEnvFile(process.env);
} catch (error) {
  if (!(error instanceof EnvFileError)) throw error;
  process.stderr.write(`doctor: ${error.message}\n`);
  process.exit(EXIT.notRun);
}

const abort = new AbortController();
process.once('SIGINT', () => {
  abort.abort();
});

const run = runDoctor(process.argv.slice(2), {
  environment: process.env,
  clock: systemClock,
  nodeVersion: process.versions.node,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  progress: (text) => {
    if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE + text);
  },
  signal: abort.signal,
});
process.on('unhandledRejection', (reason) => {
  if (!run.claimRejection(reason)) throw reason;
});
process.exitCode = await run.exitCode;
