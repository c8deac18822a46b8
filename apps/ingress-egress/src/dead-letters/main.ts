import { runCli } from './cli.js';

const { DEBUG_TOKEN: token = '', PORT: port = '3000' } = process.env;
// Joined here and not on the command line, where everybody on the machine could read the token. What is given there counts, being last.
const defaults = ['--url', `http://127.0.0.1:${port}`, '--token', token];

process.exitCode = await runCli([...defaults, ...process.argv.slice(2)], {
  fetch,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
