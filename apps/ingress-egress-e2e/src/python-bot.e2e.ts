import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { type MessageView } from '@bitbrat/sandbox';
import { describeWithPython } from './support/describe-with-python.js';
import { waitUntil } from './support/wait-until.js';
import { World } from './support/world.js';

const SCRIPT = join(__dirname, '../../../docs/examples/echo_bot.py');
const NAME = 'a bot in Python, written from the contract alone';

/** What of this process's environment a Python that is found by a version manager needs. */
const inherited = Object.fromEntries(
  ['PATH', 'HOME'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

class PythonBot {
  readonly lines: string[] = [];
  readonly #exited: Promise<number | null>;

  private constructor(private readonly child: ChildProcess) {
    this.#exited = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface(stream).on('line', (line) => this.lines.push(line));
    }
  }

  static async start({ host, projectId }: PubSubEmulator): Promise<PythonBot> {
    const environment = { ...inherited, PUBSUB_EMULATOR_HOST: host, GOOGLE_CLOUD_PROJECT: projectId };
    const bot = new PythonBot(spawn('python3', [SCRIPT], { env: environment }));
    const listens = waitUntil('the Python bot to listen', () => {
      if (bot.child.exitCode !== null) throw new Error(`it ended: ${bot.lines.join('\n')}`);
      return bot.lines.includes('listening') ? true : undefined;
    });
    await listens.catch((error: unknown) => {
      bot.child.kill('SIGKILL');
      throw error;
    });
    return bot;
  }

  /** Resolves with the exit code; null where a signal ended it. */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.#exited;
  }
}

