import { createTopics, type DeadLetter, encodeDeadLetter } from '@bitbrat/envelope';
import { silentLogger, systemClock } from '@bitbrat/foundation';
import { BusError, createMemoryBus, type MessageBus, type ReceivedMessage } from '@bitbrat/message-bus';
import { toDeadLetter } from '../egress/outcomes.js';
import { DeadLetterDesk } from './dead-letter-desk.js';
import { REPLAY_OF } from './replay.js';

const TOPICS = createTopics('t.');
const EGRESS = TOPICS.egress('now');
interface World {
  readonly bus: MessageBus;
  readonly desk: DeadLetterDesk;
  /** What came by the egress topic. */
  readonly sent: ReceivedMessage[];
  readonly publish: (letter: DeadLetter) => Promise<void>;
}

/** The letter of the event `id`, the `minute`th of the day. */
function aLetter(id: string, code = 'TIMEOUT', minute = 0, topic = TOPICS.egress('dead')): DeadLetter {
  const event = {
    v: '1',
    id,
    type: 'chat.send.v1',
    target: { connector: 'twilio', destination: '+15551234567' },
    text: 'the secret text',
    correlationId: 'c',
  };
  const message = {
    id: `m-${id}`,
    topic,
    data: new TextEncoder().encode(JSON.stringify(event)),
    attributes: { 'ce-id': id, 'ce-subject': 'twilio/+15551234567' },
    orderingKey: 'key',
  };
  const error = { code, message: 'no answer for +15551234567', retryable: true };
  return toDeadLetter(message, error, 2, Date.UTC(2026, 0, 1, 0, minute));
}

const letterId = (id: string): string => `${TOPICS.egress('dead')}:m-${id}`;

/** Lets time pass until the work has ended. */
async function passing<T>(work: Promise<T>): Promise<T> {
  const state = { ended: false };
  const end = (): void => {
    state.ended = true;
  };
  work.then(end, end);
  while (!state.ended) await jest.advanceTimersByTimeAsync(100);
  return work;
}

