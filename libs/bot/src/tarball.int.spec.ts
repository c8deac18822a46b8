import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BotProcess } from './fixtures/bot-process.e2e.js';
import { ConsumerProject, packLibrary, WORKSPACE } from './fixtures/consumer-project.js';
import { Gateway } from './fixtures/gateway.js';
import { People } from './testing/people.js';

jest.setTimeout(240_000);

const BOT = `import { runBot } from '@bitbrat/bot';

await runBot({
  name: 'orders',
  onMessage: async (message, { reply }) => {
    if (message.text === 'slow') await new Promise((resolve) => setTimeout(resolve, 300));
    await reply(\`You wrote: \${message.text}\`);
  },
});
`;

const TYPED = `import { runBot, BotError, type Bot, type IngressEnvelope, type RunningBot } from '@bitbrat/bot';
import { testBot } from '@bitbrat/bot/testing';

export const bot: Bot = {
  name: 'orders',
  onMessage: async (message: IngressEnvelope, { reply, signal, attempt }) => {
    const id: string = await reply(message.text, { key: 'k', quote: false });
    if (signal.aborted || attempt > 1 || message.sender.roles.includes(id)) throw new Error('no');
  },
};
export const running: Promise<RunningBot> = runBot({ ...bot, concurrency: 2 });
const { answers } = await testBot(bot).sms('hello', { from: '+15550100' });
export const target: string | undefined = answers[0]?.target.connector;
export const isOurs = (error: unknown): boolean => error instanceof BotError && error.code === 'BUS';
// @ts-expect-error: a field that is not in the contract
export const wrong = (message: IngressEnvelope): unknown => message.txt;
`;

const tsconfig = (options: object): string =>
  JSON.stringify({
    compilerOptions: {
      module: 'nodenext',
      target: 'es2022',
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      ...options,
    },
    include: ['*.ts'],
  });

/** Each message has an id of its own. */
const people = new People();

describe('the packed library in a project of its own', () => {
  let project: ConsumerProject;
  let gateway: Gateway;
  let other: Gateway | undefined;
  let bot: BotProcess | undefined;

  beforeAll(async () => {
    project = await ConsumerProject.create(['@google-cloud/pubsub']);
    await project.write({ 'package.json': '{ "type": "module", "private": true }', 'bot.js': BOT });
    await project.install(await packLibrary(project.folder));
    gateway = await Gateway.start();
  });
  afterEach(async () => {
    await bot?.kill();
    await other?.close();
    other = undefined;
  });
  afterAll(async () => {
    await gateway.close();
    await project.remove();
  });

  const start = (environment: Record<string, string> = gateway.environment): BotProcess =>
    (bot = new BotProcess(process.execPath, ['bot.js'], { cwd: project.folder, environment }));

  it("depends on Google's client alone, in the version that the gateway has", async () => {
    const read = async (path: string): Promise<{ dependencies: object }> =>
      JSON.parse(await readFile(path, 'utf8')) as { dependencies: object }; // a package.json
    const { dependencies } = await read(join(project.folder, 'node_modules/@bitbrat/bot/package.json'));
    const ours = await read(join(WORKSPACE, 'libs/message-bus/package.json'));
    expect(Object.keys(dependencies)).toEqual(['@google-cloud/pubsub']);
    expect(ours.dependencies).toMatchObject(dependencies);
  });

  it.each([
    ["the compiler's own defaults", { types: [] }],
    ['a named set of libraries', { types: [], lib: ['es2022', 'dom'] }],
    ['the module resolution of bundlers', { types: [], module: 'esnext', moduleResolution: 'bundler' }],
  ])('has types that are complete, with %s', async (_what, options) => {
    await project.write({ 'typed.ts': TYPED, 'tsconfig.json': tsconfig(options) });
    await project.typecheck();
  });

  it('answers the first message that is written after it is ready', async () => {
    start();
    await bot?.prints('bot.ready');
    const message = people.sms('hello');
    await gateway.say(message);
    await expect(gateway.answersTo(message)).resolves.toEqual(['You wrote: hello']);
  });

  it('answers after its start what was written while it was away', async () => {
    const message = people.twitch('are you back?');
    await gateway.say(message);
    start();
    await expect(gateway.answersTo(message)).resolves.toEqual(['You wrote: are you back?']);
  });

  it('finishes what it has in hand on SIGTERM, and ends', async () => {
    start();
    await bot?.prints('bot.ready');
    const message = people.discord('slow');
    await gateway.say(message);
    await expect(bot?.stop()).resolves.toBe(0);
    const again = start();
    await again.prints('bot.ready');
    await expect(gateway.answersTo(message)).resolves.toEqual(['You wrote: slow']);
    await expect(again.stop()).resolves.toBe(0);
  });

  it('handles again what a killed process had in hand', async () => {
    start();
    await bot?.prints('bot.ready');
    const message = people.whatsApp('slow');
    await gateway.say(message);
    await bot?.kill();
    start();
    await expect(gateway.answersTo(message)).resolves.toContain('You wrote: slow');
  });

  it('says what is missing where no bus is configured', async () => {
    const failed = start({});
    await expect(failed.exited).resolves.toBe(1);
    expect(failed.lines.join('\n')).toContain('no bus is configured');
    expect(failed.lines.join('\n')).toContain('PUBSUB_EMULATOR_HOST=127.0.0.1:8085');
  });

  it('says that no bus is there, waits for it, and goes on by itself', async () => {
    const gone = await Gateway.start();
    const { environment, port } = gone;
    await gone.close();
    start(environment);
    await bot?.prints(`nothing answers at 127.0.0.1:${port}`);
    other = await Gateway.start(port);
    await bot?.prints('bot.ready');
    const message = people.sms('there you are');
    await other.say(message);
    await expect(other.answersTo(message)).resolves.toEqual(['You wrote: there you are']);
    await expect(bot?.stop()).resolves.toBe(0);
  });
});
