import { EventEmitter } from 'node:events';
import { type ConnectorScope, ConnectorScopes } from '../index.js';

const one: ConnectorScope = { connector: 'one', life: 1 };

describe('ConnectorScopes', () => {
  const scopes = new ConnectorScopes();
  const seen = (): string | undefined => scopes.current?.connector;

  it.each<[string, (look: () => void) => void]>([
    ['a timer', (look) => setTimeout(look, 1)],
    ['an immediate', (look) => setImmediate(look)],
    ['a promise', (look) => void Promise.resolve().then(look)],
    ['process.nextTick', (look) => process.nextTick(look)],
    [
      'a listener that is called there',
      (look) => {
        const emitter = new EventEmitter().on('x', look);
        setTimeout(() => emitter.emit('x'), 1);
      },
    ],
  ])('is known in %s that was made in it, and nowhere else', async (_, make) => {
    const inside = new Promise<string | undefined>((resolve) => {
      scopes.run(one, () => {
        make(() => {
          resolve(seen());
        });
      });
    });
    const outside = new Promise<string | undefined>((resolve) => {
      make(() => {
        resolve(seen());
      });
    });
    expect([await inside, await outside, seen()]).toEqual(['one', undefined, undefined]);
  });

  it('is left for what the service does, and is there again afterwards', async () => {
    await scopes.run(one, async () => {
      const during = await scopes.outside(() => Promise.resolve(seen()));
      expect([during, seen()]).toEqual([undefined, 'one']);
    });
  });

  it('settles a call as its work does, synchronous exceptions included', async () => {
    await expect(scopes.call(one, () => Promise.resolve(7))).resolves.toBe(7);
    await expect(scopes.call(one, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const broken = (): Promise<never> => {
      throw new Error('at once');
    };
    await expect(scopes.call(one, broken)).rejects.toThrow('at once');
  });

  it('fails a call from outside while it is open, and knows when it is not', async () => {
    let scope: ConnectorScope | undefined;
    const never = scopes.call(one, () => {
      scope = scopes.current;
      return new Promise(() => undefined);
    });
    expect(scope?.call?.isOpen()).toBe(true);
    scope?.call?.fail(new Error('escaped'));
    await expect(never).rejects.toThrow('escaped');
    await scopes.call(one, () => {
      scope = scopes.current;
      return Promise.resolve();
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(scope?.call?.isOpen()).toBe(false);
  });
});