describe('DeadLetterDesk', () => {
  let world: World;

  beforeEach(async () => {
    jest.useFakeTimers();
    const bus = createMemoryBus({ clock: systemClock });
    const services = { bus, clock: systemClock, logger: silentLogger };
    const desk = new DeadLetterDesk(services, { topics: TOPICS, egressTopic: EGRESS });
    const sent: ReceivedMessage[] = [];
    await bus.subscribe({ topic: EGRESS, subscription: EGRESS }, (message) => {
      sent.push(message);
      return Promise.resolve('ack');
    });
    const publish = async (letter: DeadLetter): Promise<void> => {
      const encoded = encodeDeadLetter(letter, '/test');
      if (!encoded.ok) throw new Error(encoded.fault.detail);
      await bus.publish(TOPICS.deadLetter, encoded.value);
    };
    world = { bus, desk, sent, publish };
    await passing(desk.start());
  });
  afterEach(async () => {
    await passing(world.desk.stop());
    await passing(world.bus.close(1_000));
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const list = async (): Promise<string[]> =>
    (await passing(world.desk.list())).letters.map(({ event }) => event ?? '?');
  const replay = (...ids: string[]): Promise<Awaited<ReturnType<DeadLetterDesk['replay']>>> =>
    passing(world.desk.replay({ ids: ids.map(letterId) }));

  it('lists what has waited since the start, oldest first, without text and whole numbers', async () => {
    await world.publish(aLetter('b', 'TIMEOUT', 2));
    await world.publish(aLetter('a', 'FORBIDDEN', 1));
    const { complete, letters, unreadable } = await passing(world.desk.list());
    expect([complete, unreadable]).toEqual([true, 0]);
    expect(letters.map(({ event }) => event)).toEqual(['a', 'b']);
    expect(letters[0]).toEqual({
      id: letterId('a'),
      occurredAt: '2026-01-01T00:01:00.000Z',
      code: 'FORBIDDEN',
      reason: 'no answer for +1555***4567',
      attempts: 2,
      topic: TOPICS.egress('dead'),
      bytes: expect.any(Number) as number,
      truncated: false,
      event: 'a',
      target: { connector: 'twilio', destination: '+1555***4567' },
    });
  });

  it('keeps what it shows, over many commands and between them', async () => {
    await world.publish(aLetter('a'));
    for (let round = 0; round < 6; round += 1) {
      expect(await list()).toEqual(['a']);
      await jest.advanceTimersByTimeAsync(35_000);
    }
    await world.publish(aLetter('b', 'TIMEOUT', 1));
    expect(await list()).toEqual(['a', 'b']);
  });

  it('gives back what it holds, so that another instance gets it', async () => {
    await world.publish(aLetter('a'));
    expect(await list()).toEqual(['a']);
    await passing(world.desk.stop());
    const services = { bus: world.bus, clock: systemClock, logger: silentLogger };
    const other = new DeadLetterDesk(services, { topics: TOPICS, egressTopic: EGRESS });
    expect((await passing(other.list())).letters).toHaveLength(1);
    await passing(other.stop());
  });

  it('shows a letter, its text and numbers only when asked for in full', async () => {
    await world.publish(aLetter('a'));
    const id = letterId('a');
    const detail = await passing(world.desk.show(id, false));
    expect(JSON.stringify(detail)).not.toMatch(/secret|1234567/);
    expect(detail).toMatchObject({
      message: { characters: 15, attachments: 0 },
      attributes: { 'ce-subject': 'twilio/+1555***4567' },
    });
    const full = await passing(world.desk.show(id, true));
    expect(JSON.parse(full?.body ?? '')).toMatchObject({ text: 'the secret text' });
    expect(await passing(world.desk.show('another', true))).toBeUndefined();
  });

  it('replays the original bytes to its own egress topic, once', async () => {
    await world.publish(aLetter('a'));
    await world.publish(aLetter('b', 'TIMEOUT', 1));
    const report = await replay('a', 'a');
    expect(report).toMatchObject({ replayed: [{ id: letterId('a'), topic: EGRESS }], refused: [] });
    await jest.advanceTimersByTimeAsync(100);
    expect(world.sent).toHaveLength(1);
    expect(world.sent[0]).toMatchObject({
      orderingKey: 'key',
      attributes: { 'ce-id': 'a', [REPLAY_OF]: letterId('a') },
    });
    const original = Buffer.from(aLetter('a').bodyBase64, 'base64').toString();
    expect(Buffer.from(world.sent[0]?.data ?? []).toString()).toBe(original);
    expect(await list()).toEqual(['b']);
    expect(await replay('a')).toMatchObject({ replayed: [], alreadyReplayed: [letterId('a')], refused: [] });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(await list()).toEqual(['b']);
    expect(world.sent).toHaveLength(1);
  });

  it('replays all with one error code, in the order in which they became dead letters', async () => {
    await world.publish(aLetter('c', 'TIMEOUT', 3));
    await world.publish(aLetter('x', 'FORBIDDEN', 2));
    await world.publish(aLetter('a', 'TIMEOUT', 1));
    const report = await passing(world.desk.replay({ reason: 'TIMEOUT' }));
    expect(report.replayed).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(100);
    expect(world.sent.map(({ attributes }) => attributes['ce-id'])).toEqual(['a', 'c']);
    expect(await list()).toEqual(['x']);
    expect(await passing(world.desk.replay({ reason: 'TIMEOUT' }))).toMatchObject({ replayed: [] });
  });

  it('takes a letter that was published twice as one', async () => {
    await world.publish(aLetter('a'));
    await world.publish(aLetter('a'));
    expect(await list()).toEqual(['a']);
    await replay('a');
    await world.publish(aLetter('a'));
    await jest.advanceTimersByTimeAsync(60_000);
    expect(await list()).toEqual([]);
    expect(world.sent).toHaveLength(1);
  });

  it('refuses what is truncated, has expired, came from elsewhere or does not wait, and keeps it', async () => {
    const data = { v: '1', id: 'late', type: 'chat.send.v1', target: { connector: 'x', destination: 'y' } };
    const late = { ...data, text: 'x', correlationId: 'c', expiresAt: '2026-01-01T00:00:00.000Z' };
    const bodyBase64 = Buffer.from(JSON.stringify(late)).toString('base64');
    await world.publish({ ...aLetter('cut'), truncated: true });
    await world.publish({ ...aLetter('late'), bodyBase64 });
    await world.publish(aLetter('foreign', 'TIMEOUT', 0, 'orders'));
    const ids = [letterId('cut'), letterId('late'), 'orders:m-foreign', letterId('none')];
    const { refused, replayed } = await passing(world.desk.replay({ ids }));
    expect(replayed).toEqual([]);
    expect(Object.fromEntries(refused.map(({ code, id }) => [id, code]))).toEqual({
      [letterId('cut')]: 'TRUNCATED',
      [letterId('late')]: 'EXPIRED',
      'orders:m-foreign': 'UNKNOWN_ORIGIN',
      [letterId('none')]: 'NOT_WAITING',
    });
    expect(await list()).toHaveLength(3);
  });

  it('keeps a letter while the bus does not take its message', async () => {
    const stuck: MessageBus = {
      publish: (_topic, _message, options) =>
        new Promise((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => {
            reject(new BusError('ABORTED', 'given up'));
          });
        }),
      subscribe: (options, handler) => world.bus.subscribe(options, handler),
      checkHealth: (timeoutMs) => world.bus.checkHealth(timeoutMs),
      close: (timeoutMs) => world.bus.close(timeoutMs),
    };
    await world.publish(aLetter('a'));
    const services = { bus: stuck, clock: systemClock, logger: silentLogger };
    const desk = new DeadLetterDesk(services, { topics: TOPICS, egressTopic: EGRESS });
    const { refused } = await passing(desk.replay({ ids: [letterId('a')] }));
    expect(refused).toMatchObject([{ id: letterId('a'), code: 'ABORTED' }]);
    await passing(desk.stop());
    expect(await list()).toEqual(['a']);
  });

  it('leaves alone, and counts, what is no dead letter', async () => {
    await world.bus.publish(TOPICS.deadLetter, { data: Buffer.from('{'), attributes: {} });
    await world.publish(aLetter('a'));
    expect(await passing(world.desk.list())).toMatchObject({ unreadable: 1, letters: [{ event: 'a' }] });
  });

  it('runs commands that come at once one after the other', async () => {
    await world.publish(aLetter('a'));
    const ids = [letterId('a')];
    const [first, second] = await passing(
      Promise.all([world.desk.replay({ ids }), world.desk.replay({ ids })]),
    );
    expect([first.replayed.length, second.replayed.length]).toEqual([1, 0]);
    await jest.advanceTimersByTimeAsync(100);
    expect(world.sent).toHaveLength(1);
  });

  it('says so when the service is stopping', async () => {
    await passing(world.desk.stop());
    await expect(passing(world.desk.list())).rejects.toThrow('the service is stopping');
  });

  it('says so when the bus cannot be read', async () => {
    await passing(world.bus.close(100));
    await expect(passing(world.desk.list())).rejects.toThrow('the dead letters cannot be read');
  });
});
