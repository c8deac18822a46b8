import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BotProcess } from './fixtures/bot-process.e2e.js';
import { ConsumerProject, packLibrary, WORKSPACE } from './fixtures/consumer-project.js';
import { codeBlocks } from './fixtures/code-blocks.js';
import { describeWithPython } from './fixtures/describe-with-python.e2e.js';
import { Gateway } from './fixtures/gateway.js';
import { People } from './testing/people.js';

jest.setTimeout(240_000);

const PAGES = ['docs/writing-a-bot.md', 'README.md', 'libs/bot/README.md'];

const TEMPLATES = join(WORKSPACE, 'tools/workspace-plugin/src/generators/bot/files');

/** The bus of the pages, which another program may have on this machine. */
const BUS = 'PUBSUB_EMULATOR_HOST=127.0.0.1:8085 GOOGLE_CLOUD_PROJECT=local ';

const MANIFEST = JSON.stringify({
  type: 'module',
  private: true,
  devDependencies: { '@types/jest': '*', '@types/node': '*' },
});

const people = new People();

describe('the TypeScript of the pages', () => {
  let project: ConsumerProject;

  beforeAll(async () => {
    project = await ConsumerProject.create(['@google-cloud/pubsub', '@types/node', '@types/jest']);
    await project.write({ 'package.json': MANIFEST });
    await project.install(await packLibrary(project.folder));
  });
  afterAll(() => project.remove());

  it('compiles, each block as a file of its own', async () => {
    const files = new Map<string, string>();
    for (const page of PAGES) {
      const blocks = await codeBlocks(join(WORKSPACE, page), 'ts');
      expect(blocks.length).toBeGreaterThan(0);
      blocks.forEach((text, at) => {
        const named = /^\/\/ (\S+\.ts)\n/.exec(text)?.[1];
        files.set(named ?? `${page.replaceAll(/\W/g, '-')}-${at}.ts`, text);
      });
    }
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2022',
      strict: true,
      noEmit: true,
      types: ['node', 'jest'],
    };
    await project.write({
      ...Object.fromEntries(files),
      'tsconfig.json': JSON.stringify({ compilerOptions, include: ['*.ts'] }),
    });
    await project.typecheck();
  });
});

describe('the commands of the pages', () => {
  it('are known: each is run here or by the test that is named', async () => {
    const proofs: [RegExp, string][] = [
      [/^npm ci$/, 'every clone'],
      [/^npm (?:start|run (?:sms|chat))\b/, 'apps/ingress-egress and tools/sandbox'],
      [/^npm install && npx nx sync$/, 'apart from the network, here'],
      [/^npx nx g @bitbrat\/workspace-plugin:bot orders$/, 'tools/workspace-plugin/src/generators/bot'],
      [
        /^PUBSUB_EMULATOR_HOST=127.0.0.1:8085 GOOGLE_CLOUD_PROJECT=local npx nx run bot-orders:start$/,
        'here',
      ],
      [
        /^PUBSUB_EMULATOR_HOST=127.0.0.1:8085 GOOGLE_CLOUD_PROJECT=local python3 docs\/examples\/\S+\.py$/,
        'here',
      ],
    ];
    const lines = (await codeBlocks(join(WORKSPACE, 'docs/writing-a-bot.md'), 'sh')).flatMap((text) =>
      text.trim().split('\n'),
    );
    expect(lines.filter((line) => !proofs.some(([pattern]) => pattern.test(line)))).toEqual([]);
    const { scripts } = JSON.parse(await readFile(join(WORKSPACE, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    }; // the workspace's own
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'sms', 'chat', 'bus']));
  });
});

describe('a generated bot', () => {
  const folder = join(__dirname, '../test-output/generated-bot');
  let gateway: Gateway;
  let bot: BotProcess | undefined;

  beforeAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await cp(join(TEMPLATES, 'src'), join(folder, 'src'), { recursive: true });
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    for (const name of ['bot', 'main']) {
      const text = await readFile(join(TEMPLATES, `src/${name}.ts.template`), 'utf8');
      await writeFile(join(folder, `src/${name}.ts`), text.replaceAll('<%= name %>', 'orders'));
    }
    gateway = await Gateway.start();
  });
  afterAll(async () => {
    await bot?.kill();
    await gateway.close();
    await rm(folder, { recursive: true });
  });

  it('answers on every platform when it is started by the command of its project', async () => {
    const manifest = await readFile(join(TEMPLATES, 'package.json.template'), 'utf8');
    const [, command = ''] = /"command": "tsx ([^"]+)"/.exec(manifest) ?? [];
    const tsx = join(WORKSPACE, 'node_modules/.bin/tsx');
    bot = new BotProcess(tsx, command.split(' '), { cwd: folder, environment: gateway.environment });
    await bot.prints('bot.ready');
    for (const message of [people.sms('hello'), people.twitch('hello'), people.discord('hello')]) {
      await gateway.say(message);
      await expect(gateway.answersTo(message)).resolves.toEqual(['You wrote: hello']);
    }
    await expect(bot.stop()).resolves.toBe(0);
  });
});

describeWithPython('the Python commands of the guide', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await Gateway.start();
  });
  afterAll(() => gateway.close());

  it('start bots that answer', async () => {
    const lines = (await codeBlocks(join(WORKSPACE, 'docs/writing-a-bot.md'), 'sh'))
      .flatMap((text) => text.trim().split('\n'))
      .filter((line) => line.startsWith(`${BUS}python3 `));
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      const [program = '', ...args] = line.slice(BUS.length).split(' ');
      const environment = { ...gateway.environment, PYTHONDONTWRITEBYTECODE: '1' };
      const bot = new BotProcess(program, args, { cwd: WORKSPACE, environment });
      try {
        await bot.prints('listening');
        const message = people.sms('hello');
        await gateway.say(message);
        await gateway.answersTo(message);
        await expect(bot.stop()).resolves.toBe(0);
      } finally {
        await bot.kill();
      }
    }
  });
});
