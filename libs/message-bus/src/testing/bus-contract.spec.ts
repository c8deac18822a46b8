import { createMemoryBus } from '../memory/memory-bus.js';
import {
  type BusSubscription,
  type MessageBus,
  type MessageHandler,
  type OutgoingMessage,
  type ReceivedMessage,
  type SubscribeOptions,
} from '../message-bus.js';
import { busContractCases, runBusContractCase } from './bus-contract.js';

/** The parts of a bus that a fake breaks; the rest works. */
type Faults = Partial<Pick<MessageBus, 'publish' | 'subscribe' | 'checkHealth' | 'close'>>;

/** A bus that works but for `faults`, which get the working one. */
function broken(faults: (sound: MessageBus) => Faults): () => MessageBus {
  return () => {
    const sound = createMemoryBus({ redelivery: { baseMs: 1, maxMs: 5 } });
    return {
      publish: (topic, message, options) => sound.publish(topic, message, options),
      subscribe: (options, handler) => sound.subscribe(options, handler),
      checkHealth: (timeoutMs) => sound.checkHealth(timeoutMs),
      close: (timeoutMs) => sound.close(timeoutMs),
      ...faults(sound),
    };
  };
}

const changingMessages = (change: (message: ReceivedMessage) => ReceivedMessage): (() => MessageBus) =>
  broken((sound) => ({
    subscribe: (options, handler) => sound.subscribe(options, (message) => handler(change(message))),
  }));

const changingHandlers = (change: (handler: MessageHandler) => MessageHandler): (() => MessageBus) =>
  broken((sound) => ({ subscribe: (options, handler) => sound.subscribe(options, change(handler)) }));

const changingOptions = (change: (options: SubscribeOptions) => SubscribeOptions): (() => MessageBus) =>
  broken((sound) => ({ subscribe: (options, handler) => sound.subscribe(change(options), handler) }));

const changingPublishes = (change: (message: OutgoingMessage) => OutgoingMessage): (() => MessageBus) =>
  broken((sound) => ({
    publish: (topic, message, options) => sound.publish(topic, change(message), options),
  }));

/** Messages that are published first come last, until eight are together. */
function reversing(sound: MessageBus): Faults {
  const held: (() => void)[] = [];
  return {
    publish: (topic, message, options) =>
      new Promise((resolve, reject) => {
        held.unshift(() => {
          sound.publish(topic, message, options).then(resolve, reject);
        });
        if (held.length === 8) for (const release of held.splice(0)) release();
        else setImmediate(() => held.splice(0).forEach((release) => release()));
      }),
  };
}

let unique = 0;

