import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import {
  createMemoryStore,
  type StateStore,
  StateStoreError,
  type StateStoreErrorCode,
} from '@bitbrat/state-store';
import { StoreWatch } from './store-watch.js';

const CODES: readonly StateStoreErrorCode[] = [
  'UNAVAILABLE',
  'FORBIDDEN',
  'INVALID_CONFIG',
  'CORRUPT',
  'LOCKED',
];

describe('StoreWatch', () => {
  const clock = new ManualClock();
  let failing: Partial<Record<keyof StateStore, StateStoreErrorCode>>;
  let logger: RecordingLogger;
  let watch: StoreWatch;

  beforeEach(() => {
    failing = {};
    logger = new RecordingLogger();
    const sound = createMemoryStore();
    const faulty = <T>(call: keyof StateStore, work: () => Promise<T>): Promise<T> => {
      const code = failing[call];
      return code === undefined ? work() : Promise.reject(new StateStoreError(code, 'do this'));
    };
    const store: StateStore = {
      get: (key) => faulty('get', () => sound.get(key)),
      set: (key, value) => faulty('set', () => sound.set(key, value)),
      delete: (key) => faulty('delete', () => sound.delete(key)),
      compareAndSet: (key, expected, value) =>
        faulty('compareAndSet', () => sound.compareAndSet(key, expected, value)),
      checkHealth: (timeoutMs) => faulty('checkHealth', () => sound.checkHealth(timeoutMs)),
      close: (timeoutMs) => sound.close(timeoutMs),
    };
    watch = new StoreWatch(store, clock, logger);
  });
  afterEach(async () => {
    await watch.close(100);
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(CODES)('reports %s with the cure, and that it is over', async (code) => {
    failing.checkHealth = code;
    await watch.start();
    expect(watch.fault).toBe(`${code}: do this`);
    delete failing.checkHealth;
    await clock.advance(2_000);
    expect(watch.fault).toBeUndefined();
    failing.checkHealth = code;
    await clock.advance(10_000);
    expect(watch.fault).toBe(`${code}: do this`);
    const events = logger.entries.map(({ event }) => event);
    expect(events).toEqual(['service.store-fails', 'service.store-works', 'service.store-fails']);
  });

  it('is not well while writes are refused, although it answers', async () => {
    await watch.start();
    failing.set = 'FORBIDDEN';
    await expect(watch.set('k', 'v')).rejects.toThrow('do this');
    await clock.advance(30_000);
    expect(watch.fault).toBe('FORBIDDEN: do this');
    delete failing.set;
    await watch.set('k', 'v');
    expect(watch.fault).toBeUndefined();
  });

  it('takes a wrong call for no fault of the store', async () => {
    await watch.start();
    await expect(watch.set('', 'v')).rejects.toMatchObject({ code: 'INVALID_KEY' });
    expect(watch.fault).toBeUndefined();
  });
});
