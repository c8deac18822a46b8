import { toPubSubSettings } from './pubsub-options.js';
import { PubSubPublisher } from './pubsub-publisher.js';
import { ManualClock } from './testing.js';
import { TopicBarrier } from './topic-barrier.js';

const text = (
  value: string,
): { data: Uint8Array; attributes: Record<string, string>; orderingKey: string } => ({
  data: Buffer.from(value),
  attributes: {},
  orderingKey: 'k',
});

describe('PubSubPublisher while nothing answers', () => {
  let clock: ManualClock;
  let publisher: PubSubPublisher;

  beforeEach(() => {
    clock = new ManualClock();
    const settings = toPubSubSettings({ projectId: 'p', createMissing: false, maxInFlight: 1, clock });
    publisher = new PubSubPublisher(settings, {
      connect: () => new Promise(() => undefined),
      barrier: () => new TopicBarrier(),
      restore: () => Promise.resolve(),
    });
  });

  const publish = (value: string, signal?: AbortSignal): Promise<string> =>
    publisher
      .publish('the-topic', text(value), signal)
      .catch((error: unknown) =>
        error instanceof Error && 'code' in error ? String(error.code) : 'another error',
      );

  it.each([
    ['on its way', 0],
    ['waiting for room', 1],
  ])('lets go of a call that is aborted, %s', async (_where, ahead) => {
    const others = Array.from({ length: ahead }, (_, index) => publish(`${index}`));
    const abort = new AbortController();
    const call = publish('aborted', abort.signal);
    await clock.advance(1);
    abort.abort();
    await expect(call).resolves.toBe('ABORTED');
    const closed = publisher.close(0);
    await clock.advance(0);
    await closed;
    await expect(Promise.all(others)).resolves.toEqual(others.map(() => 'CLOSED'));
  });

  it('fails what is left when the time to close is over, in its lane or waiting for room', async () => {
    const calls = ['a', 'b', 'c'].map((value) => publish(value));
    await clock.advance(1);
    const closed = publisher.close(1000);
    await clock.advance(999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    await closed;
    await expect(Promise.all(calls)).resolves.toEqual(['CLOSED', 'CLOSED', 'CLOSED']);
    expect(clock.pending).toBe(0);
  });
});
