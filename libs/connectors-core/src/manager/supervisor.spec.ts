import { ManualClock } from '@bitbrat/foundation/testing';
import {
  ConnectorError,
  ConnectorRecord,
  type ConnectorHost,
  type ConnectorState,
  type IConnector,
  Supervisor,
  type SupervisionPolicy,
} from '../index.js';

type Step = 'connect' | ConnectorError;

const MINUTE_MS = 60_000;
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const definite = new ConnectorError('AUTH_FAILED', 'refused', { nativeCode: '401' });
const unlisted = new ConnectorError('UPSTREAM_UNAVAILABLE', 'HTTP 418', { unlisted: true });
const transient = new ConnectorError('UPSTREAM_UNAVAILABLE', 'down');

/** A supervised connector whose starts go as `steps` says; the last one repeats. */
class World {
  readonly clock = new ManualClock();
  readonly states: ConnectorState[] = [];
  /** When it was started, in milliseconds since the first start. */
  readonly starts: number[] = [];
  readonly supervisor: Supervisor;
  record: ConnectorRecord | undefined;

  constructor(
    private readonly steps: readonly Step[],
    supervision?: Partial<SupervisionPolicy>,
    policy?: Partial<SupervisionPolicy>,
  ) {
    const startedAt = this.clock.monotonic();
    const create = (host: ConnectorHost): IConnector => {
      const record = new ConnectorRecord('one', host);
      this.record = record;
      return {
        name: 'one',
        capabilities: Object.freeze({
          text: { maxLength: 10, unit: 'utf16', multiline: true },
          attachments: { inbound: false, maxOutbound: 0 },
          directMessages: false,
          replies: false,
          receipts: false,
          edits: false,
          formatting: 'none',
          duplicateProtection: 'none',
        } as const),
        ...(supervision === undefined ? {} : { supervision }),
        start: () => {
          this.starts.push(this.clock.monotonic() - startedAt);
          const step = this.steps[Math.min(this.starts.length, this.steps.length) - 1];
          if (step instanceof ConnectorError) return Promise.reject(step);
          record.connected();
          return Promise.resolve();
        },
        stop: () => Promise.resolve(),
        sendText: () => Promise.reject(new Error('not here')),
        getSnapshot: () => record.snapshot({}),
      };
    };
    this.supervisor = new Supervisor(create, {
      host: {
        publish: () => Promise.resolve(),
        cursors: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
        clock: this.clock,
        logger: silent,
        egressTopic: 'egress',
      },
      clock: this.clock,
      logger: silent,
      random: () => 0,
      inScope: (_life, work) => work(),
      ...(policy === undefined ? {} : { policy }),
      onStateChanged: (state) => {
        this.states.push(state);
        return Promise.resolve(true);
      },
    });
  }

  get state(): ConnectorState {
    return this.supervisor.state;
  }

  /** Milliseconds from now to the next attempt that the state announces. */
  get announcedMs(): number | undefined {
    const { state } = this;
    if (!('nextAttemptAt' in state)) return undefined;
    return Date.parse(state.nextAttemptAt) - this.clock.now();
  }
}

