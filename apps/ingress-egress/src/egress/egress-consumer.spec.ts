import {
  type ConnectorCapabilities,
  ConnectorError,
  type ConnectorErrorCode,
  type ConnectorFactory,
  type ConnectorHost,
  ConnectorManager,
  type IConnector,
  type SendOptions,
  type SendRates,
  type SendReceipt,
} from '@bitbrat/connectors-core';
import {
  createTopics,
  decodeDeadLetter,
  decodeOutcome,
  type DeadLetter,
  type EgressEvent,
  type EgressOutcome,
  encodeEgress,
} from '@bitbrat/envelope';
import { silentLogger, sleep, systemClock } from '@bitbrat/foundation';
import { createMemoryBus, type MessageBus, type ReceivedMessage } from '@bitbrat/message-bus';
import { createMemoryStore, type StateStore } from '@bitbrat/state-store';
import { REPLAY_OF } from '../dead-letters/replay.js';
import { Publisher } from '../publisher.js';
import { EgressConsumer } from './egress-consumer.js';
import { writeSettlement } from './settlement.js';
import { SendClaims, SETTLE_MS } from './send-claims.js';
import { PLAIN_CAPABILITIES, silentServices } from '../fixtures/fakes.js';

const TOPICS = createTopics();
const EGRESS = TOPICS.egress('one');
type Step = SendReceipt | ConnectorError | Promise<SendReceipt>;
interface Call {
  readonly text: string;
  readonly destination: string;
  readonly options: SendOptions;
}

const accepted: SendReceipt = { platformMessageIds: ['m1'], duplicate: false };

let epochs = 0;
/** The claims of a process that starts now. */
const claimsOf = (store: ClaimStore, isShared = false): SendClaims =>
  new SendClaims(store, systemClock, silentLogger, {
    instanceId: 'one',
    epoch: `epoch ${++epochs}`,
    isShared,
  });

interface World {
  readonly bus: MessageBus;
  readonly consumer: EgressConsumer;
  readonly tellState: (status: 'connected' | 'reconnecting') => void;
  /** As the service has after a restart; not started. */
  readonly anotherConsumer: () => EgressConsumer;
  readonly calls: Call[];
  readonly outcomes: EgressOutcome[];
  readonly deadLetters: DeadLetter[];
  readonly publish: (
    event: Partial<EgressEvent> & { id: string },
    attributes?: Readonly<Record<string, string>>,
  ) => Promise<void>;
  readonly publishRaw: (text: string) => Promise<void>;
}

type ClaimStore = Pick<StateStore, 'get' | 'set' | 'delete' | 'compareAndSet'>;

interface Wishes {
  readonly rates?: SendRates;
  readonly repeatWindowMs?: number;
  readonly duplicateProtection?: ConnectorCapabilities['duplicateProtection'];
  readonly protectedForMs?: number;
  readonly maxInFlight?: number;
  readonly store?: ClaimStore;
  readonly isShared?: boolean;
  /** Whether the bus takes no outcome now. */
  readonly refusesOutcomes?: () => boolean;
}

async function aWorld(answer: (call: Call) => Step, wishes: Wishes = {}): Promise<World> {
  const { duplicateProtection = 'lookup', maxInFlight = 100, repeatWindowMs = 0 } = wishes;
  const { protectedForMs, rates, store = createMemoryStore(), isShared } = wishes;
  const bus = createMemoryBus({ clock: systemClock });
  const calls: Call[] = [];
  const outcomes: EgressOutcome[] = [];
  const deadLetters: DeadLetter[] = [];
  const connector: IConnector = {
    name: 'fake',
    capabilities: {
      ...PLAIN_CAPABILITIES,
      duplicateProtection,
      ...(rates === undefined ? {} : { rates }),
      ...(protectedForMs === undefined ? {} : { protectedForMs }),
    },
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    sendText: async (text, destination, options) => {
      const call = { text, destination, options };
      calls.push(call);
      const step = answer(call);
      if (step instanceof ConnectorError) throw step;
      return step;
    },
    canonicalDestination: (destination) => destination.toLowerCase(),
    getSnapshot: () => {
      throw new Error('not asked for');
    },
  };
  let host: ConnectorHost | undefined;
  const create: ConnectorFactory = (given) => {
    host = given;
    return connector;
  };
  const tellState: World['tellState'] = (status) => {
    void host?.stateChanged({ status, since: 'now', attempt: 1 });
  };
  const manager = new ConnectorManager(
    [{ name: 'fake', create }],
    silentServices({ egressTopic: EGRESS, random: () => 0.5 }),
  );
  const publisher = new Publisher({
    bus: {
      publish: (topic, message) =>
        topic === TOPICS.outcome && wishes.refusesOutcomes?.() === true
          ? Promise.reject(new Error('the bus is closed'))
          : bus.publish(topic, message),
    },
    topics: TOPICS,
    clock: systemClock,
    logger: silentLogger,
    source: '/test',
  });
  await bus.subscribe({ topic: TOPICS.outcome, subscription: 'outcomes' }, (message) => {
    const decoded = decodeOutcome(message.data);
    if (decoded.ok) outcomes.push(decoded.value);
    return Promise.resolve('ack');
  });
  await bus.subscribe({ topic: TOPICS.deadLetter, subscription: 'dead-letters' }, (message) => {
    const decoded = decodeDeadLetter(message.data);
    if (decoded.ok) deadLetters.push(decoded.value);
    return Promise.resolve('ack');
  });
  const limits = { backoff: { baseMs: 1_000, maxMs: 30_000 }, maxAttempts: 3, giveUpAfterMs: 60_000 };
  const anotherConsumer = (): EgressConsumer =>
    new EgressConsumer(
      {
        bus,
        manager,
        publisher,
        claims: claimsOf(store, isShared),
        clock: systemClock,
        logger: silentLogger,
        random: () => 0.5,
      },
      { topic: EGRESS, limits, maxInFlight, repeatWindowMs },
    );
  const consumer = anotherConsumer();
  await consumer.start();
  const publishRaw = async (text: string): Promise<void> => {
    await bus.publish(EGRESS, { data: new TextEncoder().encode(text), attributes: {} });
  };
  const publish: World['publish'] = async (event, attributes = {}) => {
    const encoded = encodeEgress(
      {
        v: '1',
        type: 'chat.send.v1',
        target: { connector: 'fake', destination: 'there' },
        text: 'hi',
        attachments: [],
        correlationId: 'c',
        metadata: {},
        ...event,
      },
      '/bots/test',
      '2026-01-01T00:00:00.000Z',
    );
    if (!encoded.ok) throw new Error(encoded.fault.detail);
    const message = { ...encoded.value, attributes: { ...encoded.value.attributes, ...attributes } };
    await bus.publish(EGRESS, message);
  };
  return { bus, consumer, anotherConsumer, tellState, calls, outcomes, deadLetters, publish, publishRaw };
}

