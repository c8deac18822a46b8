import { systemClock } from '@bitbrat/foundation';
import { startSandbox } from '@bitbrat/sandbox';
import { createMemoryStore } from '@bitbrat/state-store';
import { createBus, readSettings } from '../composition.js';
import { IngressEgressServer } from '../ingress-egress-server.js';
import { createLogger } from '../logging/logger.js';
import { guardStandardStreams } from '../logging/standard-streams.js';
import { guardProcess } from '../process-guard.js';
import { loadEnvFile } from '../settings/env-file.js';
import { narrate } from './narrator.js';

const INSTANCE_ID = 'local';

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const streams = guardStandardStreams(({ message, name }) => {
  process.stderr.write(`${name}: ${message}\n`);
});

/** The sandbox, the service on the memory bus and the echo bot in one process: the gateway without any account. */
async function main(): Promise<void> {
  loadEnvFile(process.env);
  const port = readPort('PORT', 3_000);
  const webhookUrl = `http://127.0.0.1:${port}/webhooks/twilio`;
  const sandbox = await startSandbox({ port: readPort('SANDBOX_PORT', 4_010), twilio: { webhookUrl } });
  const settings = readSettings({
    LOG_LEVEL: setting('LOG_LEVEL') ?? 'warn',
    HOST: '127.0.0.1',
    PORT: String(port),
    ECHO_BOT_ENABLED: 'true',
    EGRESS_INSTANCE_ID: INSTANCE_ID,
    ...sandbox.twilio.environment(),
    ...sandbox.twitch.environment(),
    ...sandbox.discord.environment(),
    TWILIO_WEBHOOK_URL: webhookUrl,
  });
  const logger = createLogger(settings.service.logLevel, streams.stdout);
  const bus = createBus(settings.service, logger);
  const server = new IngressEgressServer({
    config: settings.service,
    connectors: settings.connectors,
    bus,
    instanceId: INSTANCE_ID,
    clock: systemClock,
    logger,
    random: Math.random,
    store: createMemoryStore(),
  });
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    print('\nstopping');
    void server
      .stop()
      .then(() => sandbox.close())
      .finally(() => streams.exit(0, 500));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  guardProcess(process, {
    claim: (reason, origin) => server.claimFault(reason, origin),
    stop: (_reason, code) => process.exit(code),
    logger,
  });
  await narrate(bus, server.topics, server.topics.egress(INSTANCE_ID), print);
  await server.start();
  print(
    [
      'BitBrat ingress-egress runs, with no account anywhere:',
      '',
      `  service   http://127.0.0.1:${port}   /readyz /healthz /_debug/twilio /_debug/twitch /_debug/discord`,
      `  sandbox   ${sandbox.url}   stands in for Twilio, Twitch and Discord`,
      '  bot       echo, on the memory bus',
      '',
      'Write to it (a second terminal):',
      '',
      `  curl -s ${sandbox.url}/twilio/messages -H 'content-type: application/json' -d '{"from":"+15550100","body":"hello"}'`,
      '  npm run sms -- --from +15550100 "hello"',
      '  npm run chat -- twitch "hello"',
      '  npm run chat -- discord "hello"',
      '',
      'Each message is shown here as it passes. Ctrl-C stops all.',
      '',
    ].join('\n'),
  );
}

/** The variable's value; empty means not set. */
function setting(variable: string): string | undefined {
  const value = process.env[variable]?.trim();
  return value === '' ? undefined : value;
}

function readPort(variable: string, fallback: number): number {
  const value = setting(variable) ?? String(fallback);
  const port = Number(value);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new Error(`${variable}: expected a port from 1 to 65535`);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && error.code === 'EADDRINUSE' && 'port' in error
    ? `port ${String(error.port)} is in use: stop what uses it or set SANDBOX_PORT to another one`
    : error.message;
}

main().catch((error: unknown) => {
  process.stderr.write(`cannot start: ${describe(error)}\n`);
  return streams.exit(1, 500);
});
