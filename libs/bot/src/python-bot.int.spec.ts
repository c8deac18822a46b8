import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReceivedMessage } from '@bitbrat/message-bus';
import { BotProcess, waitUntil } from './fixtures/bot-process.e2e.js';
import { WORKSPACE } from './fixtures/consumer-project.js';
import { describeWithPython } from './fixtures/describe-with-python.e2e.js';
import { Gateway } from './fixtures/gateway.js';
import { People } from './testing/people.js';

jest.setTimeout(120_000);

const EXAMPLES = join(WORKSPACE, 'docs/examples');

/** Fails for \`poison\`, and takes its time for \`slow\`. */
const TRYING = `import time
from bitbrat_bot import run

def on_message(message, reply):
    if message["text"] == "poison": raise RuntimeError("no")
    if message["text"] == "slow":
        print("begun", flush=True)
        time.sleep(1)
    reply(message["from"] + " " + message["text"])

run("python-bot", on_message)
`;

const people = new People();

describeWithPython('the example in Python, copied to a folder of its own', () => {
  let folder: string;
  let gateway: Gateway;
  let bot: BotProcess | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'python-bot-'));
    await cp(join(EXAMPLES, 'python-bot'), folder, { recursive: true });
    await writeFile(join(folder, 'trying.py'), TRYING);
    gateway = await Gateway.start();
  });
  afterEach(() => bot?.kill());
  afterAll(async () => {
    await gateway.close();
    await rm(folder, { recursive: true });
  });

  const start = async (script = 'bot.py', cwd = folder): Promise<BotProcess> => {
    const environment = { ...gateway.environment, PYTHONDONTWRITEBYTECODE: '1' };
    bot = new BotProcess('python3', [script], { cwd, environment });
    await bot.prints('listening');
    return bot;
  };

  it('passes its own tests', () => {
    const { status, stderr } = spawnSync('python3', ['-m', 'unittest'], { cwd: folder, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, expect.stringMatching(/Ran [1-9]\d* tests/)]);
  });

  it('answers the first message after its start, and ends on SIGTERM', async () => {
    const running = await start();
    const message = people.sms('Grüße 👋🏽');
    await gateway.say(message);
    await expect(gateway.answersTo(message)).resolves.toEqual(['You wrote: Grüße 👋🏽']);
    await expect(running.stop()).resolves.toBe(0);
  });

  it('answers what was written while it was away, in order', async () => {
    const messages = ['1', '2', '3'].map((text) => people.twitch(text));
    for (const message of messages) await gateway.say(message);
    await start();
    for (const message of messages) await gateway.answersTo(message);
    const texts = gateway.answers
      .filter(({ target }) => target.connector === 'twitch')
      .map(({ text }) => text);
    expect(texts).toEqual(['You wrote: 1', 'You wrote: 2', 'You wrote: 3']);
  });

  it('answers other people while one message takes its time', async () => {
    await start('trying.py');
    const slow = people.sms('slow', { from: '+15550101' });
    const quick = people.discord('quick');
    await gateway.say(slow);
    await bot?.prints('begun');
    await gateway.say(quick);
    await gateway.answersTo(quick);
    expect(gateway.answers.some(({ correlationId }) => correlationId === slow.correlationId)).toBe(false);
    await gateway.answersTo(slow);
  });

  it('finishes what it has in hand on SIGTERM', async () => {
    const running = await start('trying.py');
    const slow = people.whatsApp('slow');
    await gateway.say(slow);
    await running.prints('begun');
    await expect(running.stop()).resolves.toBe(0);
    await expect(gateway.answersTo(slow)).resolves.toEqual(['+15550100 slow']);
  });

  it('sets aside what it cannot handle or read, and goes on', async () => {
    const letters: ReceivedMessage[] = [];
    await start('trying.py');
    const name = 'bot.python-bot.set-aside';
    const reading = await gateway.bus.subscribe({ topic: name, subscription: name }, (message) => {
      letters.push(message);
      return Promise.resolve('ack');
    });
    const poison = people.discordDirect('poison');
    const after = people.discordDirect('after');
    await gateway.say(poison);
    await gateway.say(after);
    await gateway.publish({ data: Buffer.from('{"v":"9"}'), attributes: { own: 'x' } });
    await gateway.answersTo(after);
    const codes = (): (string | undefined)[] =>
      letters.map(({ attributes }) => attributes['bitbrat-error-code']).sort();
    await waitUntil('two messages set aside', () => (codes().length === 2 ? true : undefined));
    expect(codes()).toEqual(['HANDLER_FAILED', 'UNREADABLE']);
    const letter = letters.find(({ attributes }) => attributes['ce-id'] === poison.id);
    expect(JSON.parse(Buffer.from(letter?.data ?? []).toString())).toEqual(poison);
    await reading.close(1_000);
  });

  it('says what is missing', async () => {
    bot = new BotProcess('python3', ['bot.py'], { cwd: folder, environment: {} });
    await expect(bot.exited).resolves.toBe(1);
    expect(bot.lines.join('\n')).toContain('GOOGLE_CLOUD_PROJECT is not set');
  });

  it('is what echo_bot.py runs', async () => {
    const running = await start('docs/examples/echo_bot.py', WORKSPACE);
    const message = people.sms('echo', { from: '+15550102' });
    await gateway.say(message);
    const answered = await waitUntil('the echo', () =>
      gateway.answers.find(({ id }) => id === `reply:python-echo:${message.id}`),
    );
    expect(answered.text).toBe('echo');
    await expect(running.stop()).resolves.toBe(0);
  });
});
