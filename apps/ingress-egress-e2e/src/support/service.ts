import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '@bitbrat/emulators';
import { waitUntil } from './wait-until.js';

/** The built service. Jest, the campaign and the benchmarks all run in the project's folder. */
export const MAIN = join(process.cwd(), '../ingress-egress/dist/main.mjs');

/** A machine that is busy with other suites needs them. */
const READY_MS = 60_000;

export type LogLine = Readonly<Record<string, unknown>>;

/** The built service as a process of its own. */
export interface Service {
  readonly url: string;
  readonly pid: number;
  /** What it has logged, oldest first. */
  readonly logs: readonly LogLine[];
  /** Resolves when `/readyz` says so. */
  ready(): Promise<void>;
  /** SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code when the process has ended. */
  stop(): Promise<number | null>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts the built service. @param environment all of it but PATH; nothing else is inherited */
export async function startService(environment: Record<string, string>): Promise<Service> {
  const port = environment['PORT'] ?? String(await freePort());
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'] ?? '', HOST: '127.0.0.1', ...environment, PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const exited = once(child, 'exit').then(([code]: (number | null)[]) => {
    running.delete(child);
    return code ?? null;
  });
  const logs: LogLine[] = [];
  createInterface(child.stdout).on('line', (line) => logs.push(JSON.parse(line) as LogLine)); // pino writes objects
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    pid: child.pid ?? 0,
    logs,
    ready: async () => {
      const isReady = async (): Promise<true | undefined> => {
        if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
        const answer = await fetch(`${url}/readyz`).catch(() => undefined);
        return answer?.ok === true ? true : undefined;
      };
      try {
        await waitUntil(`${url}/readyz`, isReady, READY_MS);
      } catch (cause) {
        const said = `${errors}${logs
          .slice(-8)
          .map((line) => JSON.stringify(line))
          .join('\n')}`;
        child.kill('SIGKILL');
        throw new Error(`not ready (${String(cause)}):\n${said}`, { cause });
      }
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      // One that stands still (SIGSTOP) would not take the other signal.
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Starts it where it must not start: resolves with its exit code and what it said. */
export async function startInVain(
  environment: Record<string, string>,
): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'] ?? '', HOST: '127.0.0.1', PORT: '0', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.add(child);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null]; // the event's first argument
  running.delete(child);
  return { code, said };
}
