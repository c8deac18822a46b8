import { setImmediate as nextRound } from 'node:timers/promises';
import { type LogFields, silentLogger } from '@bitbrat/foundation';
import { ManualClock } from '@bitbrat/foundation/testing';
import { type Consumer, type LeasedMessage } from './entry.js';
import { LocalBus } from './local-bus.js';
import { type SubscriptionResource } from './resources.js';
import { type StatusError } from './status-error.js';

const TOPIC = 'projects/p/topics/things';
const SUBSCRIPTION = 'projects/p/subscriptions/reader';

/** Takes what comes, and remembers it by text. */
class Reader implements Consumer {
  readonly ackDeadlineMs = 10_000;
  readonly got: string[] = [];
  readonly ackIds = new Map<string, string>();
  readonly attempts: number[] = [];
  reason: StatusError | undefined;
  #outstanding = 0;

  constructor(private readonly most = Infinity) {}

  hasRoom(): boolean {
    return this.#outstanding < this.most;
  }

  reserve(): void {
    this.#outstanding += 1;
  }

  released(): void {
    this.#outstanding -= 1;
  }

  deliver(messages: readonly LeasedMessage[]): void {
    for (const { ackId, deliveryAttempt, message } of messages) {
      const text = Buffer.from(message.data).toString();
      this.got.push(text);
      this.ackIds.set(text, ackId);
      this.attempts.push(deliveryAttempt);
    }
  }

  ended(reason: StatusError): void {
    this.reason = reason;
  }

  idOf(text: string): string {
    return this.ackIds.get(text) ?? 'never delivered';
  }
}

