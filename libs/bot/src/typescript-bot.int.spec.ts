import { join } from 'node:path';
import { BotProcess } from './fixtures/bot-process.e2e.js';
import { ConsumerProject, packLibrary } from './fixtures/consumer-project.js';
import { Gateway } from './fixtures/gateway.js';
import { People } from './testing/people.js';

jest.setTimeout(240_000);

describe('the example in TypeScript, copied to a folder of its own', () => {
  let project: ConsumerProject;
  let gateway: Gateway;
  let bot: BotProcess | undefined;

  beforeAll(async () => {
    project = await ConsumerProject.create(['@google-cloud/pubsub', '@types/node', 'typescript']);
    await project.copy('docs/examples/typescript-bot');
    await project.install(await packLibrary(project.folder));
    gateway = await Gateway.start();
  });
  afterAll(async () => {
    await bot?.kill();
    await gateway.close();
    await project.remove();
  });

  it('passes its own tests by npm test', async () => {
    await expect(project.npm('test')).resolves.toMatch(/# pass [1-9]|ℹ pass [1-9]/);
  });

  it('answers the first message after npm start has made it ready, and ends on SIGTERM', async () => {
    await project.npm('run', 'build');
    // npm hands signals on in its own way; the program is what is tested.
    const main = join(project.folder, 'dist/main.js');
    bot = new BotProcess(process.execPath, [main], { cwd: project.folder, environment: gateway.environment });
    await bot.prints('bot.ready');
    const message = new People().sms('hello');
    await gateway.say(message);
    await expect(gateway.answersTo(message)).resolves.toEqual(['You wrote: hello']);
    await expect(bot.stop()).resolves.toBe(0);
  });
});
