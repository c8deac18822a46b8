import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describeWithPubSubEmulator, type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';

const run = promisify(execFile);

/** Runs a program on the library's sources in a process of its own; rejects unless it ends by itself with 0. */
function runProgram(lines: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const index = join(dirname(expect.getState().testPath ?? ''), '../index.ts');
  const program = [`const bus = await import(${JSON.stringify(index)});`, ...lines].join('\n');
  // Without the settings of the test run, so that nothing keeps the library from looking for a metadata server.
  const { METADATA_SERVER_DETECTION: _detection, ...env } = process.env;
  const loader = ['--import', 'tsx', '--conditions=@bitbrat/source', '--input-type=module'];
  return run(process.execPath, [...loader, '--eval', program], { env, timeout: 20_000 });
}

const readAndPublish = [
  'let got; const received = new Promise((resolve) => (got = resolve));',
  "await it.subscribe({ topic: 'exit-topic', subscription: 'exit-a' }, async () => { got(); return 'ack'; });",
  "await it.publish('exit-topic', { data: Buffer.from('x'), attributes: {}, orderingKey: 'k' });",
  'await received;',
  'await it.close(5000);',
  "const loaded = process.getBuiltinModule('node:module')._cache;",
  "console.log(Object.keys(loaded).some((name) => name.includes('@google-cloud')) ? 'loaded' : 'not loaded');",
];

it('lets the process end by itself after a memory bus was closed, and never loads the Pub/Sub library', async () => {
  const result = await runProgram(['const it = bus.createMemoryBus();', ...readAndPublish]);
  expect(result).toEqual({ stdout: 'not loaded\n', stderr: '' });
});

describeWithPubSubEmulator('A process with a Pub/Sub bus', process.env, () => {
  let emulator: PubSubEmulator;

  beforeAll(async () => {
    emulator = await startPubSubEmulator({ environment: process.env });
  });

  afterAll(async () => {
    await emulator.stop();
  });

  const settings = (): string =>
    JSON.stringify({ projectId: emulator.projectId, emulatorHost: emulator.host, createMissing: true });

  it('ends by itself after the bus was closed, without a warning', async () => {
    const result = await runProgram([`const it = bus.createPubSubBus(${settings()});`, ...readAndPublish]);
    expect(result).toEqual({ stdout: 'loaded\n', stderr: '' });
  });

  it('ends by itself when the bus is away at the end', async () => {
    const program = [
      `const it = bus.createPubSubBus(${settings()});`,
      "await it.subscribe({ topic: 'exit-topic', subscription: 'exit-b' }, async () => 'ack');",
      `await fetch('http://${emulator.host}/shutdown', { method: 'POST' }).catch(() => undefined);`,
      `while (await fetch('http://${emulator.host}/').then(() => true, () => false));`,
      "const lost = it.publish('exit-topic', { data: Buffer.from('x'), attributes: {} }).catch((error) => error.code);",
      'await it.close(500);',
      'console.log(await lost);',
    ];
    expect(await runProgram(program)).toEqual({ stdout: 'CLOSED\n', stderr: '' });
    await emulator.restart();
  });
});
