import { FakePubSub } from '../fixtures/fake-pubsub.js';
import { type MessageBus } from '../message-bus.js';
import { createPubSubBus } from './pubsub-bus.js';
import { Recorder } from '../testing.js';

const ALL_CODES = Array.from({ length: 16 }, (_, index) => index + 1);
const TOPIC = 'projects/p/topics/the-topic';
const SUBSCRIPTION = 'projects/p/subscriptions/the-topic.a';
const names = { topic: 'the-topic', subscription: 'the-topic.a' };

let fake: FakePubSub;
let bus: ReturnType<typeof createPubSubBus>;
let host: string;

const open = (createMissing = true): ReturnType<typeof createPubSubBus> =>
  createPubSubBus({
    projectId: 'p',
    emulatorHost: host,
    createMissing,
    requestTimeoutMs: 3_000,
    retryBackoff: { baseMs: 20, maxMs: 200 },
  });

beforeEach(async () => {
  ({ fake, host } = await FakePubSub.start());
  bus = open();
});
afterEach(async () => {
  await bus.close(500);
  fake.stop();
});

const health = (of: MessageBus = bus): Promise<string> =>
  of.checkHealth(3_000).then(
    () => 'ok',
    (error: unknown) => String(error),
  );

async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  patienceMs = 30_000,
): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a StreamingPull that is refused while the subscription is there', () => {
  const ends: [number, number][] = ALL_CODES.map((code) => [code, 0]);
  ends.push([0, 0], [14, 100], [7, 100], [0, 100]);

  it.each(ends)(
    'is tried again ever more slowly, one stream at a time: code %i after %i ms',
    async (code, afterMs) => {
      fake.streamRule = { kind: 'end', code, afterMs };
      const recorder = new Recorder(30_000);
      await bus.subscribe(names, recorder.handler());
      await until('not ready', async () => (await health()) !== 'ok');
      const before = fake.count('StreamingPull');
      // Two rounds of five and then single ones.
      expect(before).toBeLessThanOrEqual(20);
      const samples: string[] = [];
      const begin = Date.now();
      await until('twelve more attempts', async () => {
        samples.push(await health());
        return fake.count('StreamingPull') >= before + 12;
      });
      // The back-off ends at 100 to 200 ms: twelve attempts take over a second, however slow the machine is.
      expect(Date.now() - begin).toBeGreaterThan(700);
      expect(samples.filter((sample) => sample === 'ok')).toEqual([]);
      if (code === 7) expect(samples.at(-1)).toContain('roles/pubsub.subscriber');

      fake.streamRule = { kind: 'serve' };
      await bus.publish('the-topic', { data: Buffer.from('healed'), attributes: {} });
      await recorder.untilText('healed');
      await until('ready', async () => (await health()) === 'ok');
    },
  );

  it('is ready again without any message, once a stream has lived for a while', async () => {
    fake.streamRule = { kind: 'end', code: 7, afterMs: 0 };
    await bus.subscribe(names, () => Promise.resolve('ack'));
    await until('not ready', async () => (await health()) !== 'ok');
    fake.streamRule = { kind: 'serve' };
    await until('ready', async () => (await health()) === 'ok');
  });
});

describe('every other call that is refused for a while', () => {
  const calls = ['Publish', 'CreateTopic', 'ListTopicSubscriptions', 'Acknowledge', 'ModifyAckDeadline'];

  it.each(calls.flatMap((call) => ALL_CODES.map((code) => [call, code] as const)))(
    '%s with code %i: what was published arrives when it is over',
    async (call, code) => {
      const recorder = new Recorder(30_000);
      fake.topics.add(TOPIC);
      fake.topics.add('projects/p/topics/another');
      await bus.subscribe(names, recorder.handler());
      fake.refusals.set(call, code);
      bus.keepTopic('another');
      const published = bus.publish('the-topic', {
        data: Buffer.from('x'),
        attributes: {},
        orderingKey: 'k',
      });
      await until('the call was made', () => call === 'CreateTopic' || fake.calls.includes(call));
      fake.refusals.clear();
      await published;
      await recorder.untilText('x');
      await until('ready', async () => (await health()) === 'ok');
    },
  );
});

