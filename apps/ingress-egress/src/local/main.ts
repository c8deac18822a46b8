import { parseArgs } from 'node:util';
import { guardStandardStreams } from '../logging/standard-streams.js';
import { loadEnvFile } from '../settings/env-file.js';
import { planHouse } from './house-plan.js';

const USAGE = `Starts the gateway without any account: a sandbox that stands in for Twilio, Twitch and Discord, a bus that bots can join,
the service, and a bot that echoes.

  npm start [-- --no-echo]

  --no-echo   leaves the bot out, as ECHO_BOT_ENABLED=false does
  --help      this text

PORT, SANDBOX_PORT and BUS_PORT choose ports. Another bus than the local one: MESSAGE_BUS_DRIVER=pubsub, with
PUBSUB_EMULATOR_HOST or GOOGLE_CLOUD_PROJECT.
`;

/** Milliseconds after which a stop that hangs ends all the same, and that the last lines get to be written. */
const HARD_STOP_MS = 9_500;
const FLUSH_MS = 500;

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const streams = guardStandardStreams(({ message, name }) => {
  process.stderr.write(`${name}: ${message}\n`);
});

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'no-echo': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    print(USAGE);
    return streams.exit(0, FLUSH_MS);
  }
  loadEnvFile(process.env);
  const plan = planHouse(process.env, values['no-echo']);
  // Loaded here, so that a mistake on the command line is reported at once.
  const [{ createHouse }, { welcome }, { guardProcess }] = await Promise.all([
    import('./house.js'),
    import('./welcome.js'),
    import('../process-guard.js'),
  ]);
  const house = createHouse(plan, streams.stdout, print);
  const stopping = new AbortController();
  const stop = (code: number): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    print('\nstopping');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), HARD_STOP_MS).unref();
    void house.close().finally(() => streams.exit(code, FLUSH_MS));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => {
      stop(0);
    });
  }
  guardProcess(process, {
    claim: (reason, origin) => house.claimFault(reason, origin),
    stop: (_reason, code) => {
      stop(code);
    },
    logger: house.logger,
  });
  try {
    const running = await house.open();
    // Since the process began.
    if (!isAborted(stopping.signal)) print(welcome({ ...running, seconds: process.uptime() }));
  } catch (error) {
    if (!isAborted(stopping.signal)) throw error;
  }
}

const isAborted = ({ aborted }: AbortSignal): boolean => aborted;

main().catch((error: unknown) => {
  process.stderr.write(`cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  return streams.exit(1, FLUSH_MS);
});
