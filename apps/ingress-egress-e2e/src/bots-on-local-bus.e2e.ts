import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { type LocalBusServer, startLocalBus } from '@bitbrat/message-bus/local-bus';
import { describeWithPython } from './support/describe-with-python.js';
import { waitUntil } from './support/wait-until.js';
import { PLATFORMS, World } from './support/world.js';

const ROOT = join(__dirname, '../../..');
const LIBRARY = pathToFileURL(join(ROOT, 'libs/bot/dist/index.js')).href;
const GENERAL = '1000000000000000003';

const NODE_BOT = `
  import { runBot } from '${LIBRARY}';
  await runBot({ name: 'node', onMessage: ({ text }, { reply }) => reply('node: ' + text) });
`;

/** Programs that are bots, with the words by which each says that it is subscribed. */
const BOTS = [
  { program: process.execPath, args: ['--input-type=module', '-e', NODE_BOT], ready: 'bot.ready' },
  { program: 'python3', args: [join(ROOT, 'docs/examples/python-bot/bot.py')], ready: 'listening' },
] as const;

describeWithPython('bots in TypeScript and Python beside the gateway, on the local bus', () => {
  let bus: LocalBusServer;
  let world: World;
  const bots: ChildProcess[] = [];

  beforeAll(async () => {
    bus = await startLocalBus();
    const emulator = { host: bus.address, projectId: 'local' };
    world = await World.start(emulator, { ECHO_BOT_ENABLED: 'false', DISCORD_CHANNELS: '' }, PLATFORMS);
    for (const { args, program, ready } of BOTS) {
      const { HOME = '', PATH = '' } = process.env;
      const settings = { PUBSUB_EMULATOR_HOST: bus.address, GOOGLE_CLOUD_PROJECT: 'local' };
      const bot = spawn(program, args, { env: { HOME, PATH, PYTHONDONTWRITEBYTECODE: '1', ...settings } });
      bots.push(bot);
      const lines: string[] = [];
      for (const stream of [bot.stdout, bot.stderr]) {
        createInterface(stream).on('line', (line) => lines.push(line));
      }
      await waitUntil(`"${ready}" of ${program}`, () => {
        if (bot.exitCode !== null) throw new Error(`it ended:\n${lines.join('\n')}`);
        return lines.some((line) => line.includes(ready)) ? true : undefined;
      });
    }
  });
  afterAll(async () => {
    const codes = await Promise.all(
      bots.map(async (bot) => {
        const ended = once(bot, 'close');
        bot.kill('SIGTERM');
        const [code] = (await ended) as [number | null]; // the event's first argument
        return code;
      }),
    );
    const code = await world.stop();
    await bus.close();
    expect([code, codes]).toEqual([0, [0, 0]]);
  });

  /** Both bots answer, in any order, each once. */
  const expectAnswers = async (
    where: string,
    text: string,
    answers: () => readonly string[],
  ): Promise<void> => {
    const expected = [`You wrote: ${text}`, `node: ${text}`];
    await waitUntil(`two answers ${where}`, () => (answers().length >= 2 ? true : undefined));
    expect([...answers()].sort()).toEqual(expected);
  };

  it('answer the first SMS after their start', async () => {
    const { twilio } = world.sandbox;
    const { conversationSid } = await twilio.receiveMessage({ from: '+15550150', body: 'first' });
    await expectAnswers('by SMS', 'first', () =>
      twilio
        .messages(conversationSid)
        .flatMap(({ author, body }) => (author === 'bitbrat' ? [body ?? ''] : [])),
    );
  });

  it('answer on Twitch', async () => {
    const { twitch } = world.sandbox;
    twitch.receiveMessage({ channel: 'bitbrat', login: 'viewer', text: 'hello' });
    await expectAnswers('on Twitch', 'hello', () =>
      twitch.messages('bitbrat').flatMap(({ login, text }) => (login === 'bitbrat_bot' ? [text] : [])),
    );
  });

  it('answer on Discord', async () => {
    const { discord } = world.sandbox;
    discord.receiveMessage({ author: 'member', content: 'hello', channelId: GENERAL });
    await expectAnswers('on Discord', 'hello', () =>
      discord.messages(GENERAL).flatMap(({ content, fromBot }) => (fromBot ? [content] : [])),
    );
  });
});
