import { describeWithPubSubEmulator, type PubSubEmulator, startPubSubEmulator } from '@bitbrat/emulators';
import { createPubSubBus } from './pubsub-bus.js';
import { describeMessageBus } from '../testing.js';

describeWithPubSubEmulator('Pub/Sub bus on the emulator', process.env, () => {
  let emulator: PubSubEmulator;

  beforeAll(async () => {
    emulator = await startPubSubEmulator({ environment: process.env });
  });

  afterAll(async () => {
    await emulator.stop();
  });

  describeMessageBus('Pub/Sub bus', () => {
    const bus = createPubSubBus({
      projectId: emulator.projectId,
      emulatorHost: emulator.host,
      createMissing: true,
      redelivery: { baseMs: 100, maxMs: 500 },
    });
    return Promise.resolve({
      bus,
      patienceMs: 20_000,
      redeliversInOrder: false,
      dispose: () => bus.close(2000),
    });
  });
});
