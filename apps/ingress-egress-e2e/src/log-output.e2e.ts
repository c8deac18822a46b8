import { execFileSync, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@bitbrat/emulators';
import { MAIN } from './support/service.js';
import { waitUntil } from './support/wait-until.js';

/** The service promises 10 s; what waits for it on a busy machine gets one more. */
const STOP_MS = 11_000;

/** From SIGUSR2 on, prints 10 KB each millisecond, as a library that has lost its mind: a pipe holds 64 KiB. */
const FLOOD = `--import data:text/javascript,${encodeURIComponent(
  "process.once('SIGUSR2', () => setInterval(() => { console.log('x'.repeat(5000)); console.error('y'.repeat(5000)); }, 1))",
)}`;

interface Started {
  readonly url: string;
  readonly child: ReturnType<typeof spawn>;
  droppedLines(): Promise<number>;
  /** Resolves with the exit code, and milliseconds from SIGTERM to the end. */
  stop(): Promise<{ code: number | null; tookMs: number }>;
}

describe('the log', () => {
  let folder: string;
  const open: number[] = [];
  const children: ReturnType<typeof spawn>[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-output-'));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const fd of open.splice(0)) closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  /** A pipe of the kernel's that nothing reads. Both ends are open, so that opening it waits for nobody. */
  const aPipe = (name: string): { readonly path: string; readonly fd: number } => {
    const path = join(folder, name);
    execFileSync('mkfifo', [path]);
    const fd = openSync(path, 'r+');
    open.push(fd);
    return { path, fd };
  };
  const full = (): number => {
    const fd = openSync('/dev/full', 'w');
    open.push(fd);
    return fd;
  };

  const start = async (
    stdio: StdioOptions,
    command: readonly string[] = [process.execPath],
  ): Promise<Started> => {
    const port = String(await freePort());
    const [file = '', ...args] = command;
    const child = spawn(file, [...args, MAIN], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOST: '127.0.0.1',
        PORT: port,
        LOG_LEVEL: 'debug',
        NODE_OPTIONS: FLOOD,
      },
      stdio,
    });
    children.push(child);
    const url = `http://127.0.0.1:${port}`;
    const health = async (): Promise<number | undefined> => {
      const answer = await fetch(`${url}/healthz`).catch(() => undefined);
      const body = (await answer?.json()) as { log?: { droppedLines: number } } | undefined; // the service's answer
      return body?.log?.droppedLines;
    };
    await waitUntil('/healthz', health);
    child.kill('SIGUSR2');
    return {
      url,
      child,
      droppedLines: async () => (await health()) ?? -1,
      stop: async () => {
        const from = Date.now();
        child.kill('SIGTERM');
        if (child.exitCode === null) await once(child, 'exit');
        return { code: child.exitCode, tookMs: Date.now() - from };
      },
    };
  };

  const expectCleanStop = async (service: Started): Promise<void> => {
    const { code, tookMs } = await service.stop();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(STOP_MS);
  };

  it('may be full from the start: the service starts, counts what is lost, and stops', async () => {
    const service = await start(['ignore', full(), full()]);
    await waitUntil('lost lines', async () => ((await service.droppedLines()) > 10 ? true : undefined));
    await expectCleanStop(service);
  });

  it('may fill up while the service runs', async () => {
    // In blocks of 512 or 1,024 bytes; beyond them each write fails with EFBIG.
    const limited = ['sh', '-c', 'ulimit -f 20; exec "$0" "$@" >log 2>&1', process.execPath];
    const service = await start('ignore', limited);
    await waitUntil('lost lines', async () => ((await service.droppedLines()) > 10 ? true : undefined));
    await expectCleanStop(service);
  });

  it('may have a reader that stands still, at a bounded cost, and reports what was lost when it reads on', async () => {
    const [out, err] = [aPipe('out'), aPipe('err')];
    const service = await start(['ignore', out.fd, err.fd]);
    await waitUntil('lost lines', async () => ((await service.droppedLines()) > 500 ? true : undefined));
    let text = '';
    const reader = createReadStream(out.path).on(
      'data',
      (chunk) => (text = (text + String(chunk)).slice(-500_000)),
    );
    await waitUntil('the report', () => (text.includes('"log.lines-dropped"') ? true : undefined));
    reader.destroy();
    await expectCleanStop(service);
  });

  it('may have a reader that stands still to the end', async () => {
    const service = await start(['ignore', aPipe('out').fd, aPipe('err').fd]);
    await waitUntil('lost lines', async () => ((await service.droppedLines()) > 10 ? true : undefined));
    await expectCleanStop(service);
  });

  it('may lose its reader', async () => {
    const service = await start(['ignore', 'pipe', 'pipe']);
    service.child.stdout?.destroy();
    service.child.stderr?.destroy();
    await waitUntil('lost lines', async () => ((await service.droppedLines()) > 10 ? true : undefined));
    await expectCleanStop(service);
  });

  it('may be full when the settings are faulty: the exit code says so', async () => {
    const child = spawn(process.execPath, [MAIN], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', PORT: 'x' },
      stdio: ['ignore', full(), full()],
    });
    children.push(child);
    await once(child, 'exit');
    expect(child.exitCode).toBe(78);
  });
});
