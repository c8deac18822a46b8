import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describeWithPubSubEmulator, type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { BusError, type MessageBus, type ReceivedMessage } from '../message-bus.js';
import { createPubSubBus } from './pubsub-bus.js';
import { type PubSubBusOptions } from './pubsub-options.js';
import { Recorder } from '../testing.js';

const PATIENCE_MS = 30_000;

const textOf = (message: ReceivedMessage): string => Buffer.from(message.data).toString();

/** Numbers in the order of their first delivery. */
function firstDeliveries(texts: readonly string[], key: string): number[] {
  const ofKey = texts.filter((text) => text.startsWith(`${key}:`)).map((text) => Number(text.split(':')[1]));
  return [...new Set(ofKey)];
}

describeWithPubSubEmulator('Pub/Sub bus in outages', process.env, () => {
  let emulator: PubSubEmulator;
  const buses: MessageBus[] = [];

  const openBus = (options: Partial<PubSubBusOptions> = {}): MessageBus => {
    const bus = createPubSubBus({
      projectId: emulator.projectId,
      emulatorHost: emulator.host,
      createMissing: true,
      retryBackoff: { baseMs: 20, maxMs: 200 },
      redelivery: { baseMs: 100, maxMs: 500 },
      ...options,
    });
    buses.push(bus);
    return bus;
  };

  beforeAll(async () => {
    emulator = await startPubSubEmulator({ environment: process.env });
  });

  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close(2000)));
    // A case that failed while it was away is not to fail the next ones, too.
    if (!emulator.isRunning) await emulator.restart();
  });

  afterAll(async () => {
    await emulator.stop();
  });

  it('loses no publish and keeps the order per key when the emulator is killed under load and started again', async () => {
    const bus = openBus({ maxInFlight: 100 });
    const recorder = new Recorder(PATIENCE_MS);
    await bus.subscribe({ topic: 'outage-load', subscription: 'outage-load-a' }, recorder.handler());
    const keys = ['b00', 'b01', 'b02', 'b03', 'b04'];
    const perKey = 400;
    const acknowledged = new Set<string>();
    const publish = (from: number, to: number): Promise<void>[] =>
      Array.from({ length: to - from }, (_, index) =>
        keys.map(async (key) => {
          const text = `${key}:${from + index}`;
          await bus.publish('outage-load', { data: Buffer.from(text), attributes: {}, orderingKey: key });
          acknowledged.add(text);
        }),
      ).flat();

    const early = publish(0, perKey / 2);
    await recorder.until('a quarter received', () => recorder.messages.length > 500);
    // However far the first half has come: this one is on its way when the emulator dies.
    const late = publish(perKey / 2, perKey);
    await emulator.kill();
    // Acknowledged and not delivered yet: the emulator has no disk, so this much dies with it.
    const held = await quietCopyOf(acknowledged);
    expect(held.size).toBeLessThan(keys.length * perKey);
    await expect(bus.checkHealth(2000)).rejects.toThrow(BusError);
    await emulator.restart();
    await Promise.all([...early, ...late]);

    const expected = keys.flatMap((key) => Array.from({ length: perKey }, (_, index) => `${key}:${index}`));
    const missing = (): string[] => {
      const received = new Set(recorder.texts);
      return expected.filter((text) => !received.has(text) && !held.has(text));
    };
    await recorder.until('all received', () => missing().length === 0);
    for (const key of keys) {
      const numbers = firstDeliveries(recorder.texts, key);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
    await bus.checkHealth(5000);
  });

  /** A copy taken when nothing has been added for a few turns of the event loop: answers on the wire have come in. */
  async function quietCopyOf(texts: ReadonlySet<string>): Promise<Set<string>> {
    for (let quietTurns = 0, size = texts.size; quietTurns < 50; quietTurns++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (texts.size !== size) {
        quietTurns = 0;
        size = texts.size;
      }
    }
    return new Set(texts);
  }

  it('keeps what is published while the bus is away, in order, and delivers it afterwards', async () => {
    const bus = openBus();
    const recorder = new Recorder(PATIENCE_MS);
    await bus.subscribe({ topic: 'outage-away', subscription: 'outage-away-a' }, recorder.handler());
    await bus.publish('outage-away', { data: Buffer.from('k:0'), attributes: {}, orderingKey: 'k' });
    await recorder.untilText('k:0');
    await emulator.kill();
    const publishes = Array.from({ length: 250 }, (_, index) =>
      bus.publish('outage-away', { data: Buffer.from(`k:${index + 1}`), attributes: {}, orderingKey: 'k' }),
    );
    await emulator.restart();
    await Promise.all(publishes);
    await recorder.untilText('k:250');
    expect(firstDeliveries(recorder.texts, 'k')).toEqual(Array.from({ length: 251 }, (_, index) => index));
  });

  it('waits to subscribe until the bus is there', async () => {
    const bus = openBus();
    await emulator.kill();
    const recorder = new Recorder(PATIENCE_MS);
    const subscribed = bus.subscribe(
      { topic: 'outage-boot', subscription: 'outage-boot-a' },
      recorder.handler(),
    );
    await emulator.restart();
    await subscribed;
    await bus.publish('outage-boot', { data: Buffer.from('hello'), attributes: {} });
    await recorder.untilText('hello');
  });

  it('makes a subscription again that has vanished', async () => {
    const events: string[] = [];
    const note = (event: string): void => {
      events.push(event);
      recorder.notify();
    };
    const recorder = new Recorder(PATIENCE_MS);
    const bus = openBus({ logger: { debug: note, info: note, warn: note, error: note } });
    await bus.subscribe({ topic: 'outage-reset', subscription: 'outage-reset-a' }, recorder.handler());
    await bus.publish('outage-reset', { data: Buffer.from('before'), attributes: {} });
    await recorder.untilText('before');
    await emulator.reset();
    await recorder.until('opened again', () => events.includes('bus.subscription.reopened'));
    await bus.publish('outage-reset', { data: Buffer.from('after'), attributes: {} });
    await recorder.untilText('after');
    await bus.checkHealth(5000);
  });

  it('says how to make what is missing when it may not make it itself, and goes on when it is there', async () => {
    const bus = openBus({ createMissing: false });
    const handler = new Recorder(PATIENCE_MS).handler();
    await expect(
      bus.subscribe({ topic: 'outage-missing', subscription: 'outage-missing-a' }, handler),
    ).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(
        'gcloud pubsub subscriptions create outage-missing-a --topic=outage-missing --enable-message-ordering',
      ) as string,
    });

    const watch = new Recorder(PATIENCE_MS);
    const warned = openBus({
      createMissing: false,
      logger: {
        debug: () => undefined,
        info: () => undefined,
        warn: () => {
          failing = true;
          watch.notify();
        },
        error: () => undefined,
      },
    });
    let failing = false;
    const published = warned.publish('outage-missing', { data: Buffer.from('x'), attributes: {} });
    await watch.until('reported', () => failing);
    await expect(warned.checkHealth(5000)).rejects.toThrow('gcloud pubsub topics create outage-missing');

    await openBus().publish('outage-missing', { data: Buffer.from('y'), attributes: {} });
    await expect(published).resolves.not.toBe('');
    await warned.checkHealth(5000);
  });

  it('rejects with CLOSED what the bus has not taken when the time to close is over', async () => {
    const bus = openBus({ maxInFlight: 2 });
    await emulator.kill();
    const publishes = Array.from({ length: 5 }, (_, index) =>
      bus.publish('outage-close', { data: Buffer.from(`${index}`), attributes: {}, orderingKey: 'k' }),
    );
    const settled = Promise.allSettled(publishes);
    await bus.close(100);
    for (const result of await settled) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
    }
  });

  describe('behind a network that swallows packets', () => {
    let proxy: Server;
    let swallow = false;
    const sockets = new Set<Socket>();

    beforeAll(async () => {
      const port = Number(emulator.host.split(':')[1]);
      proxy = createServer((client) => {
        const server = connect(port, '127.0.0.1');
        for (const [from, to] of [
          [client, server],
          [server, client],
        ] as const) {
          sockets.add(from);
          from.on('data', (chunk) => {
            if (!swallow) to.write(chunk);
          });
          from.on('error', () => to.destroy());
          from.on('close', () => to.destroy());
        }
      }).listen(0, '127.0.0.1');
      await once(proxy, 'listening');
    });

    afterAll(async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    });

    it('repeats requests that nobody answers', async () => {
      const address = proxy.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      const recorder = new Recorder(PATIENCE_MS);
      let failed = false;
      const bus = openBus({
        emulatorHost: `127.0.0.1:${address.port}`,
        requestTimeoutMs: 300,
        logger: {
          debug: () => undefined,
          info: () => undefined,
          warn: () => {
            failed = true;
            recorder.notify();
          },
          error: () => undefined,
        },
      });
      await bus.publish('outage-hole', { data: Buffer.from('0'), attributes: {}, orderingKey: 'k' });
      swallow = true;
      failed = false;
      const publishes = [1, 2, 3].map((number) =>
        bus.publish('outage-hole', { data: Buffer.from(`${number}`), attributes: {}, orderingKey: 'k' }),
      );
      await recorder.until('a request has timed out', () => failed);
      // What was swallowed has broken the stream of bytes: the connection is dead, a new one must be made.
      swallow = false;
      for (const socket of sockets) socket.destroy();
      await expect(Promise.all(publishes)).resolves.toHaveLength(3);
    });
  });

  it('counts attempts on when another reader takes over', async () => {
    const first = openBus();
    const recorder = new Recorder(PATIENCE_MS);
    const reading = await first.subscribe(
      { topic: 'outage-reader', subscription: 'outage-reader-a' },
      recorder.handler(() => new Promise(() => undefined)),
    );
    await first.publish('outage-reader', { data: Buffer.from('x'), attributes: {} });
    await recorder.untilText('x');
    await reading.close(50);
    const second = new Recorder(PATIENCE_MS);
    await first.subscribe({ topic: 'outage-reader', subscription: 'outage-reader-a' }, second.handler());
    await second.untilText('x');
    expect(second.messages.map(textOf)).toEqual(['x']);
    expect(second.messages[0]?.attempt).toBeGreaterThan(1);
  });
});
