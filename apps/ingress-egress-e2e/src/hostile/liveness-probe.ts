import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Jest runs in the project's folder. */
const FOLDER = join(process.cwd(), 'src/hostile');

/** How long `/livez` took, asked by a process that does nothing else. */
export interface Answers {
  readonly asked: number;
  readonly failures: number;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

/** Turns of an event loop, and by how many milliseconds the process's own work held them up. */
export interface HeldUp {
  readonly turns: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Watches the event loop of a process from inside. */
export class LoopWatch {
  private constructor(private readonly folder: string) {}

  static async create(): Promise<LoopWatch> {
    return new LoopWatch(await mkdtemp(join(tmpdir(), 'loop-watch-')));
  }

  /** The option of Node that makes a process report. */
  get nodeOption(): string {
    const url = pathToFileURL(join(FOLDER, 'loop-monitor.mjs'));
    url.searchParams.set('report', this.#report);
    return `--import=${url.href}`;
  }

  /** What was seen until half a second ago. @throws where nothing was reported */
  read(): HeldUp {
    return JSON.parse(readFileSync(this.#report, 'utf8')) as HeldUp; // the monitor's own report
  }

  dispose(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  get #report(): string {
    return join(this.folder, 'report.json');
  }
}

/** Asks `/livez` all the time, from a process of its own. */
export class LivenessProbe {
  readonly #prober: ChildProcess;
  #output = '';

  constructor(
    url: string,
    private readonly pid: number,
  ) {
    const file = join(FOLDER, 'liveness-prober.mjs');
    this.#prober = spawn(process.execPath, [file, `${url}/livez`], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#prober.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
  }

  /** Ends it. */
  async stop(): Promise<Answers> {
    const closed = once(this.#prober, 'close');
    this.#prober.stdin?.end();
    await closed;
    return JSON.parse(this.#output) as Answers; // the prober's own line
  }

  /** Ends it where its result is not wanted any more. */
  kill(): void {
    this.#prober.kill('SIGKILL');
  }

  /** Resident memory of the service in MiB; 0 where there is no /proc. */
  residentMib(): number {
    try {
      const pages = Number(readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ')[1]);
      return Math.round((pages * 4_096) / 2 ** 20);
    } catch {
      return 0;
    }
  }
}
