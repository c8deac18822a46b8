import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { guardProcess } from './process-guard.js';

type Line = Readonly<Record<string, unknown>>;

/** As many faults as the fixture has. */
const FAULTS = 11;

/** The service with two connectors as a process of its own; `NODE_BINARY` names another Node. */
class ServiceProcess {
  readonly lines: Line[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #errors = '';
  #changed: () => void = () => undefined;

  constructor(who: 'start' | 'send' | 'nobody', fault = '') {
    const script = join(__dirname, 'fixtures', 'throwing-service.ts');
    const child = spawn(
      process.env['NODE_BINARY'] ?? process.execPath,
      ['--import', 'tsx', '--conditions=@bitbrat/source', script, who, fault],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    this.#child = child;
    createInterface(child.stdout).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line); // the fixture prints objects
      this.#changed();
    });
    child.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.#ended = once(child, 'close').then(() => {
      this.#changed();
    });
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  count(event: string, connector: string): number {
    return this.lines.filter((line) => line['event'] === event && line['connector'] === connector).length;
  }

  /** Rejects when the process ends first. */
  async until(what: string, isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.exitCode !== null) {
        throw new Error(`ended with ${this.exitCode} before: ${what}\n${this.#errors}\n${this.#lastLines()}`);
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Resolves when each connector has sent a text. */
  async sendsByBoth(): Promise<void> {
    this.#child.stdin?.write('send\n');
    const sent = (): number =>
      this.lines.filter(({ text, sent }) => text === 'hello' && sent === 'sent').length;
    await this.until('a send by each', () => sent() === 2);
  }

  async ended(): Promise<number | null> {
    await this.#ended;
    return this.exitCode;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #lastLines(): string {
    return this.lines
      .slice(-8)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }
}

describe('an error that nobody catches', () => {
  let service: ServiceProcess | undefined;
  afterEach(() => service?.kill());

  it('of a connector restarts that connector alone, whatever left it', async () => {
    const process = (service = new ServiceProcess('start'));
    await process.until('a start after each', () => process.count('connector.connected', 'thrower') > FAULTS);
    await process.sendsByBoth();
    expect(process.count('connector.restarting', 'thrower')).toBe(FAULTS);
    expect(process.count('connector.connected', 'bystander')).toBe(1);
    expect(process.exitCode).toBeNull();
  });

  it('of a send fails that send alone, whatever left it', async () => {
    const process = (service = new ServiceProcess('send'));
    const failed = (): number => process.lines.filter(({ sent }) => sent === 'INTERNAL').length;
    await process.until('an answer to each', () => failed() === FAULTS);
    await process.sendsByBoth();
    expect(process.count('connector.connected', 'thrower')).toBe(1);
    expect(process.exitCode).toBeNull();
  });

  it.each(['timer', 'rejected promise'])('of nobody (%s) ends the process in order', async (fault) => {
    service = new ServiceProcess('nobody', fault);
    expect(await service.ended()).toBe(1);
    expect(service.lines.map(({ event }) => event)).toEqual(expect.arrayContaining(['service.stopped']));
  });
});

describe('guardProcess', () => {
  it('ends the process when the claim itself fails', () => {
    const stops: number[] = [];
    let raise: (reason: unknown) => void = () => undefined;
    guardProcess(
      { on: (event, listener) => (event === 'uncaughtException' ? (raise = listener) : undefined) },
      {
        claim: () => {
          throw new Error('broken');
        },
        logger: { error: () => undefined },
        stop: (_, code) => stops.push(code),
      },
    );
    raise(new Error('anything'));
    expect(stops).toEqual([1]);
  });
});
