import { outliveClosedPipes } from '../cli/closed-pipe.js';
import { EnvFileError, loadEnvFile } from '../settings/env-file.js';
import { ownUrl } from '../settings/own-url.js';
import { EXIT, runCli } from './cli.js';

outliveClosedPipes(process.stdout, process.stderr);

try {
  loadEnvFile(process.env);
} catch (error) {
  if (!(error instanceof EnvFileError)) throw error;
  process.stderr.write(`dead-letters: ${error.message}\n`);
  process.exit(EXIT.usage);
}

const { DEBUG_TOKEN: token = '', HOST: host, PORT: port = '' } = process.env;
const url = ownUrl(host, port.trim() || '3000');
// Joined here and not on the command line, where everybody on the machine could read the token. What is given there counts, being last.
const defaults = ['--url', url, '--token', token.trim()];

process.exitCode = await runCli([...defaults, ...process.argv.slice(2)], {
  fetch,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
