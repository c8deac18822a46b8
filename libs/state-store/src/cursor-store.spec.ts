import { createCursorStore } from './cursor-store.js';
import { createMemoryStore } from './memory/memory-store.js';

describe('createCursorStore', () => {
  it('keeps the cursors of connectors apart', async () => {
    const store = createMemoryStore();
    const [discord, twitch] = [createCursorStore(store, 'discord'), createCursorStore(store, 'twitch')];
    await discord.save('channel:1', '111');
    await twitch.save('channel:1', '222');
    expect(await discord.load('channel:1')).toBe('111');
    expect(await twitch.load('channel:1')).toBe('222');
    expect(await discord.load('channel:2')).toBeUndefined();
    expect(await store.get('discord/channel:1')).toBe('111');
  });
});