describe('LocalBus', () => {
  let clock: ManualClock;
  let bus: LocalBus;
  let warnings: LogFields[];

  beforeEach(() => {
    clock = new ManualClock();
    warnings = [];
    bus = new LocalBus({
      clock,
      logger: {
        ...silentLogger,
        warn: (_event: string, fields: LogFields = {}) => warnings.push(fields),
      },
      limits: { messages: 1_000, bytes: 1_000_000 },
    });
    bus.createTopic({ name: TOPIC });
  });

  afterEach(() => {
    bus.close();
  });

  const subscribe = (settings: Partial<SubscriptionResource> = {}, most = Infinity): Reader => {
    bus.createSubscription({ name: SUBSCRIPTION, topic: TOPIC, enableMessageOrdering: true, ...settings });
    return join(most);
  };
  const join = (most = Infinity): Reader => {
    const reader = new Reader(most);
    bus.reading(SUBSCRIPTION).attach(reader);
    return reader;
  };
  const publish = (orderingKey: string, ...texts: string[]): void => {
    bus.publish(
      TOPIC,
      texts.map((text) => ({ data: Buffer.from(text), orderingKey })),
    );
  };
  const ack = (reader: Reader, ...texts: string[]): void => {
    bus.subscription(SUBSCRIPTION).acknowledge(texts.map((text) => reader.idOf(text)));
  };
  const nack = (reader: Reader, text: string): void => {
    bus.subscription(SUBSCRIPTION).modifyAckDeadline([reader.idOf(text)], 0);
  };
  const settle = async (ms = 0): Promise<void> => {
    await nextRound();
    await clock.advance(ms);
    await nextRound();
  };

  it('delivers in order, and again what is not acknowledged in time', async () => {
    const reader = subscribe();
    publish('k', 'a', 'b', 'c');
    await settle();
    expect(reader.got).toEqual(['a', 'b', 'c']);
    ack(reader, 'a');
    await settle(10_300);
    expect(reader.got).toEqual(['a', 'b', 'c', 'b', 'c']);
    ack(reader, 'b', 'c');
    await settle(60_000);
    expect(reader.got).toHaveLength(5);
    expect(bus.subscription(SUBSCRIPTION).backlog).toBe(0);
  });

  it('delivers again all later messages of a key, also acknowledged ones, and no other key', async () => {
    const reader = subscribe();
    publish('k', 'a', 'b', 'c');
    publish('other', 'x');
    await settle();
    ack(reader, 'c');
    nack(reader, 'a');
    await settle();
    expect(reader.got.slice(4)).toEqual(['a', 'b', 'c']);
  });

  it('takes no acknowledgement of a delivery that order has overtaken', async () => {
    const reader = subscribe();
    publish('k', 'a', 'b');
    await settle();
    const stale = reader.idOf('b');
    nack(reader, 'a');
    bus.subscription(SUBSCRIPTION).acknowledge([stale]);
    await settle();
    expect(reader.got).toEqual(['a', 'b', 'a', 'b']);
  });

  it('takes a late acknowledgement where no order forbids it', async () => {
    const reader = subscribe({
      enableMessageOrdering: false,
      retryPolicy: { minimumBackoff: { seconds: 5 } },
    });
    publish('', 'a');
    await settle();
    await settle(10_500);
    ack(reader, 'a');
    await settle(60_000);
    expect(reader.got).toEqual(['a']);
  });

  it('keeps a deadline that is extended, and passes over ids that mean nothing', async () => {
    const reader = subscribe();
    publish('k', 'a');
    await settle();
    for (const id of ['', 'x', '1-2-3', reader.idOf('a').replace(/^./, 'z')]) {
      bus.subscription(SUBSCRIPTION).modifyAckDeadline([id], 0);
      bus.subscription(SUBSCRIPTION).acknowledge([id]);
    }
    bus.subscription(SUBSCRIPTION).modifyAckDeadline([reader.idOf('a')], 60);
    await settle(59_000);
    expect(reader.got).toEqual(['a']);
    await settle(2_000);
    expect(reader.got).toEqual(['a', 'a']);
  });

  it('gives all outstanding messages of a key to one reader, and shares the keys', async () => {
    const first = subscribe({}, 1);
    const second = join(10);
    for (let n = 0; n < 4; n += 1) publish('k', `k${n}`);
    await settle();
    const owner = first.got.includes('k0') ? first : second;
    publish('l', 'l0');
    await settle();
    expect(owner.got.filter((text) => text.startsWith('k'))).toEqual(
      owner === first ? ['k0'] : ['k0', 'k1', 'k2', 'k3'],
    );
    expect([...first.got, ...second.got]).toContain('l0');
    bus.subscription(SUBSCRIPTION).detach(owner);
    const other = owner === first ? second : first;
    await settle(11_000);
    expect(other.got.filter((text) => text.startsWith('k'))[0]).toBe('k0');
  });

  it('waits by the retry policy, and only the key of what failed', async () => {
    const reader = subscribe({
      retryPolicy: { minimumBackoff: { seconds: 2 }, maximumBackoff: { seconds: 3 } },
    });
    publish('k', 'a');
    publish('l', 'x');
    await settle();
    nack(reader, 'a');
    publish('k', 'b');
    publish('l', 'y');
    await settle();
    expect(reader.got).toEqual(['a', 'x', 'y']);
    await settle(2_000);
    expect(reader.got).toEqual(['a', 'x', 'y', 'a', 'b']);
    nack(reader, 'a');
    await settle(2_900);
    expect(reader.got).toHaveLength(5);
    await settle(200);
    expect(reader.got).toHaveLength(7);
  });

  it('passes a message to the dead-letter topic after its attempts', async () => {
    const letters = 'projects/p/topics/letters';
    bus.createTopic({ name: letters });
    bus.createSubscription({ name: 'projects/p/subscriptions/letters', topic: letters });
    const reader = subscribe({ deadLetterPolicy: { deadLetterTopic: letters, maxDeliveryAttempts: 5 } });
    publish('k', 'a', 'b');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await settle();
      nack(reader, 'a');
    }
    await settle();
    expect(reader.attempts.filter((_n, index) => reader.got[index] === 'a')).toEqual([1, 2, 3, 4, 5]);
    const lettersReader = new Reader();
    bus.reading('projects/p/subscriptions/letters').attach(lettersReader);
    await settle();
    expect(lettersReader.got).toEqual(['a']);
    ack(reader, 'b');
    expect(bus.subscription(SUBSCRIPTION).backlog).toBe(0);
  });

  it('filters', async () => {
    const reader = subscribe({ filter: 'attributes.kind = "wanted"' });
    bus.publish(TOPIC, [
      { data: Buffer.from('no'), attributes: { kind: 'other' } },
      { data: Buffer.from('yes'), attributes: { kind: 'wanted' } },
    ]);
    await settle();
    expect(reader.got).toEqual(['yes']);
  });

  it('drops the oldest beyond its limits, and what is too old, and reports how many', async () => {
    bus.createSubscription({
      name: SUBSCRIPTION,
      topic: TOPIC,
      enableMessageOrdering: true,
      messageRetentionDuration: { seconds: 600 },
    });
    for (let n = 0; n < 1_005; n += 1) publish(`k${n % 7}`, `m${n}`);
    await settle(10_000);
    expect(bus.subscription(SUBSCRIPTION).dropped).toBe(5);
    expect(warnings).toEqual([expect.objectContaining({ messages: 5, subscription: SUBSCRIPTION })]);
    const reader = join();
    await settle();
    expect(reader.got).toHaveLength(1_000);
    expect(reader.got).not.toContain('m4');
    await settle(610_000);
    expect(bus.subscription(SUBSCRIPTION).backlog).toBe(0);
  });

  it('keeps within its bytes', () => {
    bus.createSubscription({ name: SUBSCRIPTION, topic: TOPIC });
    for (let n = 0; n < 15; n += 1) bus.publish(TOPIC, [{ data: Buffer.alloc(100_000) }]);
    expect(bus.subscription(SUBSCRIPTION).backlog).toBe(10);
  });

  it('ends readers of a subscription that is deleted or detached', () => {
    const reader = subscribe();
    bus.detachSubscription(SUBSCRIPTION);
    expect(reader.reason?.status).toBe('FAILED_PRECONDITION');
    expect(() => bus.reading(SUBSCRIPTION)).toThrow('detached');
    bus.deleteSubscription(SUBSCRIPTION);
    const next = subscribe();
    bus.deleteSubscription(SUBSCRIPTION);
    expect(next.reason?.status).toBe('NOT_FOUND');
  });

  it('keeps what a subscription has when its topic is deleted', async () => {
    const reader = subscribe();
    publish('k', 'a');
    bus.deleteTopic(TOPIC);
    bus.createTopic({ name: TOPIC });
    publish('k', 'b');
    await settle();
    expect(reader.got).toEqual(['a']);
    expect(bus.getSubscription(SUBSCRIPTION).topic).toBe('_deleted-topic_');
  });

  it('lets a subscription expire that nobody uses', async () => {
    bus.createSubscription({
      name: SUBSCRIPTION,
      topic: TOPIC,
      expirationPolicy: { ttl: { seconds: 86_400 } },
    });
    await clock.advance(86_300_000);
    const reader = join();
    await clock.advance(100_000_000);
    expect(bus.listTopicSubscriptions(TOPIC)).toEqual([SUBSCRIPTION]);
    expect(bus.getSubscription(SUBSCRIPTION).name).toBe(SUBSCRIPTION);
    bus.subscription(SUBSCRIPTION).detach(reader);
    await clock.advance(86_500_000);
    expect(() => bus.getSubscription(SUBSCRIPTION)).toThrow('there is no');
    expect(bus.listSubscriptions('projects/p')).toEqual([]);
  });

  it.each<[string, () => unknown, string]>([
    ['a topic of that name', () => bus.createTopic({ name: TOPIC }), 'ALREADY_EXISTS'],
    ['a bad name', () => bus.createTopic({ name: 'projects/p/topics/1' }), 'INVALID_ARGUMENT'],
    ['no topic', () => bus.publish('projects/p/topics/none', [{ data: Buffer.from('a') }]), 'NOT_FOUND'],
    [
      'two ordering keys',
      () => bus.publish(TOPIC, [{ data: Buffer.from('a'), orderingKey: 'k' }, { data: Buffer.from('a') }]),
      'FAILED_PRECONDITION',
    ],
    ['an empty message', () => bus.publish(TOPIC, [{}]), 'INVALID_ARGUMENT'],
    ['no message', () => bus.publish(TOPIC, []), 'INVALID_ARGUMENT'],
    ['a short deadline', () => subscribe({ ackDeadlineSeconds: 5 }), 'INVALID_ARGUMENT'],
    ['exactly once', () => subscribe({ enableExactlyOnceDelivery: true }), 'UNIMPLEMENTED'],
    ['a bad filter', () => subscribe({ filter: 'x' }), 'INVALID_ARGUMENT'],
    ['a missing subscription', () => bus.reading(SUBSCRIPTION), 'NOT_FOUND'],
  ])('refuses %s', (_name, call, status) => {
    let thrown: unknown;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ status });
  });
});
