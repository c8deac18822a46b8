import { createMemoryBus, isTopicKeeper, type MessageBus } from '@bitbrat/message-bus';
import { watchBus } from './watched-bus.js';

const text = (data: Uint8Array): string => Buffer.from(data).toString();

describe('watchBus', () => {
  it('sees what passes, and changes nothing', async () => {
    const seen: string[] = [];
    const bus = watchBus(createMemoryBus(), {
      published: (topic, data) => seen.push(`published ${topic} ${text(data)}`),
      received: (topic, data) => seen.push(`received ${topic} ${text(data)}`),
    });
    const got = new Promise<string>((resolve, reject) => {
      const take = bus.subscribe({ topic: 'things', subscription: 'reader' }, (message) => {
        resolve(text(message.data));
        return Promise.resolve('ack');
      });
      take.catch(reject);
    });
    await bus.publish('things', { data: Buffer.from('x'), attributes: {} });
    expect(await got).toBe('x');
    expect(seen).toEqual(['published things x', 'received things x']);
    await bus.checkHealth(1_000);
    await bus.close(1_000);
    await expect(bus.publish('things', { data: Buffer.from('y'), attributes: {} })).rejects.toMatchObject({
      code: 'CLOSED',
    });
  });

  it('keeps every other ability of its bus', () => {
    class Keeper {
      readonly #kept: string[] = [];
      keepTopic(topic: string): readonly string[] {
        this.#kept.push(topic);
        return this.#kept;
      }
    }
    const plain = createMemoryBus();
    const silent = { published: () => undefined, received: () => undefined };
    expect(isTopicKeeper(watchBus(plain, silent))).toBe(false);
    // A bus of a class with private fields, as the drivers are.
    const keeper = watchBus(Object.assign<Keeper, MessageBus>(new Keeper(), plain), silent);
    expect(isTopicKeeper(keeper)).toBe(true);
    expect(keeper.keepTopic('a')).toEqual(['a']);
  });
});
