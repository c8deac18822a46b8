import { type SyncEvent, SyncStore, type SyncSubscriber } from './sync-store.js';

function setUp(): { store: SyncStore; sid: string; seen: SyncEvent[]; subscriber: SyncSubscriber } {
  const store = new SyncStore(() => 0, 4);
  const { sid } = store.create('list', 'messages');
  const seen: SyncEvent[] = [];
  const subscriber = { identity: 'bot', deliver: (_object: unknown, event: SyncEvent) => seen.push(event) };
  return { store, sid, seen, subscriber };
}

describe('SyncStore', () => {
  it('numbers the events of each object by itself, and all of them together', () => {
    const { store, sid } = setUp();
    store.putItem(sid, 0, { text: 'a' });
    store.create('map', 'roster');
    store.putItem('roster', 'MB1', {});
    store.putItem(sid, 1, { text: 'b' });
    expect(store.find('messages')?.events.map(({ id, sequence }) => [id, sequence])).toEqual([
      [1, 1],
      [2, 3],
    ]);
  });

  it('replays what comes after the last known event, then delivers live', () => {
    const { store, sid, seen, subscriber } = setUp();
    store.putItem(sid, 0, {});
    store.putItem(sid, 1, {});
    expect(store.subscribe(sid, 1, subscriber).map(({ id }) => id)).toEqual([2]);
    store.putItem(sid, 2, {});
    expect(seen.map(({ id, item }) => [id, item.key])).toEqual([[3, 2]]);
  });

  it('tells additions, changes and removals apart', () => {
    const { store, sid, seen, subscriber } = setUp();
    store.subscribe(sid, 0, subscriber);
    store.putItem(sid, 0, { text: 'a' });
    store.putItem(sid, 0, { text: 'b' });
    store.removeItem(sid, 0);
    store.removeItem(sid, 0);
    expect(seen.map(({ change }) => change)).toEqual(['added', 'updated', 'removed']);
    expect(store.find(sid)).toMatchObject({ items: [], lastEventId: 3 });
  });

  it('keeps the newest events, and the newest items of a list', () => {
    const { store, sid, subscriber } = setUp();
    for (let key = 0; key < 7; key += 1) store.putItem(sid, key, {});
    expect(store.find(sid)).toMatchObject({
      lastEventId: 7,
      items: [{ key: 3 }, { key: 4 }, { key: 5 }, { key: 6 }],
    });
    expect(store.subscribe(sid, 1, subscriber).map(({ id }) => id)).toEqual([4, 5, 6, 7]);
  });

  it('keeps items sorted, whatever order they come in', () => {
    const { store } = setUp();
    store.create('map', 'roster');
    for (const key of ['c', 'a', 'b']) store.putItem('roster', key, {});
    expect(store.find('roster')?.items.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });

  it('stops delivering to whoever unsubscribes, is revoked, or whose object has gone', () => {
    const { store, sid, seen, subscriber } = setUp();
    store.subscribe(sid, 0, subscriber);
    store.revoke('messages', 'somebody else');
    store.putItem(sid, 0, {});
    store.unsubscribe(sid, subscriber);
    store.putItem(sid, 1, {});
    store.subscribe(sid, 2, subscriber);
    store.revoke('messages', 'bot');
    store.putItem(sid, 2, {});
    expect(seen.map(({ id }) => id)).toEqual([1]);
    store.remove('messages');
    expect(store.find(sid)).toBeUndefined();
  });
});
