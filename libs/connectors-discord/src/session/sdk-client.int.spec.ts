import { LimitedCollection, Message } from 'discord.js';
import * as sdk from './sdk.js';
import { smallCaches } from './sdk-client.js';

type MakeCache = (manager: unknown, held: unknown, base: unknown) => unknown;

describe('smallCaches', () => {
  const names = [sdk.MessageManager, sdk.UserManager].map((manager) => [manager, manager.name] as const);
  const rename = (manager: object, value: string): void => {
    Object.defineProperty(manager, 'name', { value, configurable: true });
  };
  afterEach(() => {
    for (const [manager, name] of names) rename(manager, name);
  });

  it.each(['', '_'])('holds whatever a bundler calls the classes: "%sMessageManager"', (prefix) => {
    for (const [manager, name] of names) rename(manager, `${prefix}${name}`);
    const makeCache = smallCaches(sdk) as unknown as MakeCache; // its own type knows the classes by the names that are changed here
    const limits = [
      makeCache(sdk.MessageManager, Message, sdk.MessageManager),
      makeCache(sdk.UserManager, Message, sdk.UserManager),
    ].map((cache) => (cache instanceof LimitedCollection ? cache.maxSize : Infinity));
    expect(limits).toEqual([0, 200]);
  });
});
