import { silentLogger, sleep, systemClock } from '@bitbrat/foundation';
import { ManualClock } from '@bitbrat/foundation/testing';
import { createMemoryStore, type StateStore } from '@bitbrat/state-store';
import fc from 'fast-check';
import { placeOf } from './claim-slot.js';
import { DEAD_AFTER_MS } from './process-presence.js';
import { type Claim, SendClaims, type SendClaimsOptions } from './send-claims.js';

type Store = Pick<StateStore, 'get' | 'set' | 'delete' | 'compareAndSet'>;

let epochs = 0;
const claimsOf = (store: Store, clock = systemClock, options: Partial<SendClaimsOptions> = {}): SendClaims =>
  new SendClaims(store, clock, silentLogger, {
    instanceId: 'one',
    epoch: `epoch ${++epochs}`,
    isShared: false,
    ...options,
  });
const begin = (claims: SendClaims, key: string): Promise<Claim> => claims.begin(key, 1_000);
const mine = (earlier: 'none' | 'left' | 'died', deaths = 0): Claim => ({ kind: 'mine', earlier, deaths });

interface Counting extends Store {
  readonly calls: string[];
}

function counting(store: Store): Counting {
  const calls: string[] = [];
  return {
    calls,
    get: (key) => {
      calls.push('get');
      return store.get(key);
    },
    set: (key, value) => store.set(key, value),
    delete: (key) => store.delete(key),
    compareAndSet: (key, expected, value) => {
      calls.push('compareAndSet');
      return store.compareAndSet(key, expected, value);
    },
  };
}

