import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  describeWithFirestoreEmulator,
  describeWithPubSubEmulator,
  type Emulator,
  startFirestoreEmulator,
  startPubSubEmulator,
} from './index.js';

const HEAP_MB = 128;

const emulators = [
  {
    name: 'Pub/Sub',
    describeWith: describeWithPubSubEmulator,
    start: startPubSubEmulator,
    add: { method: 'PUT', path: 'topics/a-topic' },
  },
  {
    name: 'Firestore',
    describeWith: describeWithFirestoreEmulator,
    start: startFirestoreEmulator,
    add: { method: 'PATCH', path: 'databases/(default)/documents/a-collection/a-document' },
  },
] as const;

function answers(host: string): Promise<boolean> {
  return fetch(`http://${host}/`).then(
    (response) => response.ok,
    () => false,
  );
}

for (const { name, describeWith, start, add } of emulators) {
  describeWith(`The ${name} emulator`, process.env, () => {
    let emulator: Emulator;

    beforeAll(async () => {
      emulator = await start({ environment: process.env, heapMb: HEAP_MB });
    });

    afterAll(async () => {
      await emulator.stop();
    });

    async function call(method: string): Promise<number> {
      const { host, projectId } = emulator;
      const response = await fetch(`http://${host}/v1/projects/${projectId}/${add.path}`, {
        method,
        headers: { authorization: 'Bearer owner', 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: '{}' }),
      });
      await response.body?.cancel();
      return response.status;
    }

    it('is empty after a reset', async () => {
      expect(await call(add.method)).toBe(200);
      expect(await call('GET')).toBe(200);
      await emulator.reset();
      expect(await call('GET')).toBe(404);
    });

    it('is away after a kill, and empty on the same port after a restart', async () => {
      const { host } = emulator;
      expect(await call(add.method)).toBe(200);
      await emulator.kill();
      expect(emulator.isRunning).toBe(false);
      expect(await answers(host)).toBe(false);
      await emulator.restart();
      expect(emulator.isRunning).toBe(true);
      expect(emulator.host).toBe(host);
      expect(await call('GET')).toBe(404);
    });

    it('does not wait long for a port that is taken', async () => {
      const taken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const address = taken.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      const starting = start({ environment: process.env, heapMb: HEAP_MB, port: address.port });
      await expect(starting).rejects.toThrow(`did not start on 127.0.0.1:${address.port}`);
      taken.close();
    }, 20_000);

    it('ends when the process that started it is killed', async () => {
      const index = join(dirname(expect.getState().testPath ?? ''), 'index.ts');
      const program = [
        `const { ${start.name} } = await import(${JSON.stringify(index)});`,
        `const emulator = await ${start.name}({ environment: process.env, heapMb: ${HEAP_MB} });`,
        'console.log(emulator.host);',
      ].join('\n');
      const loader = ['--import', 'tsx', '--conditions=@bitbrat/source', '--input-type=module'];
      const child = spawn(process.execPath, [...loader, '--eval', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [output] = (await once(child.stdout, 'data')) as [Buffer]; // what `data` comes with
      const host = output.toString().trim();
      expect(await answers(host)).toBe(true);
      child.kill('SIGKILL');
      while (await answers(host)) await delay(20);
    });
  });
}