describe('Supervisor', () => {
  it.each([
    ['definite', definite],
    ['unlisted', unlisted],
  ])('tries again slowly after a %s error at each start, for ever, and says when', async (_, error) => {
    const world = new World([error]);
    await world.supervisor.start();
    for (const minutes of [1, 2, 4, 8, 15, 15]) {
      const tries = world.starts.length;
      expect(world.state).toMatchObject({ status: 'failed', error: { code: error.code }, hint: error.hint });
      expect(world.announcedMs).toBe(minutes * MINUTE_MS);
      await world.clock.advance(minutes * MINUTE_MS - 1);
      expect(world.starts).toHaveLength(tries);
      await world.clock.advance(1);
      expect(world.starts).toHaveLength(tries + 1);
    }
    await world.supervisor.stop();
    expect([world.state.status, world.clock.pendingTimers]).toEqual(['stopped', 0]);
  });

  it.each([
    ['definite', definite],
    ['unlisted', unlisted],
  ])('learns from the connector that a %s error has ended its connection', async (_, error) => {
    const world = new World(['connect']);
    await world.supervisor.start();
    world.record?.failed(error);
    await world.clock.advance(0);
    expect(world.state).toMatchObject({ status: 'failed', error: { code: error.code } });
    await world.clock.advance(MINUTE_MS);
    expect(world.state.status).toBe('connected');
    expect(world.state).not.toHaveProperty('nextAttemptAt');
    await world.supervisor.stop();
  });

  it('waits as long as a reported failure asks for, whatever its class', async () => {
    for (const options of [{}, { unlisted: true }]) {
      const world = new World(['connect']);
      await world.supervisor.start();
      world.record?.failed(
        new ConnectorError('RATE_LIMITED', 'wait', { ...options, retryAfterMs: 10 * MINUTE_MS }),
      );
      await world.clock.advance(0);
      expect(world.announcedMs).toBe(10 * MINUTE_MS);
      await world.clock.advance(10 * MINUTE_MS - 1);
      expect(world.starts).toHaveLength(1);
      await world.supervisor.stop();
    }
  });

  it.each([Number.POSITIVE_INFINITY, 1e300, 2 ** 31, Number.NaN, -1])(
    'announces a time and goes on whatever number the platform asks to wait: %d',
    async (retryAfterMs) => {
      const world = new World([new ConnectorError('AUTH_FAILED', 'refused', { retryAfterMs }), 'connect']);
      await world.supervisor.start();
      expect(world.announcedMs).toBeGreaterThanOrEqual(MINUTE_MS);
      await world.clock.advance(24 * 60 * MINUTE_MS);
      expect(world.state.status).toBe('connected');
      await world.supervisor.stop();
    },
  );

  it('announces the next attempt while it is reconnecting, too', async () => {
    const world = new World([new ConnectorError('RATE_LIMITED', 'wait', { retryAfterMs: 5_000 }), 'connect']);
    await world.supervisor.start();
    expect(world.state).toMatchObject({ status: 'reconnecting', attempt: 1 });
    expect(world.announcedMs).toBe(5_000);
    await world.supervisor.stop();
  });

  it.each(['start', 'restart'])('ends a slow wait at once when an operator asks for a %s', async (how) => {
    const world = new World([definite, definite, 'connect']);
    await world.supervisor.start();
    for (const status of ['failed', 'connected']) {
      if (how === 'restart') await world.supervisor.stop();
      await world.supervisor.start();
      expect(world.state.status).toBe(status);
    }
    expect(world.starts).toEqual([0, 0, 0]);
    await world.supervisor.start();
    expect(world.starts).toHaveLength(3);
    await world.supervisor.stop();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('resets the slow back-off after a connection that lasted', async () => {
    const world = new World([definite, definite, 'connect']);
    await world.supervisor.start();
    await world.clock.advance(3 * MINUTE_MS);
    expect(world.state.status).toBe('connected');
    await world.clock.advance(MINUTE_MS);
    world.record?.failed(definite);
    await world.clock.advance(0);
    expect(world.announcedMs).toBe(MINUTE_MS);
    await world.supervisor.stop();
  });

  it('resets on connecting where the policy says so, and keeps starts apart', async () => {
    const world = new World([transient, transient, transient, 'connect'], {
      stableAfterMs: 0,
      minStartIntervalMs: 1_500,
      backoff: { baseMs: 1, maxMs: 1 },
    });
    await world.supervisor.start();
    await world.clock.advance(4_500);
    expect(world.starts).toEqual([0, 1_500, 3_000, 4_500]);
    for (let drop = 1; drop <= 3; drop += 1) {
      await world.clock.advance(100);
      world.record?.failed(transient);
      await world.clock.advance(0);
      expect(world.state).toMatchObject({ status: 'reconnecting', attempt: 1 });
      expect(world.announcedMs).toBe(1_400);
      await world.clock.advance(1_400);
      expect(world.state.status).toBe('connected');
    }
    await world.supervisor.stop();
    void world.supervisor.start();
    await world.clock.advance(1_499);
    expect(world.starts).toHaveLength(7);
    await world.clock.advance(1);
    expect(world.starts).toHaveLength(8);
    await world.supervisor.stop();
  });

  it('backs off from exceptions that escape after each connect, whatever the policy says', async () => {
    const world = new World(['connect'], { stableAfterMs: 0 });
    await world.supervisor.start();
    for (const attempt of [1, 2, 3]) {
      world.supervisor.fail(transient);
      await world.clock.advance(0);
      expect(world.states.at(-2)).toMatchObject({ status: 'reconnecting', attempt });
    }
    await world.supervisor.stop();
  });

  it('leaves nothing behind at the signal that lasts as long as the service', async () => {
    const added = jest.spyOn(EventTarget.prototype, 'addEventListener');
    const removed = jest.spyOn(EventTarget.prototype, 'removeEventListener');
    const world = new World(['connect'], { stableAfterMs: 0 });
    await world.supervisor.start();
    for (let lives = 1; lives <= 30; lives += 1) {
      world.record?.failed(transient);
      await world.clock.advance(0);
    }
    expect(world.starts.length).toBe(31);
    // One for the life that lasts.
    expect(added.mock.calls.length - removed.mock.calls.length).toBe(1);
    await world.supervisor.stop();
    jest.restoreAllMocks();
  });

  it('lets the service outrank the policy of the connector', async () => {
    const world = new World(
      [definite],
      { slowBackoff: { baseMs: MINUTE_MS, maxMs: MINUTE_MS } },
      { slowBackoff: { baseMs: 7, maxMs: 7 } },
    );
    await world.supervisor.start();
    expect(world.announcedMs).toBe(7);
    await world.supervisor.stop();
  });
});