describe('a subscription that gets no messages any more', () => {
  it.each<[string, () => void]>([
    ['its topic was deleted', () => fake.deleteTopic(TOPIC)],
    ['it was detached', () => Object.assign(fake.subscriptions.get(SUBSCRIPTION) ?? {}, { detached: true })],
  ])(
    'is noticed, reported and made again: %s',
    async (_what, cutOff) => {
      const recorder = new Recorder(30_000);
      await bus.subscribe(names, recorder.handler());
      await bus.publish('the-topic', { data: Buffer.from('before'), attributes: {} });
      await recorder.untilText('before');
      cutOff();
      await until('reported', async () => /topic/.test(await health()));
      await until('made again', () => {
        const { detached, topic } = fake.subscriptions.get(SUBSCRIPTION) ?? {};
        return topic === TOPIC && detached === false;
      });
      await bus.publish('the-topic', { data: Buffer.from('after'), attributes: {} });
      await recorder.untilText('after');
      await until('ready', async () => (await health()) === 'ok');
    },
    60_000,
  );
});

describe('a kept topic', () => {
  it('exists from the start, and again after it was deleted', async () => {
    bus.keepTopic('the-topic');
    await until('made', () => fake.topics.has(TOPIC));
    fake.deleteTopic(TOPIC);
    await until('made again', () => fake.topics.has(TOPIC));
  });

  it('is reported by name with the command where it may not be made', async () => {
    const strict = open(false);
    strict.keepTopic('the-topic');
    await until('reported', async () =>
      (await health(strict)).includes('gcloud pubsub topics create the-topic'),
    );
    fake.topics.add(TOPIC);
    await until('solved', async () => (await health(strict)) === 'ok');
    await strict.close(500);
  });

  it('holds what nobody would get, and lets it go in order when somebody subscribes', async () => {
    bus.keepTopic('the-topic', { holdWithoutSubscription: true });
    const texts = ['a', 'b', 'c', 'd'];
    const published = texts.map((text) =>
      bus.publish('the-topic', { data: Buffer.from(text), attributes: {}, orderingKey: 'k' }),
    );
    await until('seen', () => bus.subscriptionsOf('the-topic') === 'none');
    expect([fake.taken, await health()]).toEqual([[], 'ok']);
    const other = open();
    const recorder = new Recorder(30_000);
    await other.subscribe(names, recorder.handler());
    await Promise.all(published);
    await recorder.untilText('d');
    expect(recorder.texts).toEqual(texts);
    expect(bus.subscriptionsOf('the-topic')).toBe('some');

    // Deleted and made again by the publish itself: held from the first message on.
    fake.deleteTopic(TOPIC);
    const late = bus.publish('the-topic', { data: Buffer.from('late'), attributes: {}, orderingKey: 'k' });
    await until('held', () => bus.subscriptionsOf('the-topic') === 'none');
    expect(fake.taken).toEqual(texts);
    await other.close(500);
    fake.subscriptions.delete(SUBSCRIPTION);
    const third = open();
    await third.subscribe(names, recorder.handler());
    await late;
    await recorder.untilText('late');
    await third.close(500);
  });

  it.each([7, 12, 13, 2])('does not hold where it cannot know, code %i', async (code) => {
    fake.topics.add(TOPIC);
    fake.refusals.set('ListTopicSubscriptions', code);
    bus.keepTopic('the-topic', { holdWithoutSubscription: true });
    await bus.publish('the-topic', { data: Buffer.from('x'), attributes: {} });
    expect([fake.taken, bus.subscriptionsOf('the-topic')]).toEqual([['x'], 'unknown']);
  });

  it('lets go of what is held when the bus is closed', async () => {
    bus.keepTopic('the-topic', { holdWithoutSubscription: true });
    const held = bus.publish('the-topic', { data: Buffer.from('x'), attributes: {} }).catch(String);
    await until('held', () => bus.subscriptionsOf('the-topic') === 'none');
    await bus.close(100);
    expect(await held).toContain('closed');
    expect(fake.taken).toEqual([]);
  });
});
