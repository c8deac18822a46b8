import { parseArgs } from 'node:util';
import { type Logger } from '@bitbrat/foundation';
import { startLocalBus } from '@bitbrat/message-bus/local-bus';
import { outliveClosedPipes } from '../cli/closed-pipe.js';
import { loadEnvFile } from '../settings/env-file.js';
import { DEFAULT_BUS_PORT, portTrouble, toPort } from './port.js';

const USAGE = `Serves Google Cloud Pub/Sub's API on this machine, gRPC and REST on one port, in memory.

  npm run bus [-- --port ${DEFAULT_BUS_PORT}]

Set PUBSUB_EMULATOR_HOST=127.0.0.1:${DEFAULT_BUS_PORT} and GOOGLE_CLOUD_PROJECT=local for the gateway and for bots.
BUS_PORT chooses the port, too; --port wins, and --port 0 takes a free one. What is on the bus is lost when it stops.
`;

outliveClosedPipes(process.stdout, process.stderr);

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const report: Logger['warn'] = (event, fields = {}) => {
  print(`${event} ${JSON.stringify(fields)}`);
};

const faultLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: report,
  error: report,
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) {
    print(USAGE);
    return;
  }
  loadEnvFile(process.env);
  const port =
    values.port === undefined
      ? toPort('BUS_PORT', process.env['BUS_PORT'], DEFAULT_BUS_PORT, 0)
      : toPort('--port', values.port, DEFAULT_BUS_PORT, 0);
  const server = await startLocalBus({ port, logger: faultLogger }).catch((error: unknown) => {
    const trouble = portTrouble(error, port, 'set BUS_PORT or --port');
    throw trouble === undefined ? error : new Error(trouble, { cause: error });
  });
  print(`the local bus serves Pub/Sub's API on ${server.address}, in memory. For the gateway and for bots:`);
  print('');
  print(`  export PUBSUB_EMULATOR_HOST=${server.address} GOOGLE_CLOUD_PROJECT=local`);
  print('');
  print('Ctrl-C stops it.');
  const stop = (): void => {
    void server.close().then(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(
    `the local bus cannot start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
});
