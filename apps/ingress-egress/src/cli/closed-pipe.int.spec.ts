import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ENTRIES = {
  doctor: '../doctor/main.ts',
  'dead-letters': '../dead-letters/main.ts',
  bus: '../local-bus/main.ts',
} as const;

const directory = mkdtempSync(join(tmpdir(), 'closed-pipe-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

interface Closed {
  readonly stdout?: boolean;
  readonly stderr?: boolean;
}

/** Runs a command of which some outputs are closed before it writes. */
async function run(
  entry: keyof typeof ENTRIES,
  args: readonly string[],
  closed: Closed,
): Promise<{ readonly code: unknown; readonly errors: string }> {
  const options = [
    '--import',
    'tsx',
    '--conditions=@bitbrat/source',
    join(__dirname, ENTRIES[entry]),
    ...args,
  ];
  const child = spawn(process.env['NODE_BINARY'] ?? process.execPath, options, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], STATE_FILE: join(directory, 'state.json') },
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.resume();
  if (closed.stdout === true) child.stdout.destroy();
  if (closed.stderr === true) child.stderr.destroy();
  await once(child, 'close');
  return { code: child.exitCode, errors };
}

describe('a command whose reader has gone', () => {
  it.each([
    ['doctor', ['--help'], 0],
    ['doctor', ['--nonsense'], 2],
    ['dead-letters', ['--help'], 0],
    ['bus', ['--help'], 0],
    ['bus', ['--port', 'x'], 1],
    ['dead-letters', ['list', '--url', 'http://127.0.0.1:1'], 69],
  ] as const)(
    '%s %j ends with %d',
    async (entry, args, expected) => {
      for (const closed of [{ stdout: true }, { stderr: true }, { stdout: true, stderr: true }]) {
        const { code, errors } = await run(entry, args, closed);
        expect([closed, code]).toEqual([closed, expected]);
        expect(errors).not.toMatch(/EPIPE|node:/);
      }
    },
    60_000,
  );

  it('the doctor examines everything all the same', async () => {
    const read = await run('doctor', [], {});
    const unread = await run('doctor', [], { stdout: true });
    expect(unread).toEqual(read);
  }, 60_000);
});
