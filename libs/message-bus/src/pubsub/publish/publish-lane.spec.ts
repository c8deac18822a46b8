import { ManualClock } from '@bitbrat/foundation/testing';
import { type OutgoingMessage } from '../../message-bus.js';
import { type PublishVerdict } from './batch-delivery.js';
import { type PendingPublish, PublishLane } from './publish-lane.js';

const textOf = (message: OutgoingMessage): string => Buffer.from(message.data).toString();

/** A broker at hand: each request waits until the test answers it. */
class Broker {
  readonly clock = new ManualClock();
  readonly taken: string[] = [];
  readonly requests: string[][] = [];
  readonly outcomes: string[] = [];
  verdict: PublishVerdict['action'] = 'retry';
  idle = 0;
  recoveries = 0;
  /** Decides about each request: throws or not. */
  answer: (texts: readonly string[]) => void = () => undefined;

  lane(parallel: number, maxMessages = 3): PublishLane {
    return new PublishLane(parallel, {
      clock: this.clock,
      random: () => 0,
      backoff: { baseMs: 100, maxMs: 1000 },
      batching: { maxMessages, maxMilliseconds: 1 },
      send: async (messages) => {
        const texts = messages.map(textOf);
        this.requests.push(texts);
        await Promise.resolve();
        this.answer(texts);
        this.taken.push(...texts);
        return texts.map((text) => `id-${text}`);
      },
      judge: (error) => {
        if (!(error instanceof Error)) throw new Error('not an error');
        return Promise.resolve(
          this.verdict === 'retry' ? { action: 'retry' } : { action: this.verdict, error, proofs: 1 },
        );
      },
      accepted: () => this.taken.length,
      onStuck: () => undefined,
      onRecovery: () => this.recoveries++,
      onIdle: () => this.idle++,
    });
  }

  pending(text: string, bytes = 1): PendingPublish {
    return {
      message: { data: Buffer.from(text), attributes: {} },
      bytes,
      succeed: (id) => this.outcomes.push(id),
      fail: (error) => this.outcomes.push(`${text} ${error.message}`),
    };
  }
}

describe('PublishLane', () => {
  it('waits for company, but no longer than it must, and says when it is idle', async () => {
    const broker = new Broker();
    const lane = broker.lane(1);
    lane.add(broker.pending('a'));
    lane.add(broker.pending('b'));
    expect(broker.requests).toEqual([]);
    await broker.clock.advance(1);
    expect(broker.requests).toEqual([['a', 'b']]);
    expect(broker.outcomes).toEqual(['id-a', 'id-b']);
    expect(broker.idle).toBe(1);
    expect(broker.clock.pendingTimers).toBe(0);
  });

  it('sends at once when enough has gathered, and what gathers meanwhile in one request', async () => {
    const broker = new Broker();
    const lane = broker.lane(1);
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) lane.add(broker.pending(text));
    expect(broker.requests).toEqual([['a', 'b', 'c']]);
    await broker.clock.advance(0);
    expect(broker.requests).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e', 'f', 'g', 'h'],
    ]);
  });

  it('keeps a request within 9 MiB and 1,000 messages, and sends a larger message alone', async () => {
    const broker = new Broker();
    const lane = broker.lane(1, 1);
    lane.add(broker.pending('first'));
    for (const text of ['a', 'b', 'c']) lane.add(broker.pending(text, 4 * 1024 * 1024));
    lane.add(broker.pending('large', 9_900_000));
    for (let index = 0; index < 1001; index++) lane.add(broker.pending(`s${index}`));
    await broker.clock.advance(0);
    expect(broker.requests.map((request) => request.length)).toEqual([1, 2, 1, 1, 1000, 1]);
  });

  it('repeats a failed request before it sends anything later', async () => {
    const broker = new Broker();
    const lane = broker.lane(1, 2);
    let failures = 2;
    broker.answer = () => {
      if (failures-- > 0) throw new Error('away');
    };
    for (const text of ['a', 'b', 'c', 'd']) lane.add(broker.pending(text));
    await broker.clock.advance(49);
    expect(broker.requests).toEqual([['a', 'b']]);
    lane.add(broker.pending('e'));
    await broker.clock.advance(200);
    expect(broker.requests).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    expect(broker.taken).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(broker.recoveries).toBe(1);
  });

  it('never gives up, and keeps its waits bounded', async () => {
    const broker = new Broker();
    let away = true;
    broker.answer = () => {
      if (away) throw new Error('away');
    };
    broker.lane(1).add(broker.pending('a'));
    await broker.clock.advance(360_000);
    // Half of a second is the longest wait with this randomness.
    expect(broker.requests.length).toBeGreaterThan(700);
    away = false;
    await broker.clock.advance(500);
    expect(broker.outcomes).toEqual(['id-a']);
  });

  it('finds the message at fault and takes the others, in order', async () => {
    const broker = new Broker();
    broker.verdict = 'suspect';
    broker.answer = (texts) => {
      if (texts.includes('bad')) throw new Error('refused');
    };
    const lane = broker.lane(1);
    for (const text of ['a', 'bad', 'c', 'd']) lane.add(broker.pending(text));
    await broker.clock.advance(1);
    expect(broker.taken).toEqual(['a', 'c', 'd']);
    expect(broker.outcomes).toEqual(['id-a', 'bad refused', 'id-c', 'id-d']);
  });

  it('runs as many requests at once as it may', async () => {
    const broker = new Broker();
    const lane = broker.lane(2, 1);
    for (const text of ['a', 'b', 'c', 'd']) lane.add(broker.pending(text));
    expect(broker.requests).toEqual([['a'], ['b']]);
    await broker.clock.advance(0);
    expect(broker.requests).toEqual([['a'], ['b'], ['c', 'd']]);
    expect(broker.idle).toBe(1);
  });

  it('does nothing more once it is stopped', async () => {
    const broker = new Broker();
    broker.answer = () => {
      throw new Error('away');
    };
    const lane = broker.lane(1, 1);
    lane.add(broker.pending('a'));
    lane.add(broker.pending('b'));
    await broker.clock.advance(10);
    lane.stop();
    await broker.clock.advance(10_000);
    expect(broker.requests).toEqual([['a']]);
    expect(broker.outcomes).toEqual([]);
    expect(broker.clock.pendingTimers).toBe(0);
  });
});
