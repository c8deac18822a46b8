import { BusError } from '../message-bus.js';
import { type LocalBusServer, startLocalBus } from '../local-bus.js';
import { createPubSubBus } from './pubsub-bus.js';
import { Recorder } from '../testing/recorder.js';

describe('a subscription that is made for somebody else', () => {
  let server: LocalBusServer;

  beforeAll(async () => {
    server = await startLocalBus();
  });
  afterAll(() => server.close());

  const open = (createMissing: boolean): ReturnType<typeof createPubSubBus> =>
    createPubSubBus({ projectId: 'local', emulatorHost: server.address, createMissing });

  it('keeps what is published from then on, and is made once', async () => {
    const bus = open(true);
    const names = { topic: 'letters', subscription: 'letters' };
    await bus.makeSubscription(names);
    await bus.makeSubscription(names);
    await bus.publish('letters', { data: Buffer.from('kept'), attributes: {} });
    const recorder = new Recorder(20_000);
    await bus.subscribe(names, recorder.handler());
    await recorder.untilText('kept');
    expect(recorder.texts).toEqual(['kept']);
    await bus.close(5_000);
  });

  it('is refused with the command that makes it where the driver may not', async () => {
    const bus = open(false);
    const made = bus.makeSubscription({ topic: 'none', subscription: 'none' });
    await expect(made).rejects.toThrow(BusError);
    await expect(made).rejects.toThrow(/gcloud pubsub subscriptions create none --topic=none/);
    await bus.close(5_000);
  });
});
