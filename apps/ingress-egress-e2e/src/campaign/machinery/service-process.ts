import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { waitUntil } from '../../support/wait-until.js';

/** Milliseconds: a machine that is busy with other things needs them. */
const START_TIMEOUT_MS = 60_000;

/** MiB of the heap, as the service is deployed in an instance of 512 MiB. */
export const HEAP_MIB = 358;

/** What the service says, and how its processes end. */
export interface ServiceListener {
  onLog(line: Readonly<Record<string, unknown>>): void;
  /** A process ended that nobody had ended. */
  onCrash(reason: string): void;
  /** A process has begun, or has ended. */
  onLife?(isAlive: boolean): void;
}

export interface ServiceSettings {
  /** The built service's entry. */
  readonly main: string;
  /** All of it but PATH; nothing else is inherited. PORT stays the same over all starts. */
  readonly environment: Readonly<Record<string, string>>;
  /** The log of all its processes. */
  readonly logFile: string;
  /** Arguments of Node before the entry, besides the limit of its memory. Default: none. */
  readonly nodeArguments?: readonly string[];
}

/** The built service: one process after the other, as a platform like Cloud Run runs it. */
export class ServiceProcess {
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #expectsEnd = false;
  #starts = 0;
  readonly #onExit = (): void => void this.#child?.kill('SIGKILL');

  constructor(
    private readonly settings: ServiceSettings,
    private readonly listener: ServiceListener,
  ) {
    this.#log = createWriteStream(settings.logFile);
    process.on('exit', this.#onExit);
  }

  get url(): string {
    return `http://127.0.0.1:${this.settings.environment['PORT'] ?? ''}`;
  }

  /** How many processes there have been. */
  get starts(): number {
    return this.#starts;
  }

  /**
   * Starts a process unless one runs. Resolves when it answers; whether its connectors are up is another
   * matter.
   */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    this.#starts += 1;
    this.#expectsEnd = false;
    const memory = `--max-old-space-size=${HEAP_MIB}`;
    const { main, nodeArguments = [] } = this.settings;
    const child = spawn(process.execPath, [memory, ...nodeArguments, main], {
      env: { PATH: process.env['PATH'] ?? '', HOST: '127.0.0.1', ...this.settings.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.listener.onLife?.(true);
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2_000)));
    createInterface(child.stdout).on('line', (line) => {
      this.#log.write(`${line}\n`);
      const parsed: unknown = JSON.parse(line);
      if (isRecord(parsed)) this.listener.onLog(parsed);
    });
    this.#ended = once(child, 'close').then(() => {
      this.#child = undefined;
      this.listener.onLife?.(false);
      if (this.#expectsEnd) return;
      this.listener.onCrash(`exit code ${String(child.exitCode ?? child.signalCode)}: ${errors.trim()}`);
    });
    await this.#until('/livez', child);
  }

  /** Resolves when all its connectors are connected and the bus answers. */
  async ready(): Promise<void> {
    await this.#until('/readyz', this.#child);
  }

  /** SIGKILL: at once, whatever it is doing. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** SIGTERM: it may finish what it has in hand. */
  terminate(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** SIGUSR2, to which the service pays no heed itself. */
  poke(): void {
    this.#child?.kill('SIGUSR2');
  }

  /** SIGSTOP: it stands still, with its connections open. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** SIGCONT */
  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Resident memory in MiB; 0 while no process runs or where there is no /proc. */
  get memoryMb(): number {
    try {
      const pages = Number(readFileSync(`/proc/${this.#child?.pid ?? ''}/statm`, 'utf8').split(' ')[1]);
      return Math.round((pages * 4_096) / 2 ** 20);
    } catch {
      return 0;
    }
  }

  /** Ends it for good, with its log. */
  async close(): Promise<void> {
    this.thaw();
    await this.terminate();
    process.off('exit', this.#onExit);
    this.#log.end();
    await once(this.#log, 'close');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#expectsEnd = true;
    this.#child?.kill(signal);
    await this.#ended;
  }

  async #until(path: string, child: ChildProcess | undefined): Promise<void> {
    const probe = async (): Promise<true | undefined> => {
      if (child !== this.#child || child === undefined) throw new Error(`the service ended before ${path}`);
      const answer = await fetch(`${this.url}${path}`).catch(() => undefined);
      return answer?.ok === true ? true : undefined;
    };
    await waitUntil(`${this.url}${path}`, probe, START_TIMEOUT_MS);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
