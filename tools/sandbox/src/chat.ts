import { parseArgs } from 'node:util';
import { z } from 'zod';
import { loadEnvFile } from './env-file.js';

const USAGE = `Usage: npm run chat -- sms|twitch|discord [options] "text"
       npm run sms -- [options] "text"

Writes to the sandbox as a person would, and waits for the answer.

  --from WHO      who writes: a phone number (+15550100; whatsapp:+15550100 for WhatsApp), a Twitch login,
                  a Discord name
  --url URL       the sandbox (http://127.0.0.1:\${SANDBOX_PORT:-4010})
  --wait SECONDS  how long to wait for the answer (15)
  --help          this text
`;

interface Request {
  readonly url: string;
  readonly text: string;
  readonly from: string | undefined;
  readonly waitMs: number;
}

/** A way to write as a person on one platform. Resolves with the answer, undefined where none came in time. */
type Writer = (request: Request) => Promise<string | undefined>;

const smsReceiptSchema = z.object({ conversationSid: z.string(), index: z.number() });
const smsMessagesSchema = z.array(z.object({ author: z.string(), body: z.string().nullable() }));

const sms: Writer = async ({ from = '+15550100', text, url, waitMs }) => {
  const receipt = smsReceiptSchema.parse(await call(`${url}/twilio/messages`, { from, body: text }));
  process.stderr.write(`sent       ${from}: ${text}\n`);
  const path = `${url}/twilio/conversations/${receipt.conversationSid}/messages`;
  const [answer] = smsMessagesSchema.parse(await call(`${path}?after=${receipt.index}&waitMs=${waitMs}`));
  return answer?.body ?? undefined;
};

const twitchReceiptSchema = z.object({ id: z.string(), channel: z.string() });
const twitchMessagesSchema = z.array(z.object({ login: z.string(), text: z.string() }));

const twitch: Writer = async ({ from: login = 'viewer', text, url, waitMs }) => {
  const [channel] = z.array(z.object({ name: z.string() })).parse(await call(`${url}/twitch/channels`));
  const body = { channel: channel?.name ?? '', login, text };
  const receipt = twitchReceiptSchema.parse(await call(`${url}/twitch/messages`, body));
  process.stderr.write(`sent       #${receipt.channel} ${login}: ${text}\n`);
  const path = `${url}/twitch/channels/${receipt.channel}/messages`;
  const [answer] = twitchMessagesSchema.parse(await call(`${path}?after=${receipt.id}&waitMs=${waitMs}`));
  return answer?.text;
};

const discordReceiptSchema = z.object({ id: z.string(), channelId: z.string() });
const discordMessagesSchema = z.array(z.object({ content: z.string() }));

const discord: Writer = async ({ from: author = 'member', text, url, waitMs }) => {
  const receipt = discordReceiptSchema.parse(
    await call(`${url}/discord/messages`, { author, content: text }),
  );
  process.stderr.write(`sent       ${receipt.channelId} ${author}: ${text}\n`);
  const path = `${url}/discord/channels/${receipt.channelId}/messages`;
  const [answer] = discordMessagesSchema.parse(await call(`${path}?after=${receipt.id}&waitMs=${waitMs}`));
  return answer?.content;
};

const WRITERS: Readonly<Record<string, Writer>> = { sms, twitch, discord };

/** @throws Error that says what to do where the sandbox cannot be reached or refuses */
async function call(url: string, body?: object): Promise<unknown> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  let response: Response;
  try {
    response = await fetch(url, { ...init, headers: { 'content-type': 'application/json' } });
  } catch {
    throw new Error(`no sandbox answers at ${new URL(url).origin}: start it with npm start, or give --url`);
  }
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  const { message } = z.object({ message: z.string() }).catch({ message: 'no reason given' }).parse(answer);
  throw new Error(`the sandbox answered ${response.status}: ${message}`);
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
  const [platform = '', text, ...rest] = positionals;
  const writer = WRITERS[platform];
  const seconds = Number(values.wait);
  if (writer === undefined || text === undefined || rest.length > 0 || !(seconds >= 0)) {
    process.stderr.write(USAGE);
    return 2;
  }
  const url = values.url ?? `http://127.0.0.1:${process.env['SANDBOX_PORT']?.trim() || '4010'}`;
  const answer = await writer({ url, text, from: values.from, waitMs: seconds * 1_000 });
  if (answer === undefined) {
    process.stderr.write(`no answer within ${seconds} s: is the service running?\n`);
    return 1;
  }
  process.stdout.write(`${answer}\n`);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