const body = (): void => {
  let emulator: PubSubEmulator;
  let world: World;
  let bot: PythonBot | undefined;

  beforeAll(async () => {
    emulator = await startPubSubEmulator({ environment: process.env });
    world = await World.start(emulator, { ECHO_BOT_ENABLED: 'false' });
    bot = await PythonBot.start(emulator);
  });
  afterAll(async () => {
    const code = await bot?.stop();
    await world.stop();
    await emulator.stop();
    expect(code).toBe(0);
  });

  const waitForAnswers = (conversationSid: string, count: number): Promise<MessageView[]> =>
    waitUntil(`${count} answers in ${conversationSid}`, () => {
      const all = world.sandbox.twilio.messages(conversationSid);
      const found = all.filter(({ author }) => author === 'bitbrat');
      return found.length >= count ? found : undefined;
    });

  /** Publishes bytes as they are to the topic that the bot reads. */
  const publish = async (data: Buffer): Promise<void> => {
    const topic = `projects/${emulator.projectId}/topics/internal.ingress.v1`;
    const response = await fetch(`http://${emulator.host}/v1/${topic}:publish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ data: data.toString('base64') }] }),
    });
    expect(response.status).toBe(200);
    await response.body?.cancel();
  };

  it('answers an SMS and the outcome says so', async () => {
    const receipt = await world.sandbox.twilio.receiveMessage({ from: '+15550130', body: 'Grüße 👋🏽' });
    const [answer] = await waitForAnswers(receipt.conversationSid, 1);
    expect(answer?.body).toBe('Grüße 👋🏽');
    const outcome = await waitUntil('the outcome', () =>
      world.bus.outcomes.find(({ eventId }) => eventId === `reply:python-echo:twilio:${receipt.messageSid}`),
    );
    const envelope = await waitUntil('the envelope', () =>
      world.bus.envelopes.find(({ id }) => id === `twilio:${receipt.messageSid}`),
    );
    expect(outcome).toMatchObject({
      status: 'sent',
      correlationId: envelope.correlationId,
      platformMessageIds: [answer?.sid],
    });
  });

  it('keeps conversations side by side in order', async () => {
    const numbers = Array.from({ length: 10 }, (_, index) => `+155501400${index}`);
    const sids = new Map<string, string>();
    for (const round of [1, 2, 3]) {
      for (const from of numbers) {
        const receipt = await world.sandbox.twilio.receiveMessage({ from, body: `${from} ${round}` });
        sids.set(from, receipt.conversationSid);
      }
    }
    for (const [from, sid] of sids) {
      const bodies = (await waitForAnswers(sid, 3)).map((message) => message.body);
      expect(bodies).toEqual([1, 2, 3].map((round) => `${from} ${round}`));
    }
  });

  it('is heard once where the same envelope comes twice', async () => {
    const receipt = await world.sandbox.twilio.receiveMessage({ from: '+15550131', body: 'once' });
    await waitForAnswers(receipt.conversationSid, 1);
    const envelope = await waitUntil('the envelope', () =>
      world.bus.envelopes.find(({ id }) => id === `twilio:${receipt.messageSid}`),
    );
    // Another process remembers nothing, and answers again.
    await bot?.stop();
    bot = await PythonBot.start(emulator);
    await publish(Buffer.from(JSON.stringify(envelope)));
    await waitUntil('the second answer', () =>
      world.service.logs.find(
        ({ event, message }) =>
          message === 'egress.duplicate' && event === `reply:python-echo:${envelope.id}`,
      ),
    );
    expect(await waitForAnswers(receipt.conversationSid, 1)).toHaveLength(1);
  });

  it('leaves HELP, which Twilio answers, alone', async () => {
    const from = '+15550134';
    await world.sandbox.twilio.receiveMessage({ from, body: 'HELP' });
    const { conversationSid } = await world.sandbox.twilio.receiveMessage({ from, body: 'hello' });
    const answers = await waitForAnswers(conversationSid, 1);
    expect(answers.map(({ body }) => body)).toEqual(['hello']);
  });

  it('says what it cannot read and goes on', async () => {
    await publish(Buffer.from('{"v":"9"}'));
    await publish(Buffer.from([0xff]));
    await waitUntil('two lines', () =>
      bot?.lines.filter((line) => line.startsWith('unreadable: ')).length === 2 ? true : undefined,
    );
    const receipt = await world.sandbox.twilio.receiveMessage({ from: '+15550132', body: 'still there?' });
    const [answer] = await waitForAnswers(receipt.conversationSid, 1);
    expect(answer?.body).toBe('still there?');
  });

  it('ends cleanly on SIGTERM and answers afterwards what was written meanwhile', async () => {
    await expect(bot?.stop()).resolves.toBe(0);
    const receipt = await world.sandbox.twilio.receiveMessage({ from: '+15550133', body: 'are you back?' });
    bot = await PythonBot.start(emulator);
    const [answer] = await waitForAnswers(receipt.conversationSid, 1);
    expect(answer?.body).toBe('are you back?');
  });
};

describeWithPython(NAME, body);

describeWithPython('a bot in Python and a gateway, whichever starts first', () => {
  let emulator: PubSubEmulator;
  let world: World | undefined;
  let bot: PythonBot | undefined;

  beforeEach(async () => {
    emulator = await startPubSubEmulator({ environment: process.env });
  });
  afterEach(async () => {
    await bot?.stop();
    await world?.stop();
    await emulator.stop();
  });

  const answered = async (from: World, sid: string, texts: readonly string[]): Promise<void> => {
    const answers = await waitUntil('the answers', () => {
      const found = from.sandbox.twilio.messages(sid).filter(({ author }) => author === 'bitbrat');
      return found.length >= texts.length ? found : undefined;
    });
    expect(answers.map(({ body: text }) => text)).toEqual(texts);
  };

  it('answers the first message where the bot was there before the gateway', async () => {
    bot = await PythonBot.start(emulator);
    world = await World.start(emulator, { ECHO_BOT_ENABLED: 'false' });
    const { conversationSid } = await world.sandbox.twilio.receiveMessage({
      from: '+15550135',
      body: 'first',
    });
    await answered(world, conversationSid, ['first']);
  });

  it('answers what was written while nobody was subscribed', async () => {
    world = await World.start(emulator, { ECHO_BOT_ENABLED: 'false' });
    const { service } = world;
    // The recorder of the test is a subscriber, too.
    await world.bus.stop();
    const subscription = `projects/${emulator.projectId}/subscriptions/internal.ingress.v1.e2e`;
    const removed = await fetch(`http://${emulator.host}/v1/${subscription}`, { method: 'DELETE' });
    expect(removed.status).toBe(200);
    await removed.body?.cancel();
    await waitUntil('the gateway to notice', () =>
      service.logs.some(({ message }) => message === 'bus.topic.unread') ? true : undefined,
    );
    const texts = ['one', 'two', 'three'];
    let sid = '';
    for (const text of texts) {
      sid = (await world.sandbox.twilio.receiveMessage({ from: '+15550136', body: text })).conversationSid;
    }
    bot = await PythonBot.start(emulator);
    await answered(world, sid, texts);
  });
});
