import { type Logger, systemClock } from '@bitbrat/connectors-core';
import { createMemoryStore } from '@bitbrat/state-store';
import { SendClaims } from './send-claims.js';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('SendClaims', () => {
  it('lets a process try its own event again', async () => {
    const claims = new SendClaims(createMemoryStore(), systemClock, silent);
    expect([await claims.begin('e1'), await claims.begin('e1')]).toEqual(['none', 'none']);
  });

  it('tells the next process what this one has left', async () => {
    const store = createMemoryStore();
    const before = new SendClaims(store, systemClock, silent);
    await before.begin('killed while sending');
    await before.begin('sent');
    await before.end('sent');
    await before.begin('given back');
    await before.release('given back');
    const after = new SendClaims(store, systemClock, silent);
    expect(await after.begin('killed while sending')).toBe('unknown');
    expect(await after.begin('sent')).toBe('done');
    expect(await after.begin('given back')).toBe('none');
    expect(await after.begin('never seen')).toBe('none');
  });

  it('forgets no event of late, though hundreds come after it', async () => {
    const store = createMemoryStore();
    const before = new SendClaims(store, systemClock, silent);
    const ids = Array.from({ length: 500 }, (_, i) => `e${i}`);
    await Promise.all(
      ids.map(async (id) => {
        await before.begin(id);
        await before.end(id);
      }),
    );
    const after = new SendClaims(store, systemClock, silent);
    expect(new Set(await Promise.all(ids.map((id) => after.begin(id))))).toEqual(new Set(['done']));
  });

  it('reads the store once a message', async () => {
    const store = createMemoryStore();
    let reads = 0;
    const counting = {
      get: (key: string) => {
        reads += 1;
        return store.get(key);
      },
      compareAndSet: store.compareAndSet.bind(store),
    };
    const claims = new SendClaims(counting, systemClock, silent);
    await claims.begin('e1');
    await claims.end('e1');
    expect(reads).toBe(1);
    expect(await new SendClaims(store, systemClock, silent).begin('e1')).toBe('done');
  });

  it('leaves what another process has written meanwhile', async () => {
    const store = createMemoryStore();
    const one = new SendClaims(store, systemClock, silent);
    const other = new SendClaims(store, systemClock, silent);
    const ids = Array.from({ length: 200 }, (_, i) => `e${i}`);
    await Promise.all(ids.map((id, i) => (i % 2 === 0 ? one : other).begin(id)));
    const after = new SendClaims(store, systemClock, silent);
    expect(new Set(await Promise.all(ids.map((id) => after.begin(id))))).toEqual(new Set(['unknown']));
  });

  it.each(['started e1', '{}', '[["e1","sold"]]'])('takes %j in the store for nothing', async (value) => {
    const claims = new SendClaims(
      { get: () => Promise.resolve(value), compareAndSet: () => Promise.resolve(true) },
      systemClock,
      silent,
    );
    expect(await claims.begin('e1')).toBe('none');
  });

  it('says so where the store does not answer, and does without it when told to', async () => {
    const refuse = (): Promise<never> => Promise.reject(new Error('away'));
    const claims = new SendClaims({ get: refuse, compareAndSet: refuse }, systemClock, silent);
    expect(await claims.begin('e1')).toBe('unavailable');
    await claims.claim('e1');
    expect(await claims.begin('e1')).toBe('none');
    await claims.end('e1');
    await claims.release('e1');
    claims.stop();
  });

  it('writes what the store has not taken as soon as it answers again', async () => {
    jest.useFakeTimers();
    const store = createMemoryStore();
    let away = true;
    const flaky = {
      get: (key: string) => store.get(key),
      compareAndSet: (key: string, expected: string | undefined, value: string) =>
        away ? Promise.reject(new Error('away')) : store.compareAndSet(key, expected, value),
    };
    const claims = new SendClaims(flaky, systemClock, silent);
    await claims.begin('e1');
    await jest.advanceTimersByTimeAsync(3_000);
    expect(await new SendClaims(store, systemClock, silent).begin('other')).toBe('none');
    away = false;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await new SendClaims(store, systemClock, silent).begin('e1')).toBe('unknown');
    claims.stop();
    jest.useRealTimers();
  });
});
