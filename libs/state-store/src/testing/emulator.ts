import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  emulatorAvailability,
  type EmulatorInstallation,
  type SearchEnvironment,
} from './emulator-installation.js';

/** How to start the emulator. */
export interface EmulatorOptions {
  /** Where to look for programs: `process.env`. */
  readonly environment: SearchEnvironment;
  /** Bound of java's heap in MiB; unbounded it takes a quarter of the machine's memory. Default 256. */
  readonly heapMb?: number;
  /** Default: a free one. */
  readonly port?: number;
}

/** A running emulator of Firestore on 127.0.0.1. It ends with this process at the latest. */
export interface FirestoreEmulator {
  /** `127.0.0.1:{port}` */
  readonly host: string;
  readonly projectId: string;
  /** Removes all documents. */
  reset(): Promise<void>;
  /** SIGKILL: what it held is gone, for it keeps all in memory. Resolves when the process has ended. */
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
/** The jar names no main class; the CLI's script `cloud_firestore_emulator` does. */
const MAIN_CLASS = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore';

/**
 * Starts java directly: the CLI's wrapper script leaves java behind when it is ended.
 * @throws Error that names what is missing and the package which has it
 */
export async function startFirestoreEmulator(options: EmulatorOptions): Promise<FirestoreEmulator> {
  const availability = emulatorAvailability(options.environment);
  if (!availability.available) throw new Error(`cannot start the Firestore emulator, ${availability.reason}`);
  const emulator = new Emulator(
    availability.installation,
    options.port ?? (await freePort()),
    options.heapMb ?? 256,
  );
  await emulator.restart();
  return emulator;
}

class Emulator implements FirestoreEmulator {
  readonly projectId = 'local-project';
  private child: ChildProcess | undefined;
  private readonly endWithProcess = (): void => {
    this.child?.kill('SIGKILL');
  };

  constructor(
    private readonly installation: EmulatorInstallation,
    private readonly port: number,
    private readonly heapMb: number,
  ) {}

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async reset(): Promise<void> {
    const documents = `emulator/v1/projects/${this.projectId}/databases/(default)/documents`;
    const response = await fetch(`http://${this.host}/${documents}`, { method: 'DELETE' });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the Firestore emulator refused to reset: HTTP ${response.status}`);
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    process.off('exit', this.endWithProcess);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  stop(): Promise<void> {
    return this.kill();
  }

  async restart(): Promise<void> {
    await this.kill();
    const { java, jar } = this.installation;
    const heap = [`-Xmx${this.heapMb}m`, '-XX:+UseSerialGC'];
    const child = spawn(java, [...heap, '-cp', jar, MAIN_CLASS, '--host=127.0.0.1', `--port=${this.port}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child = child;
    process.on('exit', this.endWithProcess);
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-2000);
    });
    let failure: Error | undefined;
    child.once('error', (error) => (failure = error));
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await this.answers())) {
      if (failure !== undefined) throw failure;
      if (child.exitCode !== null || Date.now() > deadline) {
        await this.kill();
        throw new Error(`the Firestore emulator did not start on ${this.host}: ${output}`);
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}