const settle = (): Promise<void> => jest.advanceTimersByTimeAsync(50);
const statuses = ({ outcomes }: World): string[] =>
  outcomes.map(({ eventId, status, attempts }) => `${eventId} ${status} ${attempts}`);

describe('EgressConsumer', () => {
  let world: World | undefined;
  const start = async (answer: (call: Call) => Step, wishes?: Wishes): Promise<World> => {
    world = await aWorld(answer, wishes);
    return world;
  };

  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(async () => {
    const stopped = Promise.all([world?.consumer.stop(1_000), world?.bus.close(1_000)]);
    await jest.advanceTimersByTimeAsync(2_000);
    await stopped;
    jest.useRealTimers();
  });

  it('has an event sent and tells the outcome', async () => {
    const { calls, outcomes, publish } = await start(() => accepted);
    await publish({ id: 'e1', inReplyTo: 'm0' });
    await settle();
    expect(calls).toEqual([
      {
        text: 'hi',
        destination: 'there',
        options: {
          idempotencyKey: 'e1',
          mayHaveBeenSent: false,
          correlationId: 'c',
          attachments: [],
          inReplyTo: 'm0',
        },
      },
    ]);
    expect(outcomes).toMatchObject([
      { id: 'e1:sent', status: 'sent', platformMessageIds: ['m1'], attempts: 1, correlationId: 'c' },
    ]);
  });

  it('takes an event soon after its start for one that an earlier process may have sent', async () => {
    const started = await start(() => accepted, { repeatWindowMs: 60_000 });
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(60_000);
    await started.publish({ id: 'e2' });
    await settle();
    expect(started.calls.map(({ options }) => options.mayHaveBeenSent)).toEqual([true, false]);
  });

  it('sends an event that was published twice once', async () => {
    const { calls, publish } = await start(() => accepted);
    await publish({ id: 'e1' });
    await publish({ id: 'e1' });
    await settle();
    expect(calls).toHaveLength(1);
  });

  it('sends an event that failed when it is published again', async () => {
    const steps: Step[] = [new ConnectorError('FORBIDDEN', 'not yet')];
    const started = await start(() => steps.shift() ?? accepted, { duplicateProtection: 'none' });
    await started.publish({ id: 'e1' });
    await settle();
    await started.publish({ id: 'e1' });
    await settle();
    expect(statuses(started)).toEqual(['e1 failed 1', 'e1 sent 1']);
  });

  it('looks for an event that failed with its answer lost when it is published again, and not too soon', async () => {
    const started = await start(() =>
      started.calls.length > 3 ? accepted : new ConnectorError('TIMEOUT', 'silence'),
    );
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(25_000);
    expect(statuses(started)).toEqual(['e1 failed 3']);
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(4_000);
    expect(started.calls).toHaveLength(3);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(started.calls.map(({ options }) => options.mayHaveBeenSent)).toEqual([false, true, true, true]);
    expect(statuses(started)).toEqual(['e1 failed 3', 'e1 sent 1']);
  });

  it('takes the replay of a dead letter as sent before, maybe', async () => {
    const started = await start(() => accepted);
    await started.publish({ id: 'e1' }, { [REPLAY_OF]: 'a letter' });
    await settle();
    expect(started.calls.map(({ options }) => options.mayHaveBeenSent)).toEqual([true]);
    expect(statuses(started)).toEqual(['e1 sent 1']);
  });

  it('tries again what may succeed later, and says that it may have been sent where nobody knows', async () => {
    const steps: Step[] = [
      new ConnectorError('RATE_LIMITED', 'slow', { retryAfterMs: 5_000 }),
      new ConnectorError('TIMEOUT', 'silence'),
      accepted,
    ];
    const started = await start(() => steps.shift() ?? accepted);
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(4_900);
    expect(started.calls).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(9_000);
    expect(started.calls).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(started.calls.map(({ options }) => options.mayHaveBeenSent)).toEqual([false, false, true]);
    expect(statuses(started)).toEqual(['e1 sent 3']);
    expect(started.deadLetters).toEqual([]);
  });

  it('gives nothing up because the clock is set', async () => {
    const steps: Step[] = [new ConnectorError('UPSTREAM_UNAVAILABLE', 'not well'), accepted];
    const started = await start(() => {
      jest.setSystemTime(Date.now() + 600_000);
      return steps.shift() ?? accepted;
    });
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(11_000);
    expect(statuses(started)).toEqual(['e1 sent 2']);
  });

  it('ends in a dead letter with the original bytes when the tries are used up', async () => {
    const started = await start(() => new ConnectorError('TIMEOUT', 'silence'));
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(started.calls).toHaveLength(3);
    expect(statuses(started)).toEqual(['e1 failed 3']);
    const [letter] = started.deadLetters;
    expect(letter).toMatchObject({ error: { code: 'TIMEOUT' }, attempts: 3, origin: { topic: EGRESS } });
    const body = JSON.parse(Buffer.from(letter?.bodyBase64 ?? '', 'base64').toString()) as { id: string };
    expect(body.id).toBe('e1');
  });

  it.each([
    ['TARGET_NOT_FOUND', 'failed'],
    ['PAYLOAD_INVALID', 'failed'],
    ['RECIPIENT_OPTED_OUT', 'suppressed'],
  ] as const)('does not try %s again', async (code, status) => {
    const started = await start(() => new ConnectorError(code, 'no'));
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(started.calls).toHaveLength(1);
    expect(statuses(started)).toEqual([`e1 ${status} 1`]);
    expect(started.deadLetters).toHaveLength(1);
  });

  it('dead-letters an event for a connector that does not exist', async () => {
    const started = await start(() => accepted);
    await started.publish({ id: 'e1', target: { connector: 'fax', destination: 'x' } });
    await settle();
    expect(statuses(started)).toEqual(['e1 failed 1']);
    expect(started.deadLetters[0]?.error).toMatchObject({
      code: 'TARGET_NOT_FOUND',
      message: 'there is no connector named fax (enabled: fake)',
    });
  });

  it.each([
    ['no JSON', '{', 'NOT_JSON'],
    ['an unknown version', '{"v":"2"}', 'UNKNOWN_VERSION'],
    ['no event', '{"v":"1"}', 'INVALID'],
  ])('dead-letters %s and goes on', async (_name, body, code) => {
    const started = await start(() => accepted);
    await started.publishRaw(body);
    await started.publish({ id: 'e2' });
    await settle();
    expect(started.deadLetters).toMatchObject([{ error: { code } }]);
    expect(statuses(started)).toEqual(['e2 sent 1']);
  });

  it('does not send what has expired, and what expires while it waits', async () => {
    const now = Date.now();
    const started = await start(() => new ConnectorError('RATE_LIMITED', 'slow'));
    await started.publish({ id: 'late', expiresAt: new Date(now - 1).toISOString() });
    await started.publish({ id: 'later', expiresAt: new Date(now + 400).toISOString() });
    await jest.advanceTimersByTimeAsync(10_000);
    expect(statuses(started)).toEqual(['late expired 0', 'later expired 1']);
    expect(started.calls).toHaveLength(1);
  });

  it('says `unknown` of an event that expires after a try whose answer was lost', async () => {
    const started = await start(() => new ConnectorError('TIMEOUT', 'silence'));
    await started.publish({ id: 'e1', expiresAt: new Date(Date.now() + 400).toISOString() });
    await jest.advanceTimersByTimeAsync(10_000);
    expect(statuses(started)).toEqual(['e1 unknown 1']);
  });

  it('keeps the order of a destination over retries and does not hold up another one', async () => {
    let failures = 2;
    const started = await start(({ text }) =>
      text === 'first' && failures-- > 0 ? new ConnectorError('TIMEOUT', 'silence') : accepted,
    );
    await started.publish({ id: 'e1', text: 'first' });
    await started.publish({ id: 'e2', text: 'second' });
    await started.publish({
      id: 'e3',
      text: 'other',
      target: { connector: 'fake', destination: 'elsewhere' },
    });
    await settle();
    expect(statuses(started)).toEqual(['e3 sent 1']);
    await jest.advanceTimersByTimeAsync(21_000);
    expect(statuses(started)).toEqual(['e3 sent 1', 'e1 sent 3', 'e2 sent 1']);
  });

  it('keeps the order and the rate of a destination that is written in several ways', async () => {
    let failures = 1;
    const rates: SendRates = { perDestination: { count: 1, perMs: 1_000 } };
    const started = await start(
      ({ text }) => (text === 'Room' && failures-- > 0 ? new ConnectorError('TIMEOUT', 'silence') : accepted),
      { rates },
    );
    for (const destination of ['Room', 'room', 'ROOM', 'hall']) {
      await started.publish({
        id: destination,
        text: destination,
        target: { connector: 'fake', destination },
      });
    }
    await settle();
    expect(statuses(started)).toEqual(['hall sent 1']);
    await jest.advanceTimersByTimeAsync(21_000);
    expect(statuses(started)).toEqual(['hall sent 1', 'Room sent 2', 'room sent 1', 'ROOM sent 1']);
    expect(started.outcomes.map(({ target }) => target.destination)).toEqual([
      'hall',
      'Room',
      'room',
      'ROOM',
    ]);
  });

  it('does not count what never reached the platform, until the time is up', async () => {
    const started = await start(() => new ConnectorError('NOT_CONNECTED', 'away'));
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(40_000);
    expect(statuses(started)).toEqual([]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(statuses(started)).toEqual(['e1 failed 0']);
  });

  it('does not give up what only has to wait because it waited often', async () => {
    const started = await start(() =>
      started.calls.length > 5
        ? accepted
        : new ConnectorError('RATE_LIMITED', 'slow', { retryAfterMs: 5_000 }),
    );
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(statuses(started)).toEqual(['e1 sent 6']);
  });

  it('leaves room for other destinations, and keeps the order of one that has more events than the bus lends', async () => {
    let isSlow = true;
    const started = await start(
      ({ destination }) =>
        destination === 'slow' && isSlow ? new ConnectorError('NOT_CONNECTED', 'away') : accepted,
      { maxInFlight: 10 },
    );
    const ids = Array.from({ length: 30 }, (_, index) => `s${index}`);
    for (const id of ids) await started.publish({ id, target: { connector: 'fake', destination: 'slow' } });
    await started.publish({ id: 'quick', target: { connector: 'fake', destination: 'quick' } });
    await settle();
    expect(statuses(started)).toEqual(['quick sent 1']);
    isSlow = false;
    await jest.advanceTimersByTimeAsync(600_000);
    expect(statuses(started).slice(1)).toEqual(ids.map((id) => `${id} sent 1`));
  });

  it('delays what is too fast for a destination or the platform, and refuses none', async () => {
    const rates: SendRates = {
      perDestination: { count: 1, perMs: 1_000 },
      total: { count: 3, perMs: 3_000 },
    };
    const started = await start(() => accepted, { rates });
    for (const id of ['a1', 'a2', 'b1', 'c1']) {
      await started.publish({ id, target: { connector: 'fake', destination: id.slice(0, 1) } });
    }
    await settle();
    expect(statuses(started)).toEqual(['a1 sent 1', 'b1 sent 1', 'c1 sent 1']);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(statuses(started)).toContain('a2 sent 1');
  });

  it('never repeats a try that may have arrived where nobody can look: its outcome is `unknown`', async () => {
    const started = await start(() => new ConnectorError('TIMEOUT', 'silence'), {
      duplicateProtection: 'none',
    });
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(started.calls).toHaveLength(1);
    expect(statuses(started)).toEqual(['e1 unknown 1']);
    expect(started.deadLetters).toMatchObject([{ error: { code: 'TIMEOUT' } }]);
  });

  it('says `unknown` of what a killed process was sending, and sends what it had not begun', async () => {
    const store = createMemoryStore();
    const killed = claimsOf(store);
    await killed.begin('e1', 1_000);
    const started = await start(() => accepted, { duplicateProtection: 'none', store });
    await started.publish({ id: 'e1' });
    await started.publish({ id: 'e2' });
    await settle();
    expect(statuses(started)).toEqual(['e1 unknown 0', 'e2 sent 1']);
    expect(started.calls.map(({ options }) => options.idempotencyKey)).toEqual(['e2']);
    expect(started.deadLetters).toMatchObject([{ error: { code: 'UPSTREAM_UNAVAILABLE' }, attempts: 0 }]);
  });

  it('sends a replay once, whatever became of the event before, and says `unknown` of one that a killed process was sending', async () => {
    const store = createMemoryStore();
    const killed = claimsOf(store);
    await killed.begin('e1', 1_000);
    await killed.begin('e2\nletter 2', 1_000);
    const started = await start(() => accepted, { duplicateProtection: 'none', store });
    for (const [id, letter] of [
      ['e1', 'letter 1'],
      ['e2', 'letter 2'],
    ] as const) {
      await started.publish({ id }, { [REPLAY_OF]: letter });
    }
    await settle();
    expect(statuses(started)).toEqual(['e1 sent 1', 'e2 unknown 0']);
    const next = started.anotherConsumer();
    await started.consumer.stop(1_000);
    await next.start();
    await started.publish({ id: 'e1' }, { [REPLAY_OF]: 'letter 1' });
    await settle();
    expect(started.calls).toHaveLength(1);
    await next.stop(1_000);
  });

  it('says `unknown` where the platform does not know the lost try any more', async () => {
    const steps: Step[] = [new ConnectorError('TIMEOUT', 'silence')];
    const started = await start(() => steps.shift() ?? new ConnectorError('NOT_CONNECTED', 'away'), {
      duplicateProtection: 'platform',
      protectedForMs: 20_000,
    });
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(statuses(started)).toEqual(['e1 unknown 1']);
    expect(started.deadLetters).toHaveLength(1);
    const { length } = started.calls;
    await started.publish({ id: 'e1' });
    await settle();
    expect(started.calls).toHaveLength(length);
  });

  it('says `unknown` of an event that expired while no process was there, if one may have sent it before', async () => {
    const started = await start(() => accepted);
    await started.consumer.stop(1_000);
    await started.publish({ id: 'e1', expiresAt: new Date(Date.now() + 1_000).toISOString() });
    await jest.advanceTimersByTimeAsync(2_000);
    const next = started.anotherConsumer();
    await next.start();
    await jest.advanceTimersByTimeAsync(11_000);
    expect(statuses(started)).toEqual(['e1 unknown 0']);
    await next.stop(1_000);
  });

  it('looks for what the process before it may have been sending only when the platform can show it', async () => {
    const steps: Step[] = [new ConnectorError('TIMEOUT', 'silence')];
    const started = await start(() => steps.shift() ?? accepted);
    await started.publish({ id: 'e1' });
    await settle();
    const stopped = started.consumer.stop(1_000);
    await jest.advanceTimersByTimeAsync(1_100);
    await stopped;
    const next = started.anotherConsumer();
    await next.start();
    await started.publish({ id: 'e2', target: { connector: 'fake', destination: 'elsewhere' } });
    await jest.advanceTimersByTimeAsync(9_900);
    expect(statuses(started)).toEqual(['e2 sent 1']);
    await jest.advanceTimersByTimeAsync(200);
    expect(statuses(started)).toEqual(['e2 sent 1', 'e1 sent 2']);
    await next.stop(1_000);
  });

  it('keeps a send whose answer was lost for as long as its stop may last', async () => {
    const started = await start(() => new ConnectorError('TIMEOUT', 'silence'));
    const deliveries: number[] = [];
    await started.publish({ id: 'e1' });
    await settle();
    const stopped = started.consumer.stop(4_000);
    await started.bus.subscribe({ topic: EGRESS, subscription: EGRESS }, (message) => {
      deliveries.push(message.attempt);
      return Promise.resolve('ack');
    });
    await jest.advanceTimersByTimeAsync(3_900);
    expect(deliveries).toEqual([]);
    await jest.advanceTimersByTimeAsync(5_000);
    await stopped;
    expect(deliveries).toEqual([2]);
  });

  describe('where nobody can look, and the store does not answer', () => {
    const memory = createMemoryStore();
    let isAway = true;
    const store: ClaimStore = {
      get: (key) => (isAway ? Promise.reject(new Error('away')) : memory.get(key)),
      set: (key, value) => memory.set(key, value),
      delete: (key) => memory.delete(key),
      compareAndSet: (key, expected, value) =>
        isAway ? Promise.reject(new Error('away')) : memory.compareAndSet(key, expected, value),
    };

    beforeEach(() => {
      isAway = true;
    });

    it('an event that an earlier process may have sent waits for the answer', async () => {
      const before = claimsOf(memory);
      await before.begin('e1', 1_000);
      await before.end('e1', 'done');
      const started = await start(() => accepted, {
        duplicateProtection: 'none',
        store,
        repeatWindowMs: 1e6,
      });
      await started.publish({ id: 'e1' });
      await started.publish({ id: 'e2' });
      await jest.advanceTimersByTimeAsync(20_000);
      expect(started.calls).toEqual([]);
      isAway = false;
      await jest.advanceTimersByTimeAsync(2_000);
      expect(statuses(started)).toEqual(['e2 sent 1']);
    });

    it('its outcome is `unknown` where the answer does not come in time', async () => {
      const started = await start(() => accepted, {
        duplicateProtection: 'none',
        store,
        repeatWindowMs: 1e6,
      });
      await started.publish({ id: 'e1' });
      await started.publish({ id: 'e2' });
      await jest.advanceTimersByTimeAsync(62_000);
      // The store is away for both of them, not for one after the other.
      expect([started.calls, statuses(started)]).toEqual([[], ['e1 unknown 0', 'e2 unknown 0']]);
      expect(started.deadLetters).toHaveLength(2);
    });

    it('new events are sent one after the other, and their outcomes wait for the store', async () => {
      const started = await start(() => accepted, { duplicateProtection: 'none', store });
      await started.publish({ id: 'e1' });
      await started.publish({ id: 'e2' });
      await settle();
      expect([started.calls.length, statuses(started)]).toEqual([2, []]);
      isAway = false;
      await jest.advanceTimersByTimeAsync(2_000);
      expect(statuses(started)).toEqual(['e1 sent 1', 'e2 sent 1']);
    });

    it('outcomes do not wait for the store for ever', async () => {
      const started = await start(() => accepted, { duplicateProtection: 'none', store });
      await started.publish({ id: 'e1' });
      await jest.advanceTimersByTimeAsync(SETTLE_MS / 2);
      await started.publish({ id: 'e2' });
      await jest.advanceTimersByTimeAsync(SETTLE_MS / 2 + 2_000);
      // The store is away for both of them, not for one after the other.
      expect(statuses(started)).toEqual(['e1 sent 1', 'e2 sent 1']);
    });

    it('an event that it claimed without the store gets no second outcome', async () => {
      isAway = false;
      const before = claimsOf(memory);
      await before.begin('sent before', 1_000);
      await before.end('sent before', 'done');
      isAway = true;
      const started = await start(() => accepted, { duplicateProtection: 'lookup', store });
      await started.publish({ id: 'sent before', expiresAt: '2026-01-01T00:00:00.000Z' });
      await started.publish({ id: 'never seen', expiresAt: '2026-01-01T00:00:00.000Z' });
      await settle();
      expect(statuses(started)).toEqual([]);
      isAway = false;
      await jest.advanceTimersByTimeAsync(2_000);
      expect([started.calls.length, statuses(started)]).toEqual([0, ['never seen expired 0']]);
    });

    it('outcomes are published before the service stops', async () => {
      const started = await start(() => accepted, { duplicateProtection: 'none', store });
      await started.publish({ id: 'e1' });
      await settle();
      const stopped = started.consumer.stop(10_000);
      await jest.advanceTimersByTimeAsync(5_000);
      await stopped;
      expect(statuses(started)).toEqual(['e1 sent 1']);
    });
  });

  it('leaves its claim on a text that is half sent when it stops', async () => {
    const store = createMemoryStore();
    const half = new ConnectorError('NOT_CONNECTED', 'lost in between', { sentMessageIds: ['m1'] });
    const started = await start(() => half, { duplicateProtection: 'none', store });
    await started.publish({ id: 'e1' });
    await settle();
    await started.consumer.stop(1_000);
    expect(await claimsOf(store).begin('e1', 1_000)).toMatchObject({ kind: 'mine', earlier: 'left' });
  });

  it('gives what waits for a retry back to the bus when it stops', async () => {
    const started = await start(() => new ConnectorError('NOT_CONNECTED', 'away'));
    await started.publish({ id: 'e1' });
    await settle();
    await started.consumer.stop(1_000);
    const redelivered: number[] = [];
    await started.bus.subscribe({ topic: EGRESS, subscription: EGRESS }, (message) => {
      redelivered.push(message.attempt);
      return Promise.resolve('ack');
    });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(redelivered).toEqual([2]);
    expect(started.outcomes).toEqual([]);
  });

  describe('a connection', () => {
    it('wakes what waits out its back-off', async () => {
      let isAway = true;
      const started = await start(() => (isAway ? new ConnectorError('NOT_CONNECTED', 'away') : accepted));
      for (const id of ['e1', 'e2', 'e3']) {
        await started.publish({ id, target: { connector: 'fake', destination: id } });
      }
      // By now each back-off is up to 30 s long.
      await jest.advanceTimersByTimeAsync(31_100);
      expect(statuses(started)).toEqual([]);
      isAway = false;
      started.tellState('connected');
      await settle();
      expect(statuses(started)).toEqual(['e1 sent 1', 'e2 sent 1', 'e3 sent 1']);
    });

    it('lets no event be looked for before the platform can show it', async () => {
      const steps: Step[] = [new ConnectorError('TIMEOUT', 'silence')];
      const started = await start(() => steps.shift() ?? accepted);
      await started.publish({ id: 'e1' });
      await settle();
      started.tellState('connected');
      await jest.advanceTimersByTimeAsync(9_900);
      expect(started.calls).toHaveLength(1);
      await jest.advanceTimersByTimeAsync(200);
      expect(statuses(started)).toEqual(['e1 sent 2']);
    });

    it('lets no event be sent sooner than the platform asks for', async () => {
      const steps: Step[] = [new ConnectorError('RATE_LIMITED', 'slow', { retryAfterMs: 5_000 })];
      const started = await start(() => steps.shift() ?? accepted);
      await started.publish({ id: 'e1' });
      await settle();
      started.tellState('connected');
      await jest.advanceTimersByTimeAsync(4_900);
      expect(started.calls).toHaveLength(1);
    });
  });

  describe('an event that expires', () => {
    interface Facts {
      readonly code: ConnectorErrorCode;
      readonly lifeMs: number;
      readonly retryAfterMs?: number;
      readonly protection: ConnectorCapabilities['duplicateProtection'];
    }
    const cases: Facts[] = (
      ['NOT_CONNECTED', 'RATE_LIMITED', 'UPSTREAM_UNAVAILABLE', 'TIMEOUT'] as const
    ).flatMap((code) =>
      [1, 249, 250, 251, 999, 5_000, 25_000, 59_999].flatMap((lifeMs) =>
        (['platform', 'lookup'] as const).flatMap((protection) => [
          { code, lifeMs, protection },
          { code, lifeMs, protection, retryAfterMs: 7_000 },
        ]),
      ),
    );

    it.each(cases)('is never given up before its time nor sent after it: %j', async (facts) => {
      const { code, lifeMs, protection, retryAfterMs } = facts;
      const endsAt = Date.now() + lifeMs;
      const triedAt: number[] = [];
      const started = await start(
        () => {
          triedAt.push(Date.now());
          return new ConnectorError(code, 'away', { retryAfterMs });
        },
        { duplicateProtection: protection },
      );
      await started.publish({ id: 'e1', expiresAt: new Date(endsAt).toISOString() });
      await jest.advanceTimersByTimeAsync(60_100);
      const [outcome] = started.outcomes;
      expect(started.outcomes).toHaveLength(1);
      expect(triedAt.every((at) => at < endsAt)).toBe(true);
      // Tries may be used up before; then it has failed.
      if (outcome?.status === 'failed') expect(started.calls).toHaveLength(3);
      else expect(Date.parse(outcome?.occurredAt ?? '')).toBeGreaterThanOrEqual(endsAt);
      if (code === 'NOT_CONNECTED' && retryAfterMs === undefined && lifeMs > 1_000) {
        expect(endsAt - Math.max(...triedAt)).toBeLessThanOrEqual(250);
      }
    });

    it('is not sent after its time because it waited for its turn', async () => {
      const rates: SendRates = { perDestination: { count: 1, perMs: 10_000 } };
      const started = await start(() => accepted, { rates });
      const expiresAt = new Date(Date.now() + 3_000).toISOString();
      await started.publish({ id: 'e1' });
      await started.publish({ id: 'e2', expiresAt });
      await jest.advanceTimersByTimeAsync(20_000);
      expect(statuses(started)).toEqual(['e1 sent 1', 'e2 expired 0']);
      expect(started.outcomes[1]?.occurredAt).toBe(expiresAt);
    });
  });

  describe.each(['none', 'lookup', 'platform'] as const)('with duplicate protection `%s`', (protection) => {
    it('has one outcome for an event that is published again after a restart', async () => {
      const store = createMemoryStore();
      const started = await start(() => accepted, { duplicateProtection: protection, store });
      await started.publish({ id: 'e1' });
      await settle();
      await started.consumer.stop(1_000);
      const next = started.anotherConsumer();
      await next.start();
      await started.publish({ id: 'e1' });
      await jest.advanceTimersByTimeAsync(11_000);
      expect(started.calls).toHaveLength(1);
      expect(statuses(started)).toEqual(['e1 sent 1']);
      await next.stop(1_000);
    });

    it('publishes the outcome that a process knew which died, and no other', async () => {
      const store = createMemoryStore();
      const first = await start(() => accepted, { duplicateProtection: protection });
      await first.publish({ id: 'e1' });
      await settle();
      const [outcome] = first.outcomes;
      if (outcome === undefined) throw new Error('no outcome');
      const dead = claimsOf(store);
      await dead.begin('e1', 1_000);
      await dead.settling('e1', writeSettlement({ outcome, end: 'done' }), new AbortController().signal);
      const next = await start(() => accepted, { duplicateProtection: protection, store });
      await next.publish({ id: 'e1' });
      await next.publish({ id: 'e1' });
      await jest.advanceTimersByTimeAsync(11_000);
      expect(next.calls).toHaveLength(0);
      expect(next.outcomes).toEqual([outcome]);
    });

    it('publishes an outcome that the bus did not take as soon as it takes it, and no other', async () => {
      let refuses = true;
      const started = await start(() => accepted, {
        duplicateProtection: protection,
        refusesOutcomes: () => refuses,
      });
      await started.publish({ id: 'e1' });
      await settle();
      expect([started.calls.length, statuses(started)]).toEqual([1, []]);
      refuses = false;
      await jest.advanceTimersByTimeAsync(15_000);
      expect([started.calls.length, statuses(started)]).toEqual([1, ['e1 sent 1']]);
    });

    it('leaves such an outcome to the next process', async () => {
      const store = createMemoryStore();
      let refuses = true;
      const wishes = { duplicateProtection: protection, store, refusesOutcomes: () => refuses };
      const started = await start(() => accepted, wishes);
      await started.publish({ id: 'e1' });
      await settle();
      await started.consumer.stop(1_000);
      refuses = false;
      const next = started.anotherConsumer();
      await next.start();
      await jest.advanceTimersByTimeAsync(15_000);
      expect([started.calls.length, statuses(started)]).toEqual([1, ['e1 sent 1']]);
      await next.stop(1_000);
    });

    it('has one outcome for an event that expired and comes again after a restart', async () => {
      const store = createMemoryStore();
      const started = await start(() => accepted, { duplicateProtection: protection, store });
      await started.publish({ id: 'e1', expiresAt: '2026-01-01T00:00:00.000Z' });
      await settle();
      await started.consumer.stop(1_000);
      const next = started.anotherConsumer();
      await next.start();
      await started.publish({ id: 'e1', expiresAt: '2026-01-01T00:00:00.000Z' });
      await jest.advanceTimersByTimeAsync(11_000);
      expect(started.calls).toHaveLength(0);
      expect(statuses(started)).toEqual(['e1 expired 0']);
      await next.stop(1_000);
    });

    it('has one outcome for an event that nobody knows of and that comes again after a restart', async () => {
      const store = createMemoryStore();
      const silence = new ConnectorError('TIMEOUT', 'silence');
      const started = await start(() => silence, { duplicateProtection: protection, store });
      const expiresAt = new Date(Date.now() + 400).toISOString();
      await started.publish({ id: 'e1', expiresAt });
      await jest.advanceTimersByTimeAsync(11_000);
      await started.consumer.stop(1_000);
      const next = started.anotherConsumer();
      await next.start();
      await started.publish({ id: 'e1', expiresAt });
      await jest.advanceTimersByTimeAsync(11_000);
      expect(statuses(started)).toEqual([expect.stringMatching(/^e1 unknown/)]);
      await next.stop(1_000);
    });

    it('sets an event aside that three processes died of, and sends the others', async () => {
      const store = createMemoryStore();
      for (let death = 0; death < 3; death++) {
        expect((await claimsOf(store).begin('e1', 1_000)).kind).toBe('mine');
      }
      const started = await start(() => accepted, { duplicateProtection: protection, store });
      await started.publish({ id: 'e1' });
      await started.publish({ id: 'e2' });
      await jest.advanceTimersByTimeAsync(11_000);
      expect(statuses(started)).toEqual(['e1 unknown 0', 'e2 sent 1']);
      expect(started.deadLetters).toHaveLength(1);
      await started.publish({ id: 'e1' });
      await jest.advanceTimersByTimeAsync(11_000);
      expect(statuses(started)).toHaveLength(2);
    });

    it('counts an event that was being tried when a fault ended the process, and none that only waited', async () => {
      const store = createMemoryStore();
      const started = await start(
        ({ text }) => (text === 'tried' ? new Promise(() => undefined) : accepted),
        { duplicateProtection: protection, store, rates: { perDestination: { count: 1, perMs: 60_000 } } },
      );
      for (const [id, destination, text] of [
        ['tried', 'a', 'tried'],
        ['first', 'b', 'sent'],
        ['waits', 'b', 'waits'],
      ] as const) {
        await started.publish({ id, text, target: { connector: 'fake', destination } });
      }
      await settle();
      const stopped = started.consumer.stop(1_000, true);
      await jest.advanceTimersByTimeAsync(1_100);
      await stopped;
      const next = claimsOf(store);
      expect(await next.begin('tried', 1_000)).toMatchObject({ earlier: 'died', deaths: 1 });
      expect(await next.begin('waits', 1_000)).toMatchObject({ earlier: 'none', deaths: 0 });
    });

    it.each([
      ['quick', 0],
      ['slow', 20_000],
    ])(
      'sends an event once that two processes get twice at the same time (store: %s)',
      async (_name, slowMs) => {
        const store = slowAtFirst(createMemoryStore(), slowMs);
        const started = await start(() => later(500), {
          duplicateProtection: protection,
          store,
          isShared: true,
        });
        const other = started.anotherConsumer();
        const ids = Array.from({ length: 20 }, (_, i) => `e${i}`);
        const messages = ids.map((id, i) => aMessage(id, i));
        const deliver = async (consumer: EgressConsumer, message: ReceivedMessage): Promise<void> => {
          // As the bus: what is given back comes again.
          for (let attempt = 1; (await consumer.handle({ ...message, attempt })) === 'nack'; attempt++) {
            await sleep(systemClock, 1_000);
          }
        };
        const delivered = Promise.all(
          messages.flatMap((message, i) => [
            deliver(i % 2 === 0 ? started.consumer : other, message),
            deliver(i % 2 === 0 ? other : started.consumer, { ...message, id: `${message.id} again` }),
          ]),
        );
        await jest.advanceTimersByTimeAsync(60_000);
        await delivered;
        expect(started.calls.map(({ options }) => options.idempotencyKey).sort()).toEqual([...ids].sort());
        expect(statuses(started).sort()).toEqual(ids.map((id) => `${id} sent 1`).sort());
        await other.stop(1_000);
      },
    );
  });

  it('sends an event once that was published for two destinations', async () => {
    const started = await start(() => later(500));
    for (const destination of ['here', 'there']) {
      await started.publish({ id: 'e1', target: { connector: 'fake', destination } });
    }
    await jest.advanceTimersByTimeAsync(5_000);
    expect(statuses(started)).toEqual(['e1 sent 1']);
  });

  it('refuses a text that is too long before anyone plans it', async () => {
    const started = await start(() => accepted);
    await started.publish({ id: 'e1', text: 'x'.repeat(100_001) });
    await started.publish({ id: 'e2', text: 'x'.repeat(100_000) });
    await settle();
    expect(statuses(started)).toEqual(['e1 failed 1', 'e2 sent 1']);
    expect(started.outcomes[0]?.error).toMatchObject({
      code: 'PAYLOAD_INVALID',
      message: 'the text has 100,001 UTF-16 code units, 100,000 are allowed',
    });
  });

  it('gives an event up that always meets a fault of ours, and goes on with the others', async () => {
    const rates: SendRates = {
      get perDestination(): never {
        throw new TypeError('a fault of ours');
      },
    };
    const started = await start(() => accepted, { rates });
    await started.publish({ id: 'e1' });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(statuses(started)).toEqual(['e1 unknown 3']);
    expect(started.deadLetters).toMatchObject([{ error: { code: 'INTERNAL', message: 'a fault of ours' } }]);
  });
});

async function later(ms: number): Promise<SendReceipt> {
  await sleep(systemClock, ms);
  return accepted;
}

/** A store that needs time for its first answers, as one does whose library is loaded and whose connection is made. */
function slowAtFirst(store: StateStore, ms: number): ClaimStore {
  const opened = sleep(systemClock, ms);
  return {
    get: async (key) => opened.then(() => store.get(key)),
    set: async (key, value) => opened.then(() => store.set(key, value)),
    delete: async (key) => opened.then(() => store.delete(key)),
    compareAndSet: async (key, expected, value) =>
      opened.then(() => store.compareAndSet(key, expected, value)),
  };
}

function aMessage(id: string, index: number): ReceivedMessage {
  const event = {
    v: '1',
    id,
    type: 'chat.send.v1',
    target: { connector: 'fake', destination: `there ${index % 3}` },
    text: 'hi',
    correlationId: 'c',
  };
  return {
    id: `m${index}`,
    topic: EGRESS,
    data: new TextEncoder().encode(JSON.stringify(event)),
    attributes: {},
    attempt: 1,
    publishedAt: Date.now(),
  };
}
