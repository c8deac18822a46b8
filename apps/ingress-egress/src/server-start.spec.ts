import { RecordingLogger, waitFor } from '@bitbrat/connectors-testing';
import { systemClock } from '@bitbrat/foundation';
import { BusError, createMemoryBus, type MessageBus } from '@bitbrat/message-bus';
import { createMemoryStore, type StateStore, StateStoreError } from '@bitbrat/state-store';
import { readSettings } from './composition.js';
import { IngressEgressServer } from './ingress-egress-server.js';

/** Counts the calls to what is outside, in their order, and holds one of them up for ever. */
class Gate {
  calls = 0;
  reached: () => void = () => undefined;

  constructor(readonly heldCall: number) {}

  async pass<T>(work: () => Promise<T>): Promise<T> {
    this.calls += 1;
    if (this.calls === this.heldCall) {
      this.reached();
      await new Promise(() => undefined);
    }
    return work();
  }
}

interface Parts {
  readonly bus: MessageBus;
  readonly store: StateStore;
}

const gated = (gate: Gate): Parts => {
  const bus = createMemoryBus();
  const store = createMemoryStore();
  return {
    bus: {
      publish: (topic, message, options) => gate.pass(() => bus.publish(topic, message, options)),
      subscribe: (options, handler) => gate.pass(() => bus.subscribe(options, handler)),
      checkHealth: (timeoutMs) => bus.checkHealth(timeoutMs),
      close: (timeoutMs) => bus.close(timeoutMs),
    },
    store: {
      get: (key) => gate.pass(() => store.get(key)),
      set: (key, value) => gate.pass(() => store.set(key, value)),
      delete: (key) => gate.pass(() => store.delete(key)),
      compareAndSet: (key, expected, value) => gate.pass(() => store.compareAndSet(key, expected, value)),
      checkHealth: (timeoutMs) => gate.pass(() => store.checkHealth(timeoutMs)),
      close: (timeoutMs) => store.close(timeoutMs),
    },
  };
};

const logger = new RecordingLogger();
const servers: IngressEgressServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

const serverOf = ({ bus, store }: Parts): IngressEgressServer => {
  const server = new IngressEgressServer({
    config: readSettings({ HOST: '127.0.0.1', PORT: '0', ECHO_BOT_ENABLED: 'true' }).service,
    connectors: [],
    bus,
    instanceId: 'i1',
    clock: systemClock,
    logger,
    random: () => 0,
    store,
  });
  servers.push(server);
  return server;
};

const readiness = async (port: number): Promise<unknown> =>
  (await fetch(`http://127.0.0.1:${port}/readyz`)).json();

describe('the start of the service', () => {
  it('makes the calls that are held up below', async () => {
    const gate = new Gate(0);
    const server = serverOf(gated(gate));
    await server.start();
    await server.stop();
    expect(gate.calls).toBeGreaterThanOrEqual(4);
  });

  it.each([1, 2, 3, 4])('is stopped cleanly while call %i to bus or store hangs', async (heldCall) => {
    const gate = new Gate(heldCall);
    const server = serverOf(gated(gate));
    const reached = new Promise<void>((resolve) => (gate.reached = resolve));
    const started = server.start();
    await reached;
    await server.stop();
    await expect(started).resolves.toBeDefined();
  });

  it.each([0, 1, 2, 3, 5, 8, 13, 21, 34])(
    'is stopped cleanly %i turns of the event loop after it began',
    async (turns) => {
      const server = serverOf(gated(new Gate(0)));
      const started = server.start();
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      await server.stop();
      await expect(started).resolves.toBeDefined();
    },
  );

  it('does nothing after a stop', async () => {
    const server = serverOf(gated(new Gate(0)));
    await server.stop();
    await expect(server.start()).resolves.toEqual({ port: 0 });
  });

  it.each(['FORBIDDEN', 'UNAVAILABLE', 'NOT_FOUND', 'INVALID_NAME'] as const)(
    'listens while the bus answers %s, says why, and goes on when it is mended',
    async (code) => {
      let isRefused = true;
      const parts = gated(new Gate(0));
      const bus: MessageBus = {
        ...parts.bus,
        subscribe: (options, handler) =>
          isRefused ? Promise.reject(new BusError(code, 'mend this')) : parts.bus.subscribe(options, handler),
      };
      const server = serverOf({ ...parts, bus });
      const { port } = await server.start();
      expect(await readiness(port)).toMatchObject({
        ready: false,
        bus: expect.stringContaining('mend this') as string,
      });
      isRefused = false;
      await waitFor(
        async () => JSON.stringify(await readiness(port)).includes('"ready":true'),
        20_000,
        'ready',
      );
      await server.stop();
    },
    40_000,
  );

  it('is not ready while the store fails, says why, and is ready again afterwards', async () => {
    let isFailing = true;
    const parts = gated(new Gate(0));
    const store: StateStore = {
      ...parts.store,
      checkHealth: (timeoutMs) =>
        isFailing
          ? Promise.reject(new StateStoreError('UNAVAILABLE', 'make room'))
          : parts.store.checkHealth(timeoutMs),
    };
    const server = serverOf({ ...parts, store });
    const { port } = await server.start();
    expect(await readiness(port)).toMatchObject({ ready: false, bus: 'ok', store: 'UNAVAILABLE: make room' });
    isFailing = false;
    await waitFor(
      async () => JSON.stringify(await readiness(port)).includes('"ready":true'),
      20_000,
      'ready',
    );
    await server.stop();
  }, 40_000);
});
