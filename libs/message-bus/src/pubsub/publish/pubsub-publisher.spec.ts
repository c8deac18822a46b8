import { ManualClock } from '@bitbrat/foundation/testing';
import fc from 'fast-check';
import { type PubSubConnection } from '../pubsub-connection.js';
import { toPubSubSettings } from '../pubsub-options.js';
import { PubSubPublisher } from './pubsub-publisher.js';
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
      admitted: () => Promise.resolve(),
      isHeld: () => false,
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
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    await closed;
    await expect(Promise.all(calls)).resolves.toEqual(['CLOSED', 'CLOSED', 'CLOSED']);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('PubSubPublisher that is refused', () => {
  const PERMISSION_DENIED = 7;
  let clock: ManualClock;
  let publisher: PubSubPublisher;
  let taken: string[];
  /** What the service answers to a request with these texts; undefined: it takes them. */
  let refusal: (texts: readonly string[]) => number | undefined;

  beforeEach(() => {
    clock = new ManualClock();
    taken = [];
    refusal = () => undefined;
    const request = ({ messages }: { messages: { data: Uint8Array }[] }): Promise<unknown> => {
      const texts = messages.map(({ data }) => Buffer.from(data).toString());
      const code = refusal(texts);
      if (code !== undefined) return Promise.reject(Object.assign(new Error('said the service'), { code }));
      taken.push(...texts);
      return Promise.resolve([{ messageIds: texts.map((value) => `id-${value}`) }]);
    };
    const connection = {
      client: { publisher: { publish: request } },
      admin: { topicPath: (topic: string) => topic },
    } as unknown as PubSubConnection; // the rest of the library is not asked
    publisher = new PubSubPublisher(toPubSubSettings({ projectId: 'p', createMissing: true, clock }), {
      connect: () => Promise.resolve(connection),
      barrier: () => new TopicBarrier(),
      admitted: () => Promise.resolve(),
      isHeld: () => false,
      restore: () => Promise.resolve(),
    });
  });

  const publish = (value: string): Promise<string> => publisher.publish('the-topic', text(value), undefined);

  it.each([
    ['PERMISSION_DENIED', PERMISSION_DENIED, /said the service.*roles\/pubsub\.publisher/],
    ['FAILED_PRECONDITION', 9, /said the service/],
    ['UNIMPLEMENTED', 12, /said the service/],
  ])('keeps what it has, in order, through %s, and says why it waits', async (_name, code, reason) => {
    refusal = () => code;
    const early = ['a', 'b'].map(publish);
    await clock.advance(60_000);
    const late = publish('c');
    await clock.advance(60_000);
    expect(publisher.faults.get('the-topic')).toMatch(reason);

    refusal = () => undefined;
    await clock.advance(2000);
    await expect(Promise.all([...early, late])).resolves.toEqual(['id-a', 'id-b', 'id-c']);
    expect([taken, publisher.faults.size]).toEqual([['a', 'b', 'c'], 0]);
  });

  it.each([
    ['INVALID_ARGUMENT', 3],
    ['OUT_OF_RANGE', 11],
  ])('gives back the message that %s is about, and no other', async (_name, code) => {
    refusal = (texts) => (texts.includes('bad') ? code : undefined);
    const calls = Promise.allSettled(['a', 'bad', 'c'].map(publish));
    await clock.advance(1);
    expect(await calls).toMatchObject([
      { value: 'id-a' },
      { reason: { code: 'INVALID_MESSAGE', message: 'publishing to "the-topic": said the service' } },
      { value: 'id-c' },
    ]);
    expect(publisher.faults.size).toBe(0);
  });

  it.each([
    ['before it is judged', false],
    ['while the others are sent one by one', true],
  ])('waits for the right beside a message at fault, %s', async (_when, isJudgedFirst) => {
    let isAllowed = false;
    refusal = (texts) => {
      if (!isAllowed && !(isJudgedFirst && texts.includes('bad'))) return PERMISSION_DENIED;
      return texts.includes('bad') ? 3 : undefined;
    };
    const calls = Promise.allSettled(['a', 'bad', 'c'].map(publish));
    await clock.advance(60_000);
    isAllowed = true;
    await clock.advance(2000);
    expect(await calls).toMatchObject([
      { value: 'id-a' },
      { reason: { code: 'INVALID_MESSAGE' } },
      { value: 'id-c' },
    ]);
    expect([taken, publisher.faults.size]).toEqual([['a', 'c'], 0]);
  });

  const ALL_CODES = Array.from({ length: 16 }, (_, index) => index + 1);
  /** Codes that a message may be given back for; all others are retried for as long as it takes. */
  const MAY_BE_THE_MESSAGE = new Set([2, 3, 6, 9, 11, 12, 13, 15]);

  it.each(ALL_CODES)('waits where code %i refuses all messages, and then keeps the order', async (code) => {
    refusal = () => code;
    const calls = ['a', 'b', 'c', 'd'].map(publish);
    await clock.advance(600_000);
    expect([taken, publisher.faults.size]).toEqual([[], 1]);
    refusal = () => undefined;
    await clock.advance(2000);
    await expect(Promise.all(calls)).resolves.toEqual(['id-a', 'id-b', 'id-c', 'id-d']);
    expect([taken, publisher.faults.size]).toEqual([['a', 'b', 'c', 'd'], 0]);
  });

  it.each(ALL_CODES)(
    'finds out whether code %i is about one message, whatever its position',
    async (code) => {
      for (const position of [0, 3, 7]) {
        const names = Array.from({ length: 8 }, (_, index) => (index === position ? 'bad' : `m${index}`));
        taken = [];
        refusal = (texts) => (texts.includes('bad') ? code : undefined);
        const calls = Promise.allSettled(names.map(publish));
        await clock.advance(60_000);
        // Traffic goes on: each later message is one more proof.
        for (let later = 0; later < 30; later++) {
          void publish(`later${later}`);
          await clock.advance(3000);
        }
        if (!MAY_BE_THE_MESSAGE.has(code)) {
          refusal = () => undefined;
          await clock.advance(3000);
        }
        const results = await calls;
        expect(results.filter(({ status }) => status === 'rejected')).toMatchObject(
          MAY_BE_THE_MESSAGE.has(code) ? [{ reason: { code: 'INVALID_MESSAGE' } }] : [],
        );
        expect(taken.filter((name) => name.startsWith('m'))).toEqual(names.filter((name) => name !== 'bad'));
        expect(publisher.faults.size).toBe(0);
      }
    },
  );

  it('gives back exactly the messages at fault, and asks for each no more often than bisecting does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), async (faulty) => {
        let requests = 0;
        taken = [];
        refusal = (texts) => {
          requests++;
          return texts.some((value) => value.startsWith('bad')) ? 3 : undefined;
        };
        const names = faulty.map((isFaulty, index) => `${isFaulty ? 'bad' : 'good'}${index}`);
        const calls = Promise.allSettled([...names, 'good-last'].map(publish));
        await clock.advance(600_000);
        const results = await calls;
        const refused = names.filter((_, index) => results[index]?.status === 'rejected');
        expect(refused).toEqual(names.filter((name) => name.startsWith('bad')));
        expect(taken.length + refused.length).toBe(names.length + 1);
        expect(requests).toBeLessThanOrEqual(20 + refused.length * 20);
      }),
      { seed: Number(process.env['FC_SEED'] ?? 1), numRuns: 100 },
    );
  });
});
