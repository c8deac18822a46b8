/*
 * What `npm start` runs. Plain JavaScript that loads nothing before its first line is written: loading the sources takes seconds
 * on a slow machine.
 */
const wantsHelp = process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h');

// Until the program itself guards its output. Nobody may be reading it (`| head`).
process.stdout.on('error', () => undefined);
if (!wantsHelp)
  process.stdout.write('Starting the sandbox, the bus, the service and its bot: a few seconds.\n');
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(0));

try {
  const { register } = await import('tsx/esm/api');
  register();
} catch (error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  process.stderr.write('cannot start: the packages are missing. Install them first: npm ci\n');
  process.exit(1);
}
await import('./main.ts');
