import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type Emulator, type EmulatorOptions } from './emulator.js';
import { emulatorAvailability, type EmulatorInstallation } from './emulator-installation.js';
import { type EmulatorKind } from './emulator-kind.js';
import { freePort } from './free-port.js';

/**
 * Runs a program and kills it as soon as standard input ends, which it does when whoever started it is gone, even by
 * SIGKILL. An `exit` listener would not do: it is not called then, nor in a test runner's sandbox.
 */
const GUARD = `
exec 3<&0
"$@" 3<&- &
program=$!
(cat <&3 >/dev/null; kill -9 $program) 2>/dev/null &
wait $program
`;

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
/** Ports that are tried where none is asked for. */
const START_ATTEMPTS = 3;

/**
 * Starts java directly: the CLI's wrapper script leaves java behind when it is ended.
 * @throws Error that names what is missing and the package which has it
 */
export async function startEmulator(kind: EmulatorKind, options: EmulatorOptions): Promise<Emulator> {
  const availability = emulatorAvailability(kind, options.environment);
  if (!availability.available) {
    throw new Error(`cannot start the ${kind.name} emulator, ${availability.reason}`);
  }
  for (let attempt = 1; ; attempt += 1) {
    const emulator = new EmulatorProcess(
      kind,
      availability.installation,
      options.port ?? (await freePort()),
      options.heapMb ?? kind.defaultHeapMb,
    );
    try {
      await emulator.restart();
      return emulator;
    } catch (error) {
      // Of emulators that start side by side one may have taken the port that was free for another.
      if (options.port !== undefined || attempt === START_ATTEMPTS) throw error;
    }
  }
}

class EmulatorProcess implements Emulator {
  readonly projectId = 'local-project';
  private child: ChildProcess | undefined;

  constructor(
    private readonly kind: EmulatorKind,
    private readonly installation: EmulatorInstallation,
    private readonly port: number,
    private readonly heapMb: number,
  ) {}

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    const { child } = this;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async reset(): Promise<void> {
    const { method, path } = this.kind.reset(this.projectId);
    const response = await fetch(`http://${this.host}${path}`, { method });
    await response.body?.cancel();
    if (!response.ok)
      throw new Error(`the ${this.kind.name} emulator refused to reset: HTTP ${response.status}`);
  }

  async kill(): Promise<void> {
    const { child, isRunning } = this;
    this.child = undefined;
    if (child?.pid === undefined || !isRunning) return;
    // `close` comes when the last of the group has let go of standard error.
    const ended = once(child, 'close');
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  }

  stop(): Promise<void> {
    return this.kill();
  }

  async restart(): Promise<void> {
    await this.kill();
    const { java, jar } = this.installation;
    const command = [java, `-Xmx${this.heapMb}m`, '-XX:+UseSerialGC', ...this.kind.run(jar)];
    const address = ['--host=127.0.0.1', `--port=${this.port}`];
    // A process group of its own, so that one signal ends guard and java alike.
    const child = spawn('sh', ['-c', GUARD, 'guard', ...command, ...address], {
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    });
    // Standard input breaks when the guard ends first.
    child.stdin.on('error', () => undefined);
    child.once('exit', () => child.stdin.destroy());
    this.child = child;
    let output = '';
    let failure: Error | undefined;
    child.stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-2000);
      // Java says so and stays; who answers then is the one who has the port.
      if (output.includes('Address already in use')) {
        failure ??= new Error(
          `the ${this.kind.name} emulator did not start on ${this.host}: the port is taken`,
        );
      }
    });
    child.once('error', (error) => (failure = error));
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (failure !== undefined || !(await this.answers())) {
      if (failure !== undefined) {
        await this.kill();
        throw failure;
      }
      if (child.exitCode !== null || Date.now() > deadline) {
        await this.kill();
        throw new Error(`the ${this.kind.name} emulator did not start on ${this.host}: ${output}`);
      }
      await delay(POLL_MS);
    }
  }

  private async answers(): Promise<boolean> {
    try {
      const response = await fetch(`http://${this.host}/`, { signal: AbortSignal.timeout(2000) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }
}
