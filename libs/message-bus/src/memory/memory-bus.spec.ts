import { type Logger } from '@bitbrat/foundation';
import { ManualClock } from '@bitbrat/foundation/testing';
import { createMemoryBus, type MemoryBusOptions } from './memory-bus.js';
import { type Disposition, type MessageBus } from '../message-bus.js';
import { Recorder } from '../testing.js';

const TOPIC = 'memory-topic';
const text = (value: string, orderingKey?: string): Parameters<MessageBus['publish']>[1] => ({
  data: Buffer.from(value),
  attributes: {},
  ...(orderingKey === undefined ? {} : { orderingKey }),
});

describe('memory bus', () => {
  let clock: ManualClock;
  let recorder: Recorder;
  let bus: MessageBus;

  const open = (options: MemoryBusOptions = {}): MessageBus => {
    bus = createMemoryBus({
      clock,
      random: () => 0.999,
      redelivery: { baseMs: 100, maxMs: 1000 },
      ...options,
    });
    return bus;
  };

  beforeEach(() => {
    clock = new ManualClock(1_700_000_000_000);
    recorder = new Recorder(5000);
  });

  it('pushes back when a subscription is full, and goes on in order as messages are acknowledged', async () => {
    open({ maxBacklog: 2 });
    const answers: ((disposition: Disposition) => void)[] = [];
    const handler = recorder.handler(() => new Promise((resolve) => answers.push(resolve)));
    await bus.subscribe({ topic: TOPIC, subscription: 'sub', maxInFlight: 10 }, handler);
    const settled: string[] = [];
    const publishes = ['a', 'b', 'c', 'd'].map(async (value) => {
      await bus.publish(TOPIC, text(value));
      settled.push(value);
    });
    await clock.advance(0);
    expect(settled).toEqual(['a', 'b']);
    await bus.checkHealth(100);
    answers[0]?.('ack');
    await clock.advance(0);
    expect(settled).toEqual(['a', 'b', 'c']);
    answers[1]?.('ack');
    await Promise.all(publishes);
    expect(settled).toEqual(['a', 'b', 'c', 'd']);
  });

  it('pushes back by bytes, too, and still takes a message that is larger than the bound', async () => {
    open({ maxBacklogBytes: 10 });
    await bus.subscribe({ topic: TOPIC, subscription: 'sub' }, () => new Promise(() => undefined));
    await bus.publish(TOPIC, text('larger than ten bytes'));
    const second = new AbortController();
    const waiting = bus.publish(TOPIC, text('x'), { signal: second.signal });
    await clock.advance(0);
    second.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('lets go of a waiting publish that is aborted, and never publishes it', async () => {
    open({ maxBacklog: 1 });
    const handler = recorder.handler();
    const reading = await bus.subscribe({ topic: TOPIC, subscription: 'sub' }, handler);
    await reading.close(0);
    await bus.publish(TOPIC, text('a'));
    const abort = new AbortController();
    const aborted = bus.publish(TOPIC, text('b'), { signal: abort.signal });
    const last = bus.publish(TOPIC, text('c'));
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    await bus.subscribe({ topic: TOPIC, subscription: 'sub' }, handler);
    await last;
    await recorder.untilText('c');
    expect(recorder.texts).toEqual(['a', 'c']);
  });

  it('is unhealthy when publishing waits for a subscription that nobody reads', async () => {
    open({ maxBacklog: 1 });
    const reading = await bus.subscribe({ topic: TOPIC, subscription: 'forgotten' }, recorder.handler());
    await reading.close(0);
    await bus.publish(TOPIC, text('a'));
    await bus.checkHealth(100);
    const waiting = bus.publish(TOPIC, text('b'));
    await expect(bus.checkHealth(100)).rejects.toThrow(/"forgotten" is full \(1 messages\) and nobody reads/);
    const rejected = expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    const closed = bus.close(50);
    await clock.advance(50);
    await closed;
    await rejected;
  });

  it('waits longer after each nack, up to a bound', async () => {
    open();
    const at: number[] = [];
    const start = clock.now();
    await bus.subscribe({ topic: TOPIC, subscription: 'sub' }, () => {
      at.push(clock.now() - start);
      return Promise.resolve(at.length < 7 ? 'nack' : 'ack');
    });
    await bus.publish(TOPIC, text('a'));
    await clock.advance(10_000);
    expect(at).toEqual([0, 100, 300, 700, 1500, 2500, 3500]);
  });

  it('holds later messages of a key back while a nacked one waits, and other keys not', async () => {
    open();
    const nackOnce = ({ attempt }: { attempt: number }): Disposition =>
      recorder.texts.at(-1) === 'k:0' && attempt === 1 ? 'nack' : 'ack';
    await bus.subscribe({ topic: TOPIC, subscription: 'sub', maxInFlight: 1 }, recorder.handler(nackOnce));
    for (const value of ['k:0', 'k:1', 'other:0', 'k:2']) {
      await bus.publish(TOPIC, text(value, value.split(':')[0]));
    }
    await clock.advance(50);
    expect(recorder.texts).toEqual(['k:0', 'other:0']);
    await clock.advance(50);
    expect(recorder.texts).toEqual(['k:0', 'other:0', 'k:0', 'k:1', 'k:2']);
  });

  it('redelivers in order when several messages of a key in hand are nacked in any order', async () => {
    open();
    const answers = new Map<string, (disposition: Disposition) => void>();
    const handler = recorder.handler((message) => {
      if (message.attempt > 1) return 'ack';
      return new Promise((resolve) => answers.set(recorder.texts.at(-1) ?? '', resolve));
    });
    await bus.subscribe({ topic: TOPIC, subscription: 'sub', maxInFlight: 3 }, handler);
    for (const value of ['0', '1', '2', '3']) await bus.publish(TOPIC, text(value, 'k'));
    await recorder.until('three in hand', () => recorder.messages.length === 3);
    for (const value of ['2', '0', '1']) answers.get(value)?.('nack');
    await clock.advance(100);
    expect(recorder.texts).toEqual(['0', '1', '2', '0', '1', '2', '3']);
  });

  it('removes a subscription that nobody has read for its time, with what it held', async () => {
    open();
    const options = { topic: TOPIC, subscription: 'brief', expireAfterMs: 1000 };
    const reading = await bus.subscribe(options, recorder.handler());
    await clock.advance(5000);
    await bus.publish(TOPIC, text('while read'));
    await recorder.untilText('while read');
    await reading.close(0);
    await bus.publish(TOPIC, text('held'));
    await clock.advance(1000);
    await bus.publish(TOPIC, text('too late'));
    await bus.subscribe(options, recorder.handler());
    await bus.publish(TOPIC, text('new'));
    await recorder.untilText('new');
    expect(recorder.texts).toEqual(['while read', 'new']);
  });

  it('refuses to read one subscription for two topics', async () => {
    open();
    await bus.subscribe({ topic: TOPIC, subscription: 'sub' }, recorder.handler());
    await expect(
      bus.subscribe({ topic: 'other', subscription: 'sub' }, recorder.handler()),
    ).rejects.toMatchObject({
      code: 'INVALID_NAME',
    });
  });

  it('gives each delivery bytes and attributes of its own', async () => {
    open();
    const original = text('untouched');
    const spoil = recorder.handler((message) => {
      message.data.fill(0);
      Object.assign(message.attributes, { spoilt: 'yes' });
      return message.attempt < 2 ? 'nack' : 'ack';
    });
    const seen: string[] = [];
    await bus.subscribe({ topic: TOPIC, subscription: 'sub' }, (message) => {
      seen.push(`${Buffer.from(message.data).toString()} ${Object.keys(message.attributes).length}`);
      return spoil(message);
    });
    await bus.publish(TOPIC, original);
    original.data.fill(1);
    await clock.advance(1000);
    expect(seen).toEqual(['untouched 0', 'untouched 0']);
  });

  it('logs a handler that fails, without the message', async () => {
    const logged: unknown[] = [];
    const ignore = (): void => undefined;
    const logger: Logger = {
      debug: ignore,
      info: ignore,
      warn: (...line) => logged.push(line),
      error: ignore,
    };
    open({ logger });
    await bus.subscribe({ topic: TOPIC, subscription: 'sub' }, ({ attempt }) =>
      attempt === 1 ? Promise.reject(new Error('broken')) : Promise.resolve('ack'),
    );
    const id = await bus.publish(TOPIC, text('private'));
    await clock.advance(1000);
    expect(logged).toEqual([
      ['bus.handler.failed', { subscription: 'sub', messageId: id, attempt: 1, error: 'broken' }],
    ]);
  });

  it('leaves no timer behind when it is closed', async () => {
    open();
    await bus.subscribe({ topic: TOPIC, subscription: 'sub' }, () => Promise.resolve('nack'));
    await bus.publish(TOPIC, text('a', 'k'));
    await bus.publish(TOPIC, text('b'));
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(2);
    await bus.close(1000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('carries 20,000 messages over 64 keys in order', async () => {
    open();
    const received = new Map<string, number[]>();
    let count = 0;
    await bus.subscribe({ topic: TOPIC, subscription: 'sub' }, (message) => {
      const key = message.orderingKey ?? '';
      received.set(key, [...(received.get(key)?.slice(-1) ?? []), Number(message.attributes['n'])]);
      const [previous, last] = received.get(key) ?? [];
      if (last !== undefined && previous !== undefined && last <= previous) throw new Error('out of order');
      count++;
      if (count === 20_000) recorder.notify();
      return Promise.resolve('ack');
    });
    const publishes = Array.from({ length: 20_000 }, (_, index) =>
      bus.publish(TOPIC, {
        data: Buffer.from('x'),
        attributes: { n: `${index}` },
        orderingKey: `b${index % 64}`,
      }),
    );
    await Promise.all(publishes);
    await recorder.until('all received', () => count === 20_000);
  });
});
