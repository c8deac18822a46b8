import { ManualClock } from '@bitbrat/foundation/testing';
import { createMemoryBus, type MessageBus, type ReceivedMessage } from '@bitbrat/message-bus';
import fc from 'fast-check';
import { silentLogger } from './logger.js';
import { namesOf } from './names.js';
import { SetAside } from './set-aside.js';

const names = namesOf('orders', '');
const reason = { code: 'HANDLER_FAILED', detail: 'no', attempts: 3 };

const message = (part: Partial<ReceivedMessage>): ReceivedMessage => ({
  id: '1',
  topic: 'internal.ingress.v1',
  data: Buffer.from('x'),
  attributes: {},
  attempt: 1,
  publishedAt: 0,
  ...part,
});

describe('what is set aside', () => {
  it('is taken by the bus, whatever attributes and reason it has', async () => {
    const clock = new ManualClock();
    const bus = createMemoryBus({ clock });
    const kept: ReceivedMessage[] = [];
    await bus.subscribe({ topic: names.setAside, subscription: 'letters' }, (one) => {
      kept.push(one);
      return Promise.resolve('ack');
    });
    const setAside = new SetAside(bus, names, clock, silentLogger);
    const key = fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.constantFrom('', 'googclient_x', 'bitbrat-error', 'ce-id', 'traceparent'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(key, fc.string({ maxLength: 300 }), { maxKeys: 100 }),
        fc.string({ unit: 'binary', maxLength: 3000 }),
        fc.uint8Array({ maxLength: 50 }),
        async (attributes, detail, data) => {
          kept.length = 0;
          await expect(setAside.keep(message({ attributes, data }), { ...reason, detail })).resolves.toBe(
            true,
          );
          await clock.advance(0);
          expect(kept.map((one) => Buffer.from(one.data))).toEqual([Buffer.from(data)]);
          expect(Buffer.byteLength(kept[0]?.attributes['bitbrat-error'] ?? '')).toBeLessThanOrEqual(1024);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('comes again where the bus does not take it in time', async () => {
    const clock = new ManualClock();
    const bus: MessageBus = {
      ...createMemoryBus({ clock }),
      publish: (_topic, _message, { signal } = {}) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        }),
    };
    const kept = new SetAside(bus, names, clock, silentLogger).keep(message({}), reason);
    await clock.advance(30_000);
    await expect(kept).resolves.toBe(false);
  });

  it('is dropped with a report where it is too large to be published once more, instead of coming for ever', async () => {
    const events: string[] = [];
    const logger = { ...silentLogger, error: (event: string) => void events.push(event) };
    const clock = new ManualClock();
    const setAside = new SetAside(createMemoryBus({ clock }), names, clock, logger);
    await expect(setAside.keep(message({ data: Buffer.alloc(10_000_000) }), reason)).resolves.toBe(true);
    expect(events).toEqual(['bot.message.dropped']);
  });
});