const brokenBuses: readonly [fault: string, createBus: () => MessageBus, failedCase: string][] = [
  [
    'spoils bytes',
    changingMessages((message) => ({ ...message, data: Buffer.from(Buffer.from(message.data).toString()) })),
    'delivers body, attributes and ordering key as they were published',
  ],
  [
    'loses an attribute',
    changingMessages(({ attributes: { emoji: _emoji, ...attributes }, ...rest }) => ({
      ...rest,
      attributes,
    })),
    'delivers body, attributes and ordering key as they were published',
  ],
  [
    'takes text for Latin-1',
    changingMessages((message) => ({
      ...message,
      data: Buffer.from(Buffer.from(message.data).toString('latin1')),
    })),
    'delivers unicode text, a body without attributes and attributes without a body',
  ],
  [
    'gives every message one id',
    broken((sound) => ({ publish: (topic, message) => sound.publish(topic, message).then(() => '1') })),
    'gives each message an id of its own',
  ],
  [
    'refuses topics without a subscription',
    broken(() => ({ publish: () => Promise.reject(new Error('no subscription')) })),
    'takes a message to a topic that nobody has subscribed to',
  ],
  [
    'takes any message',
    broken(() => ({ publish: () => Promise.resolve('1') })),
    'refuses a message that breaks a limit',
  ],
  [
    'takes any name',
    broken(() => ({ publish: () => Promise.resolve('1') })),
    'refuses names that no topic or subscription can have',
  ],
  [
    'ignores the signal',
    broken((sound) => ({ publish: (topic, message) => sound.publish(topic, message) })),
    'does not publish when the signal is aborted already',
  ],
  ['mixes the order up', broken(reversing), 'calls handlers in the order of publishing per ordering key'],
  [
    'has one subscription only',
    changingOptions((options) => ({ ...options, subscription: `only-${options.topic}` })),
    'gives every subscription of a topic each message, and other topics none',
  ],
  [
    'gives each subscriber all messages',
    changingOptions((options) => ({ ...options, subscription: `${options.subscription}-${++unique}` })),
    'shares the messages of a subscription among its subscribers',
  ],
  [
    'ignores maxInFlight',
    changingOptions(({ maxInFlight: _bound, ...options }) => options),
    'has no more than maxInFlight messages with the handler at once',
  ],
  [
    'hands out one message at a time',
    changingOptions((options) => ({ ...options, maxInFlight: 1 })),
    'has no more than maxInFlight messages with the handler at once',
  ],
  [
    'shows late subscribers what was before',
    broken((sound) => {
      const published: { topic: string; message: OutgoingMessage }[] = [];
      return {
        publish: (topic, message) => {
          published.push({ topic, message });
          return sound.publish(topic, message);
        },
        subscribe: async (options, handler) => {
          const subscription = await sound.subscribe(options, handler);
          const before = published.filter(({ topic }) => topic === options.topic);
          for (const { topic, message } of before) await sound.publish(topic, message);
          return subscription;
        },
      };
    }),
    'gives a subscription only what was published after it was made',
  ],
  [
    'forgets a subscription that nobody reads',
    changingOptions((options) => ({ ...options, expireAfterMs: 0 })),
    'keeps the messages of a subscription that nobody reads for its next subscriber',
  ],
  [
    'drops nacked messages',
    changingHandlers((handler) => (message) => handler(message).then(() => 'ack')),
    'delivers a nacked message again, with its id and a counted attempt',
  ],
  [
    'does not count attempts',
    changingMessages((message) => ({ ...message, attempt: 1 })),
    'delivers a nacked message again, with its id and a counted attempt',
  ],
  [
    'takes a failed handler for done',
    changingHandlers((handler) => async (message) => {
      try {
        return await handler(message);
      } catch {
        return 'ack';
      }
    }),
    'delivers again when the handler rejects or throws',
  ],
  [
    'stops at a nacked message',
    changingPublishes((message) => ({ ...message, orderingKey: 'one-for-all' })),
    'goes on with other messages while a nacked one waits',
  ],
  [
    'goes on with a key while its nacked message waits',
    changingPublishes(({ orderingKey: _key, ...message }) => message),
    'delivers a nacked message before later ones of its key, where the driver promises it',
  ],
  [
    'delivers acknowledged messages again',
    changingHandlers((handler) => (message) => handler(message).then(() => 'nack')),
    'does not deliver again what was acknowledged',
  ],
  [
    'closes without waiting for handlers',
    broken((sound) => ({
      subscribe: async (options, handler): Promise<BusSubscription> => {
        const subscription = await sound.subscribe(options, handler);
        return {
          close: () => {
            void subscription.close(0);
            return Promise.resolve();
          },
        };
      },
    })),
    'finishes what the handler has in hand before a subscription is closed',
  ],
  [
    'acknowledges when it hands out',
    changingHandlers((handler) => (message) => {
      void handler(message);
      return Promise.resolve('ack');
    }),
    'delivers to the next subscriber what a closed one had not acknowledged in time',
  ],
  [
    'fails when it is closed again',
    broken((sound) => {
      let closed = false;
      return {
        close: (timeoutMs) => {
          if (closed) return Promise.reject(new Error('closed already'));
          closed = true;
          return sound.close(timeoutMs);
        },
      };
    }),
    'closes a subscription and the bus more than once without harm',
  ],
  [
    'drops publishes when it is closed',
    broken((sound) => {
      let closed = false;
      return {
        publish: async (topic, message) => {
          await new Promise((resolve) => setImmediate(resolve));
          if (closed) throw new Error('closed');
          return sound.publish(topic, message);
        },
        close: (timeoutMs) => {
          closed = true;
          return sound.close(timeoutMs);
        },
      };
    }),
    'completes publishes under way when the bus is closed',
  ],
  [
    'works on after it was closed',
    broken(() => ({ close: () => Promise.resolve() })),
    'refuses work after it was closed',
  ],
  [
    'leaves subscriptions open',
    broken(() => ({ close: () => Promise.resolve() })),
    'closes subscriptions that are still open when the bus is closed',
  ],
  [
    'is never healthy',
    broken(() => ({ checkHealth: () => Promise.reject(new Error('down')) })),
    'is healthy while it answers',
  ],
];

describe('bus contract', () => {
  it.each(brokenBuses)('fails a bus that %s', async (_fault, createBus, failedCase) => {
    const contractCase = busContractCases.find(({ name }) => name === failedCase);
    if (contractCase === undefined) throw new Error(`there is no case "${failedCase}"`);
    const bus = createBus();
    const run = runBusContractCase(contractCase, () =>
      Promise.resolve({
        bus,
        patienceMs: 100,
        redeliversInOrder: true,
        dispose: () => bus.close(0).catch(() => undefined),
      }),
    );
    await expect(run).rejects.toThrow();
  });

  it('has a broken bus for each case', () => {
    const bitten = new Set(brokenBuses.map(([, , failedCase]) => failedCase));
    expect(busContractCases.map(({ name }) => name).filter((name) => !bitten.has(name))).toEqual([]);
  });
});
