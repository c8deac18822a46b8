import { parseArgs } from 'node:util';
import { type Logger } from '@bitbrat/foundation';
import { startLocalBus } from '@bitbrat/message-bus/local-bus';

const USAGE = `Serves Google Cloud Pub/Sub's API on this machine, gRPC and REST on one port, in memory.

  npm run bus [-- --port 8085]

Set PUBSUB_EMULATOR_HOST=127.0.0.1:8085 and GOOGLE_CLOUD_PROJECT=local for the gateway and for bots.
--port 0 takes a free one. What is on the bus is lost when it stops.
`;

const DEFAULT_PORT = '8085';

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
  const server = await startLocalBus({ port: toPort(values.port ?? DEFAULT_PORT), logger: faultLogger });
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

function toPort(value: string): number {
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error('--port: expected a port from 0 to 65535');
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isTaken = 'code' in error && error.code === 'EADDRINUSE';
  return isTaken ? 'the port is in use: stop what uses it, or choose another with --port' : error.message;
}

main().catch((error: unknown) => {
  process.stderr.write(`the local bus cannot start: ${describe(error)}\n`);
  process.exit(1);
});
