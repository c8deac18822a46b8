import { loadEnvFile } from './env-file.js';
import { startSandbox } from './sandbox-server.js';

const DEFAULT_PORT = 4010;
const USAGE = `Starts the sandbox: the platforms on 127.0.0.1, for the service and for tests.

  tsx --conditions=@bitbrat/source tools/sandbox/src/main.ts

Environment
  SANDBOX_PORT                 port of everything; ${DEFAULT_PORT} unless set, 0 takes a free one
  SANDBOX_TWILIO_WEBHOOK_URL   where signed Twilio webhooks go; none are sent unless set

What it offers stands in tools/sandbox/README.md.`;

/** Reads a port. Throws with the variable's name. */
function readPort(text: string | undefined): number {
  if (text === undefined || text.trim() === '') return DEFAULT_PORT;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error('SANDBOX_PORT must be a whole number from 0 to 65535.');
}

function readUrl(text: string | undefined): string | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  if (URL.canParse(text) && /^https?:/.test(text)) return text;
  throw new Error('SANDBOX_TWILIO_WEBHOOK_URL must be a URL that starts with http:// or https://.');
}

async function run(): Promise<void> {
  loadEnvFile();
  const port = readPort(process.env['SANDBOX_PORT']);
  const webhookUrl = readUrl(process.env['SANDBOX_TWILIO_WEBHOOK_URL']);
  const sandbox = await startSandbox({
    port,
    twilio: { webhookUrl },
    logger: (event, fields) => {
      console.log(JSON.stringify({ event, ...fields }));
    },
  }).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} is in use. Set SANDBOX_PORT to a free one, or stop what listens there.`);
  });
  console.log(`The sandbox listens on ${sandbox.url}. Environment of a service that is to use it:`);
  for (const platform of [sandbox.twilio, sandbox.twitch, sandbox.discord]) {
    for (const [name, value] of Object.entries(platform.environment())) console.log(`  ${name}=${value}`);
  }
  console.log(
    `Write an SMS:\n  curl -s ${sandbox.url}/twilio/messages -H 'content-type: application/json' -d '{"from":"+15550100","body":"hello"}'`,
  );
  const stop = (): void => {
    void sandbox.close();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
  console.log(USAGE);
} else {
  run().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
