import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { freePort } from '@bitbrat/emulators';
import { createTopics, decodeIngress } from '@bitbrat/envelope';
import { createPubSubBus } from '@bitbrat/message-bus';
import { z } from 'zod';

const START = join(__dirname, 'start.mjs');
const READY = /Ctrl-C stops all/;

/** `npm start` as a process, with its output line by line. */
class Start {
  readonly lines: string[] = [];
  errors = '';
  readonly #waiting = new Set<() => void>();

  private constructor(
    readonly child: ChildProcess,
    readonly sandboxUrl: string,
    readonly busHost: string,
  ) {}

  static async run(environment: Record<string, string> = {}, args: readonly string[] = []): Promise<Start> {
    const [port, sandbox, bus] = [await freePort(), await freePort(), await freePort()];
    const ports = { PORT: String(port), SANDBOX_PORT: String(sandbox), BUS_PORT: String(bus) };
    const child = spawn(process.execPath, ['--conditions=@bitbrat/source', START, ...args], {
      cwd: __dirname,
      env: { PATH: process.env['PATH'], ...ports, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { BUS_PORT, SANDBOX_PORT } = { ...ports, ...environment };
    const start = new Start(child, `http://127.0.0.1:${SANDBOX_PORT}`, `127.0.0.1:${BUS_PORT}`);
    createInterface(child.stdout).on('line', (line) => {
      start.lines.push(line);
      for (const look of start.#waiting) look();
    });
    child.stderr.on('data', (chunk: Buffer) => (start.errors += chunk.toString()));
    child.on('close', () => {
      for (const look of start.#waiting) look();
    });
    return start;
  }

  /** Resolves with the first line that matches. Rejects when the process has ended without one. */
  line(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.lines.find((line) => pattern.test(line));
        const isOver = this.child.exitCode !== null;
        if (found === undefined && !isOver) return;
        this.#waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`no ${pattern.source}: ${this.lines.join('\n')}${this.errors}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  async sms(body: string): Promise<{ conversationSid: string; index: number }> {
    const receipt = await this.#post('/twilio/messages', { from: '+15550100', body });
    return z.object({ conversationSid: z.string(), index: z.number() }).parse(receipt);
  }

  async answerTo({ conversationSid, index }: { conversationSid: string; index: number }): Promise<unknown> {
    const path = `/twilio/conversations/${conversationSid}/messages?after=${index}&waitMs=30000`;
    const messages: unknown = await (await fetch(`${this.sandboxUrl}${path}`)).json();
    return z.array(z.object({ body: z.string() })).parse(messages)[0]?.body;
  }

  async #post(path: string, body: object): Promise<unknown> {
    const init = {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    };
    return (await fetch(`${this.sandboxUrl}${path}`, init)).json();
  }
}

describe('npm start', () => {
  const started: Start[] = [];

  const start = async (environment?: Record<string, string>, args?: readonly string[]): Promise<Start> => {
    const made = await Start.run(environment, args);
    started.push(made);
    return made;
  };

  afterEach(() => {
    for (const { child } of started.splice(0)) child.kill('SIGKILL');
  });

  it('says at once what it does, then what runs where, answers, and stops when asked', async () => {
    const house = await start();
    await house.line(READY);
    expect(house.lines[0]).toMatch(/^Starting the sandbox/);
    expect(house.lines.join('\n')).toContain(`${house.busHost}   the local bus`);
    expect(await house.answerTo(await house.sms('hello'))).toBe('hello');
    await house.line(/^in {8}twilio {2}\+15550100: hello$/);
    await house.line(/^out {7}twilio .* sent /);
    // Nothing but what is meant for a person.
    expect(house.lines.filter((line) => line.includes('"severity"'))).toEqual([]);
    house.child.kill('SIGINT');
    expect(await house.ended()).toBe(0);
    expect(house.errors).toBe('');
  }, 120_000);

  it('keeps a message for the bot that starts after it was written', async () => {
    const house = await start({}, ['--no-echo']);
    await house.line(READY);
    await house.sms('too early');
    await house.line(/^waits {5}no bot is subscribed to internal\.ingress\.v1/);
    const bus = createPubSubBus({ projectId: 'local', emulatorHost: house.busHost, createMissing: true });
    const text = await new Promise<unknown>((resolve, reject) => {
      bus
        .subscribe({ topic: createTopics().ingress, subscription: 'late' }, (message) => {
          const decoded = decodeIngress(message.data);
          resolve(decoded.ok ? decoded.value.text : decoded.fault);
          return Promise.resolve('ack');
        })
        .catch(reject);
    });
    expect(text).toBe('too early');
    await bus.close(1_000);
  }, 120_000);

  it('goes on when nobody reads its output any more', async () => {
    const house = await start();
    await house.line(READY);
    house.child.stdout?.destroy();
    house.child.stderr?.destroy();
    for (const text of ['one', 'two', 'three'])
      expect(await house.answerTo(await house.sms(text))).toBe(text);
    expect(house.child.exitCode).toBeNull();
  }, 120_000);

  it('ends and names the variable of the port that is taken', async () => {
    const first = await start();
    await first.line(READY);
    const service = await first.line(/^ {2}service/);
    const taken = {
      PORT: /:(\d+)/.exec(service)?.[1] ?? '',
      SANDBOX_PORT: first.sandboxUrl.split(':').at(-1) ?? '',
      BUS_PORT: first.busHost.split(':').at(-1) ?? '',
    };
    for (const [variable, port] of Object.entries(taken)) {
      const second = await start({ [variable]: port });
      expect([variable, await second.ended()]).toEqual([variable, 1]);
      expect(second.errors).toMatch(new RegExp(`^cannot start: port ${port} is in use: .*set ${variable}`));
    }
  }, 120_000);

  it('honours the memory bus, and an emulator that is not there', async () => {
    const memory = await start({ MESSAGE_BUS_DRIVER: 'memory' });
    await memory.line(/bus {7}in the memory of the service/);
    await memory.line(READY);
    expect(await memory.answerTo(await memory.sms('hello'))).toBe('hello');
    memory.child.kill('SIGTERM');
    const port = await freePort();
    const host = `127.0.0.1:${port}`;
    const emulator = await start({ MESSAGE_BUS_DRIVER: 'pubsub', PUBSUB_EMULATOR_HOST: host });
    await emulator.line(new RegExp(`bus {7}${host} {3}an emulator of Pub/Sub, project local`));
    await emulator.line(/note {6}the bus does not answer yet/);
  }, 120_000);

  it.each([
    [{}, ['--nonsense'], /cannot start: .*--nonsense/],
    [{ ECHO_BOT_ENABLED: 'no' }, [], /ECHO_BOT_ENABLED: expected true or false/],
    [{ MESSAGE_BUS_DRIVER: 'kafka' }, [], /MESSAGE_BUS_DRIVER: expected memory or pubsub/],
  ])(
    'refuses %j %j and says why',
    async (environment, args, expected) => {
      const house = await start(environment, args);
      expect(await house.ended()).toBe(1);
      expect(house.errors).toMatch(expected);
    },
    60_000,
  );
});