describe('SendClaims', () => {
  it('lets a process try its own event again', async () => {
    const claims = claimsOf(createMemoryStore());
    expect([await begin(claims, 'e1'), await begin(claims, 'e1')]).toEqual([mine('none'), mine('none')]);
  });

  it('tells the next process how this one has left an event', async () => {
    const store = createMemoryStore();
    const before = claimsOf(store);
    for (const end of ['done', 'left', 'released'] as const) {
      await begin(before, end);
      await before.end(end, end);
    }
    await begin(before, 'killed while sending');
    const after = claimsOf(store);
    expect(await begin(after, 'done')).toEqual({ kind: 'done' });
    expect(await begin(after, 'left')).toEqual(mine('left'));
    expect(await begin(after, 'released')).toEqual(mine('none'));
    expect(await begin(after, 'never seen')).toEqual(mine('none'));
    expect(await begin(after, 'killed while sending')).toEqual(mine('died', 1));
  });

  it('counts processes that died with an event in hand, and not those that gave it back', async () => {
    const store = createMemoryStore();
    const seen: Claim[] = [];
    for (const end of [undefined, 'left', undefined, 'released', undefined] as const) {
      const claims = claimsOf(store);
      seen.push(await begin(claims, 'e1'));
      if (end !== undefined) await claims.end('e1', end);
    }
    seen.push(await begin(claimsOf(store), 'e1'));
    expect(seen).toEqual([
      mine('none'),
      mine('died', 1),
      mine('left', 1),
      mine('died', 2),
      mine('left', 2),
      mine('died', 3),
    ]);
  });

  it('gives an event to one process alone, however many ask at the same time', async () => {
    const store = createMemoryStore();
    const processes = Array.from({ length: 5 }, () => claimsOf(store, systemClock, { isShared: true }));
    const ids = Array.from({ length: 200 }, (_, i) => `e${i}`);
    const claims = await Promise.all(
      ids.map((id) => Promise.all(processes.map((process) => begin(process, id)))),
    );
    const owners = claims.map((row) => row.filter(({ kind }) => kind === 'mine').length);
    expect(owners).toEqual(ids.map(() => 1));
    expect(claims.flat().filter(({ kind }) => kind === 'held')).toHaveLength(200 * 4);
    for (const process of processes) process.stop();
  });

  it('takes an event over from a process that gives no sign of life, and not from one that does', async () => {
    const clock = new ManualClock();
    const store = createMemoryStore();
    const dead = claimsOf(store, new ManualClock(), { isShared: true });
    const alive = claimsOf(store, clock, { isShared: true });
    await begin(dead, 'of the dead');
    await begin(alive, 'of the living');
    const other = claimsOf(store, clock, { isShared: true });
    const look = async (key: string): Promise<Claim['kind']> => {
      const claim = await begin(other, key);
      if (claim.kind === 'held') await other.observe(claim.epoch);
      return claim.kind;
    };
    const seen: [number, string, string][] = [];
    for (let second = 0; second <= 30; second++) {
      seen.push([second, await look('of the dead'), await look('of the living')]);
      await clock.advance(1_000);
    }
    const takenAt = seen.find(([, kind]) => kind === 'mine')?.[0] ?? 0;
    expect(takenAt * 1_000).toBeGreaterThan(DEAD_AFTER_MS);
    expect(takenAt * 1_000).toBeLessThan(DEAD_AFTER_MS + 3_000);
    expect(new Set(seen.map(([, , kind]) => kind))).toEqual(new Set(['held']));
    for (const claims of [alive, other]) claims.stop();
  });

  it('takes a process for alive again that goes on after a standstill', async () => {
    const clock = new ManualClock();
    const itsClock = new ManualClock();
    const store = createMemoryStore();
    const paused = claimsOf(store, itsClock, { isShared: true });
    const other = claimsOf(store, clock, { isShared: true });
    await begin(paused, 'e1');
    let claim = await begin(other, 'e1');
    for (let second = 0; claim.kind === 'held' && second < 20; second++) {
      await other.observe(claim.epoch);
      await clock.advance(1_000);
      claim = await begin(other, 'e1');
    }
    expect(claim).toEqual(mine('died', 1));
    for (let second = 0; second < 60; second++) {
      await itsClock.advance(1_000);
      await clock.advance(1_000);
    }
    expect(await begin(paused, 'e2')).toEqual(mine('none'));
    expect(await paused.isMine('e2')).toBe(true);
    expect((await begin(other, 'e2')).kind).toBe('held');
    for (const claims of [paused, other]) claims.stop();
  });

  it('takes no process for dead that has each event in hand for a moment only', async () => {
    const clock = new ManualClock();
    const store = createMemoryStore();
    const busy = claimsOf(store, clock, { isShared: true });
    const other = claimsOf(store, clock, { isShared: true });
    for (let second = 0; second < 40; second++) {
      const key = `e${second}`;
      await begin(busy, key);
      const claim = await begin(other, key);
      expect(claim.kind).toBe('held');
      if (claim.kind === 'held') await other.observe(claim.epoch);
      await clock.advance(100);
      await busy.end(key, 'done');
      await clock.advance(900);
    }
    for (const claims of [busy, other]) claims.stop();
  });

  it('does not take a process for dead because the store was away', async () => {
    const clock = new ManualClock();
    const memory = createMemoryStore();
    const holder = claimsOf(memory, new ManualClock(), { isShared: true });
    await begin(holder, 'e1');
    let isAway = false;
    const store: Store = {
      ...counting(memory),
      get: (key) => (isAway ? Promise.reject(new Error('away')) : memory.get(key)),
    };
    const other = claimsOf(store, clock, { isShared: true });
    for (let second = 0; second < 22; second++) {
      isAway = second >= 5 && second < 12;
      const claim = await begin(other, 'e1');
      if (!isAway) expect(claim.kind).toBe('held');
      if (claim.kind === 'held') await other.observe(claim.epoch);
      await clock.advance(1_000);
    }
  });

  it('notices after a standstill that another process has taken its event over', async () => {
    const clock = new ManualClock();
    const store = createMemoryStore();
    const stopped = claimsOf(store, clock, { isShared: true });
    await begin(stopped, 'taken');
    await begin(stopped, 'still here');
    expect(await stopped.isMine('taken')).toBe(true);
    const other = claimsOf(store, systemClock, { isShared: false });
    expect(await begin(other, 'taken')).toEqual(mine('died', 1));
    // Its timers do not run while it stands still: only its clock goes on.
    stopped.stop();
    await clock.advance(60_000);
    expect(await stopped.isMine('taken')).toBe(false);
    expect(await stopped.isMine('still here')).toBe(true);
  });

  it('forgets no event of late, though hundreds come after it', async () => {
    const store = createMemoryStore();
    const before = claimsOf(store);
    const ids = Array.from({ length: 500 }, (_, i) => `e${i}`);
    await Promise.all(
      ids.map(async (id) => {
        await begin(before, id);
        await before.end(id, 'done');
      }),
    );
    const after = claimsOf(store);
    const kinds = (await Promise.all(ids.map((id) => begin(after, id)))).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['done']));
  });

  it('needs two writes for an event, and a read only for the first of its slot', async () => {
    const store = counting(createMemoryStore());
    const claims = claimsOf(store);
    await begin(claims, 'e1');
    await claims.end('e1', 'done');
    expect(store.calls).toEqual(['get', 'compareAndSet', 'compareAndSet']);
    const sameSlot = Array.from({ length: 5_000 }, (_, i) => `x${i}`).find(
      (id) => placeOf(id).slot === placeOf('e1').slot,
    );
    await begin(claims, sameSlot ?? '');
    expect(store.calls).toHaveLength(4);
  });

  it('lets slots not wait for each other, and shares a write among those that wait for the same', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `e${i}`);
    const memory = createMemoryStore();
    const under = { now: 0, most: 0 };
    const slow: Store = {
      ...counting(memory),
      compareAndSet: async (key, expected, value) => {
        under.now += 1;
        under.most = Math.max(under.most, under.now);
        await new Promise((resolve) => setImmediate(resolve));
        under.now -= 1;
        return memory.compareAndSet(key, expected, value);
      },
    };
    const store = counting(slow);
    const claims = claimsOf(store);
    await Promise.all(ids.map((id) => begin(claims, id)));
    const slots = new Set(ids.map((id) => placeOf(id).slot)).size;
    expect(under.most).toBe(slots);
    expect(store.calls.filter((call) => call === 'compareAndSet')).toHaveLength(slots);
  });

  it.each(['started e1', '{}', '[["e1","started"]]', 'null', '{"done":[],"open":[["h","sold"]]}'])(
    'takes %j in the store for nothing',
    async (value) => {
      const store = createMemoryStore();
      await store.set(placeOf('e1').slot, value);
      expect(await begin(claimsOf(store), 'e1')).toEqual(mine('none'));
    },
  );

  it('tells any two ids apart', () => {
    const id = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.constantFrom('\ud800', '\ud801', '\ufffd'),
    );
    fc.assert(
      fc.property(id, id, (a, b) => {
        expect(placeOf(a).hash === placeOf(b).hash).toBe(a === b);
      }),
    );
  });

  it('says so where the store does not answer, in time or at all, and does without it when told to', async () => {
    for (const answer of [
      (): Promise<never> => Promise.reject(new Error('away')),
      (): Promise<never> => new Promise(() => undefined),
    ]) {
      const store = { get: answer, set: answer, delete: answer, compareAndSet: answer };
      const claims = claimsOf(store);
      expect(await claims.begin('e1', 20)).toEqual({ kind: 'unavailable' });
      claims.assume('e1');
      expect(await claims.isMine('e1')).toBe(true);
      void claims.end('e1', 'done');
      expect(await claims.begin('e1', 20)).toEqual({ kind: 'done' });
      claims.stop();
    }
  });

  it.each([
    ['answers', 0],
    ['answers after some seconds', 5_000],
    ['refuses for some seconds', -5_000],
  ])('keeps a known outcome before it resolves, where the store %s', async (_, awayMs) => {
    const clock = new ManualClock();
    const memory = createMemoryStore();
    const openAt = clock.monotonic() + Math.abs(awayMs);
    const store: Store = {
      ...memory,
      compareAndSet: async (key, expected, value) => {
        if (awayMs < 0 && clock.monotonic() < openAt) throw new Error('away');
        if (clock.monotonic() < openAt) await sleep(clock, openAt - clock.monotonic());
        return memory.compareAndSet(key, expected, value);
      },
    };
    const before = claimsOf(store, clock);
    before.assume('e1');
    let isKept = false;
    void before.settling('e1', 'the outcome', new AbortController().signal).then(() => (isKept = true));
    await clock.advance(Math.max(0, Math.abs(awayMs) - 100));
    expect(isKept).toBe(awayMs === 0);
    await clock.advance(2_000);
    expect(isKept).toBe(true);
    expect(await begin(claimsOf(memory), 'e1')).toEqual({ kind: 'settled', settlement: 'the outcome' });
    before.stop();
  });

  it('does not take back an outcome that another process has settled since', async () => {
    const store = createMemoryStore();
    const before = claimsOf(store);
    await begin(before, 'e1');
    const after = claimsOf(store);
    await begin(after, 'e1');
    await after.settling('e1', 'the outcome', new AbortController().signal);
    await before.settling('e1', 'another outcome', new AbortController().signal);
    expect(await begin(claimsOf(store), 'e1')).toEqual({ kind: 'settled', settlement: 'the outcome' });
  });

  it('writes what the store has not taken as soon as it answers again', async () => {
    jest.useFakeTimers();
    const store = createMemoryStore();
    let isAway = true;
    const flaky: Store = {
      ...counting(store),
      compareAndSet: (key, expected, value) =>
        isAway ? Promise.reject(new Error('away')) : store.compareAndSet(key, expected, value),
    };
    const claims = claimsOf(flaky);
    await begin(claims, 'e1');
    claims.assume('e1');
    claims.assume('e2');
    await claims.end('e2', 'done');
    await jest.advanceTimersByTimeAsync(3_000);
    isAway = false;
    await jest.advanceTimersByTimeAsync(1_000);
    const after = claimsOf(store);
    expect(await begin(after, 'e1')).toEqual(mine('died', 1));
    expect(await begin(after, 'e2')).toEqual({ kind: 'done' });
    claims.stop();
    jest.useRealTimers();
  });
});
