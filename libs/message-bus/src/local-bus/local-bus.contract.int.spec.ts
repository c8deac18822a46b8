import { createPubSubBus } from '../pubsub/pubsub-bus.js';
import { describeMessageBus } from '../testing.js';
import { type LocalBusServer, startLocalBus } from './server/local-bus-server.js';

describe('the Pub/Sub driver on the local bus', () => {
  let server: LocalBusServer;

  beforeAll(async () => {
    server = await startLocalBus();
  });

  afterAll(async () => {
    await server.close();
  });

  describeMessageBus('Pub/Sub bus', () => {
    const bus = createPubSubBus({
      projectId: 'local',
      emulatorHost: server.address,
      createMissing: true,
      redelivery: { baseMs: 100, maxMs: 500 },
    });
    return Promise.resolve({
      bus,
      patienceMs: 20_000,
      redeliversInOrder: true,
      dispose: () => bus.close(2000),
    });
  });
});
