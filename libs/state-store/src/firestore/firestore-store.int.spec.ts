import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import {
  describeWithFirestoreEmulator,
  type FirestoreEmulator,
  startFirestoreEmulator,
} from '@bitbrat/emulators';
import { type FirestoreStoreOptions } from './firestore-options.js';
import { createFirestoreStore } from './firestore-store.js';
import { StateStoreError, type StateStore } from '../state-store.js';
import { describeStateStore } from '../testing.js';
import { CutProxy } from '../testing/cut-proxy.js';

const CLOSE_MS = 10_000;
let collections = 0;

/** Repeats what failed with a retryable code, as a caller may: these stores give up sooner than a busy emulator answers. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StateStoreError) || !error.retryable) throw error;
    }
  }
}

describeWithFirestoreEmulator('Firestore store', process.env, () => {
  let emulator: FirestoreEmulator;
  const opened: StateStore[] = [];

  const open = (options: Partial<FirestoreStoreOptions> = {}): StateStore => {
    const store = createFirestoreStore({
      projectId: emulator.projectId,
      emulatorHost: emulator.host,
      collection: `state-${++collections}`,
      ...options,
    });
    opened.push(store);
    return store;
  };

  beforeAll(async () => {
    emulator = await startFirestoreEmulator({ environment: process.env });
  }, 60_000);
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close(CLOSE_MS)));
    // A case that failed while it was away is not to fail the next ones, too.
    if (!emulator.isRunning) await emulator.restart();
  }, 60_000);
  afterAll(() => emulator.stop());

  describeStateStore('Firestore store', () => {
    const collection = `contract-${++collections}`;
    const store = open({ collection });
    return Promise.resolve({
      store,
      patienceMs: CLOSE_MS,
      reopen: async () => {
        await store.close(CLOSE_MS);
        return open({ collection });
      },
      dispose: () => Promise.resolve(),
    });
  });

  it('gives a claim to one of several processes', async () => {
    const stores = [
      open({ collection: 'claims' }),
      open({ collection: 'claims' }),
      open({ collection: 'claims' }),
    ];
    for (let round = 0; round < 10; round++) {
      const claims = await Promise.all(
        stores.map((store, index) => store.compareAndSet(`claim ${round}`, undefined, `owner ${index}`)),
      );
      const winners = claims.flatMap((won, index) => (won ? [`owner ${index}`] : []));
      expect(winners).toEqual([await stores[0]?.get(`claim ${round}`)]);
    }
  }, 30_000);

  it('loses no step of a counter that several processes raise', async () => {
    const stores = [open({ collection: 'counters' }), open({ collection: 'counters' })];
    const raise = async (store: StateStore): Promise<void> => {
      for (let raised = 0; raised < 10;) {
        const present = await store.get('counter');
        if (await store.compareAndSet('counter', present, `${Number(present ?? 0) + 1}`)) raised += 1;
      }
    };
    await Promise.all(stores.map(raise));
    expect(await stores[0]?.get('counter')).toBe('20');
  }, 30_000);

  it('knows its own write again when the answer to it was lost', async () => {
    const proxy = await CutProxy.start(emulator.host);
    const store = open({ collection: 'claims', emulatorHost: proxy.host });
    await store.checkHealth(5000);
    proxy.cutAnswerTo('owner of the lost answer');
    expect(await store.compareAndSet('lost answer', undefined, 'owner of the lost answer')).toBe(true);
    expect(proxy.cuts).toBe(1);
    expect(await store.get('lost answer')).toBe('owner of the lost answer');
    await store.close(CLOSE_MS);
    await proxy.stop();
  }, 30_000);

  it('refuses a document that is not its own', async () => {
    const id = `k-${Buffer.from('key').toString('base64url')}`;
    const documents = `http://${emulator.host}/v1/projects/${emulator.projectId}/databases/(default)/documents`;
    const response = await fetch(`${documents}/foreign/${id}`, {
      method: 'PATCH',
      headers: { authorization: 'Bearer owner', 'content-type': 'application/json' },
      body: JSON.stringify({ fields: { value: { integerValue: '1' } } }),
    });
    expect(response.status).toBe(200);
    const store = open({ collection: 'foreign' });
    await expect(store.get('key')).rejects.toMatchObject({ code: 'CORRUPT' });
    await expect(store.compareAndSet('key', undefined, 'x')).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  it('looks for no metadata server, and lets the process end', async () => {
    let lookups = 0;
    const metadata = createServer((_request, response) => {
      lookups += 1;
      response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(metadata, 'listening');
    const address = metadata.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const { METADATA_SERVER_DETECTION: _detection, ...environment } = process.env;
    const script = join(__dirname, '..', 'fixtures', 'remember-once.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, emulator.host, emulator.projectId], {
      env: { ...environment, GCE_METADATA_HOST: `127.0.0.1:${address.port}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    await once(child, 'close');
    metadata.close();
    expect({ output, errors, lookups, exitCode: child.exitCode }).toEqual({
      output: 'remembered',
      errors: '',
      lookups: 0,
      exitCode: 0,
    });
  }, 30_000);

  it('repeats what was called while Firestore was away', async () => {
    const events: string[] = [];
    const note = (event: string): void => {
      events.push(event);
    };
    // Longer than the emulator may take to start on a busy machine: not what is tried here.
    const store = open({
      giveUpAfterMs: 80_000,
      logger: { debug: note, info: note, warn: note, error: note },
    });
    await store.set('before', 'x');
    await emulator.kill();
    const calls = Promise.all([
      ...Array.from({ length: 50 }, (_, index) => store.set(`key ${index}`, `value ${index}`)),
      store.compareAndSet('claim', undefined, 'won'),
      store.delete('before'),
      store.get('nothing'),
    ]);
    await expect(store.checkHealth(500)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await emulator.restart();
    const results = await calls;
    expect(results.slice(50)).toEqual([true, undefined, undefined]);
    for (let index = 0; index < 50; index++) {
      expect(await store.get(`key ${index}`)).toBe(`value ${index}`);
    }
    await store.checkHealth(5000);
    expect(new Set(events)).toEqual(new Set(['state.request.failing', 'state.request.recovered']));
  }, 120_000);

  it('gives up in time while Firestore is away, and works when it is back', async () => {
    const store = open({ giveUpAfterMs: 500, requestTimeoutMs: 500 });
    await patiently(() => store.set('key', 'before'));
    await emulator.kill();
    const isAway = { code: 'UNAVAILABLE', retryable: true };
    const began = performance.now();
    await Promise.all([
      expect(store.set('key', 'during')).rejects.toMatchObject(isAway),
      expect(store.get('key')).rejects.toMatchObject(isAway),
      expect(store.delete('other')).rejects.toMatchObject(isAway),
      expect(store.compareAndSet('third', undefined, 'x')).rejects.toMatchObject(isAway),
    ]);
    expect(performance.now() - began).toBeLessThan(10_000);
    await emulator.restart();
    await patiently(() => store.set('key', 'after'));
    expect(await patiently(() => store.get('key'))).toBe('after');
    expect(await patiently(() => store.get('third'))).toBeUndefined();
  }, 60_000);

  it('gives up in time on a connection that says nothing, and closes in time', async () => {
    const proxy = await CutProxy.start(emulator.host);
    const store = open({ emulatorHost: proxy.host, giveUpAfterMs: 1000, requestTimeoutMs: 300 });
    await patiently(() => store.set('key', 'value'));
    proxy.fallSilent();
    const isAway = { code: 'UNAVAILABLE', retryable: true };
    await Promise.all([
      expect(store.set('key', 'other')).rejects.toMatchObject(isAway),
      expect(store.get('key')).rejects.toMatchObject(isAway),
      expect(store.checkHealth(300)).rejects.toMatchObject(isAway),
    ]);
    const stuck = expect(store.set('key', 'stuck')).rejects.toMatchObject({ code: 'CLOSED' });
    const began = performance.now();
    await Promise.all([store.close(200), stuck]);
    expect(performance.now() - began).toBeLessThan(10_000);
    await proxy.stop();
    // The library repeats reads for a while, whoever waits for them: the test must not end before they have.
    await store.close(50_000);
  }, 60_000);
});
