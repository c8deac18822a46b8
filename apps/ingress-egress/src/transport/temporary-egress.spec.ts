import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { createMemoryBus, type TopicKeeper } from '@bitbrat/message-bus';
import { TemporaryEgress } from './temporary-egress.js';

const TOPIC = 'dev.internal.egress.v1.auto-1';
const HOUR = 3_600_000;

function create(keeper: Partial<TopicKeeper> | null = {}): {
  temporary: TemporaryEgress;
  clock: ManualClock;
  logger: RecordingLogger;
  sweeps: (readonly [string, number])[];
} {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const sweeps: (readonly [string, number])[] = [];
  const topics: TopicKeeper = {
    keepTopic: () => undefined,
    subscriptionsOf: () => 'unknown',
    inspectTopic: () => Promise.resolve('unknown'),
    makeSubscription: () => Promise.resolve(),
    discardTemporary: () => Promise.resolve(true),
    sweepTemporary: (prefix, unusedForMs) => {
      sweeps.push([prefix, unusedForMs]);
      return Promise.resolve(['swept']);
    },
    ...keeper,
  };
  const bus = Object.assign(createMemoryBus({ clock }), keeper === null ? {} : topics);
  return { temporary: new TemporaryEgress({ bus, clock, logger }, TOPIC), clock, logger, sweeps };
}

const events = ({ entries }: RecordingLogger): string[] => entries.map(({ event }) => event);

describe('TemporaryEgress', () => {
  it('warns, and sweeps the topics beside its own now and every six hours, until it stops', async () => {
    const { clock, logger, sweeps, temporary } = create();
    temporary.start();
    await clock.advance(6 * HOUR);
    expect(sweeps).toEqual(Array.from({ length: 2 }, () => ['dev.internal.egress.v1.', 25 * HOUR]));
    expect(events(logger)).toEqual([
      'service.temporary-egress-topic',
      'service.egress-topic-swept',
      'service.egress-topic-swept',
    ]);
    const stopped = temporary.stop();
    await clock.advance(2_000);
    await stopped;
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(24 * HOUR);
    expect(sweeps).toHaveLength(2);
  });

  it('sweeps again after a sweep that failed', async () => {
    let sweeps = 0;
    const sweepTemporary = (): Promise<never> => {
      sweeps += 1;
      return Promise.reject(new Error('no right to list topics'));
    };
    const { clock, temporary } = create({ sweepTemporary });
    temporary.start();
    await clock.advance(12 * HOUR);
    expect(sweeps).toBe(3);
  });

  it.each([
    ['messages may be left', () => Promise.resolve(false), 'messages may be left in it'],
    ['the bus refuses', () => Promise.reject(new Error('PERMISSION_DENIED')), 'PERMISSION_DENIED'],
    ['the bus does not answer', () => new Promise<never>(() => undefined), 'no answer in time'],
  ])(
    'leaves its topic where %s, says so, and does not hold the stop up',
    async (_name, discardTemporary, reason) => {
      const { clock, logger, temporary } = create({ discardTemporary });
      const stopped = temporary.stop();
      await clock.advance(2_000);
      await stopped;
      expect(logger.entries).toMatchObject([
        { level: 'warn', event: 'service.egress-topic-left', fields: { topic: TOPIC, reason } },
      ]);
    },
  );

  it('is only a warning on a bus that keeps no topics', async () => {
    const { clock, logger, temporary } = create(null);
    temporary.start();
    await temporary.stop();
    expect(events(logger)).toEqual(['service.temporary-egress-topic']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('removes its own topic and subscription at the end', async () => {
    const discarded: unknown[] = [];
    const discardTemporary = (names: unknown): Promise<boolean> => {
      discarded.push(names);
      return Promise.resolve(true);
    };
    const { clock, logger, temporary } = create({ discardTemporary });
    const stopped = temporary.stop();
    await clock.advance(2_000);
    await stopped;
    expect(discarded).toEqual([{ topic: TOPIC, subscription: TOPIC }]);
    expect(logger.entries).toEqual([]);
  });
});
