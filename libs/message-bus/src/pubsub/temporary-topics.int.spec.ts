import { describeWithPubSubEmulator, type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { type Clock, keepAliveClock } from '@bitbrat/foundation';
import { type MessageBus, type TopicKeeper } from '../message-bus.js';
import { createPubSubBus } from './pubsub-bus.js';

type PubSubBus = MessageBus & TopicKeeper;

const HOUR = 3_600_000;
const PREFIX = 'internal.egress.v1.';

describeWithPubSubEmulator('temporary topics', process.env, () => {
  let emulator: PubSubEmulator;
  const buses: PubSubBus[] = [];

  beforeAll(async () => {
    emulator = await startPubSubEmulator({ environment: process.env });
  });
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close(2_000)));
  });
  afterAll(async () => {
    await emulator.stop();
  });

  const open = (aheadMs = 0, createMissing = true): PubSubBus => {
    const clock: Clock = { ...keepAliveClock, now: () => Date.now() + aheadMs };
    const { host: emulatorHost, projectId } = emulator;
    const bus = createPubSubBus({ projectId, emulatorHost, createMissing, clock });
    buses.push(bus);
    return bus;
  };
  /** A process makes its topic and ends without a word. */
  const leave = async (name: string, options: { temporary: boolean; aheadMs?: number }): Promise<string> => {
    const topic = PREFIX + name;
    const bus = open(options.aheadMs);
    const { temporary } = options;
    await bus.subscribe({ topic, subscription: topic, temporary }, () => Promise.resolve('ack'));
    await bus.close(2_000);
    return topic;
  };
  const exists = (topic: string): Promise<boolean> =>
    open(0, false)
      .inspectTopic(topic)
      .then(
        () => true,
        () => false,
      );

  it('are swept where their owner was last there too long ago, and no other topic is', async () => {
    const old = await leave('old', { temporary: true, aheadMs: -26 * HOUR });
    const young = await leave('young', { temporary: true });
    const lasting = await leave('lasting', { temporary: false, aheadMs: -26 * HOUR });
    const shared = await leave('shared', { temporary: true, aheadMs: -26 * HOUR });
    await open().subscribe({ topic: shared, subscription: 'somebody' }, () => Promise.resolve('ack'));
    expect(await open().sweepTemporary(PREFIX, 25 * HOUR)).toEqual([old]);
    expect(await Promise.all([old, young, lasting, shared].map(exists))).toEqual([false, true, true, true]);
    expect(await open().sweepTemporary(PREFIX, 25 * HOUR)).toEqual([]);
  });

  it('are removed by their owner, unless a message is left in them', async () => {
    const empty = await leave('empty', { temporary: true });
    const full = await leave('full', { temporary: true });
    await open().publish(full, { data: new TextEncoder().encode('left'), attributes: {} });
    const bus = open();
    expect(await bus.discardTemporary({ topic: empty, subscription: empty })).toBe(true);
    expect(await bus.discardTemporary({ topic: full, subscription: full })).toBe(false);
    expect(await Promise.all([empty, full].map(exists))).toEqual([false, true]);
  });
});
