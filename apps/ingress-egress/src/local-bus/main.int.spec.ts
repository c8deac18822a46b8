import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

const NODE_OPTIONS = ['--import', 'tsx', '--conditions=@bitbrat/source'];

describe('the local bus as a process', () => {
  const children: ChildProcess[] = [];

  const run = (environment: Record<string, string>, args: readonly string[] = []): ChildProcess => {
    const child = spawn(process.execPath, [...NODE_OPTIONS, join(__dirname, 'main.ts'), ...args], {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  };

  /** Starts it, and closes its output as soon as its first line is read, as `| head -1` does. */
  const startUnread = async (
    environment: Record<string, string>,
  ): Promise<{ child: ChildProcess; port: string }> => {
    const child = run(environment);
    if (child.stdout === null) throw new Error('unreachable: stdout is piped');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]; // readline emits a string
    child.stdout.destroy();
    child.stderr?.destroy();
    const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? '';
    return { child, port };
  };

  const textOf = async (child: ChildProcess): Promise<string> => {
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stdout?.resume();
    await once(child, 'close');
    return text;
  };

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  it('serves when nobody reads its output any more, and stops when asked', async () => {
    const { child, port } = await startUnread({ BUS_PORT: '0' });
    const topic = `http://127.0.0.1:${port}/v1/projects/local/topics/things`;
    expect((await fetch(topic, { method: 'PUT', body: '{}' })).status).toBe(200);
    expect((await fetch(topic)).status).toBe(200);
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null]; // Node's documentation, event `exit`
    expect(code).toBe(0);
  }, 60_000);

  it('says which port is taken and how to choose another', async () => {
    const { port } = await startUnread({ BUS_PORT: '0' });
    for (const [environment, args] of [
      [{ BUS_PORT: port }, []],
      [{ BUS_PORT: '0' }, ['--port', port]],
    ] as const) {
      const second = run(environment, args);
      expect(await textOf(second)).toBe(
        `the local bus cannot start: port ${port} is in use: stop what uses it, or set BUS_PORT or --port to choose another\n`,
      );
      expect(second.exitCode).toBe(1);
    }
  }, 60_000);

  it('names a setting that is no port', async () => {
    const child = run({ BUS_PORT: 'eighty' });
    expect(await textOf(child)).toContain('BUS_PORT: expected a port from 0 to 65535');
    expect(child.exitCode).toBe(1);
  }, 60_000);
});
