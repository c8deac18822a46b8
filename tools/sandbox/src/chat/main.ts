import { parseArgs } from 'node:util';
import { loadEnvFile } from '../env-file.js';
import { type ChatPlatform } from './chat-platform.js';
import { ChatSession } from './chat-session.js';
import { chatPlatforms } from './platforms.js';
import { printable } from './transcript.js';

const USAGE = `Usage: npm run chat -- sms|twitch|discord [options] ["text"]
       npm run sms -- [options] ["text"]

Writes to the sandbox as a person would. With a text: sends it and waits for the answer. Without: a chat, until Ctrl-C; where
the input is no terminal, each line of it is sent and answered in turn.

  --from WHO      who writes: a phone number (+15550100; whatsapp:+15550100 for WhatsApp) or any name, which has a number
                  of its own; a Twitch login; a Discord name
  --url URL       the sandbox (http://127.0.0.1:\${SANDBOX_PORT:-4010})
  --wait SECONDS  how long to wait for an answer, 0 to 60 (15)
  --help          this text
`;

/** The longest wait of one request to the sandbox. */
const MAX_WAIT_SECONDS = 60;

// `| head` may have gone before the last answer.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}

async function sendOne(
  platform: ChatPlatform,
  person: string,
  text: string,
  waitMs: number,
): Promise<number> {
  const { cursor, room } = await platform.write(person, text);
  process.stderr.write(`sent       ${platform.authorOf(person)}: ${text}\n`);
  const [answer] = await platform.read(room, cursor, waitMs);
  if (answer === undefined) {
    process.stderr.write(`no answer within ${waitMs / 1_000} s: is a bot running?\n`);
    return 1;
  }
  process.stdout.write(`${printable(answer.text)}\n`);
  return 0;
}

async function chat(platform: ChatPlatform, person: string, waitMs: number): Promise<number> {
  const { stdin: input, stdout: output } = process;
  const isTerminal = input.isTTY && output.isTTY;
  const session = new ChatSession(platform, { input, output, isTerminal, person, waitMs });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      session.close();
      process.exit(0);
    });
  }
  return (await session.run()) === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  loadEnvFile();
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: 'string' },
      url: { type: 'string' },
      wait: { type: 'string', default: '15' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [name = '', text, ...rest] = positionals;
  const url = values.url ?? `http://127.0.0.1:${process.env['SANDBOX_PORT']?.trim() || '4010'}`;
  const platform = chatPlatforms(url.replace(/\/+$/, '')).get(name);
  const seconds = values.wait.trim() === '' ? Number.NaN : Number(values.wait);
  if (!(seconds >= 0 && seconds <= MAX_WAIT_SECONDS)) {
    process.stderr.write(`--wait: expected 0 to ${MAX_WAIT_SECONDS} seconds\n`);
    return 2;
  }
  if (platform === undefined || rest.length > 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  const person = values.from ?? platform.defaultPerson;
  const waitMs = Math.round(seconds * 1_000);
  return text === undefined ? chat(platform, person, waitMs) : sendOne(platform, person, text, waitMs);
}

main().then(
  // Not only the code: a long poll may still be open.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
