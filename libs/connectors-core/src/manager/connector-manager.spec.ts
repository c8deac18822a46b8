import { type IngressEnvelope } from '@bitbrat/envelope';
import { type Logger, systemClock } from '@bitbrat/foundation';
import {
  ConnectorError,
  ConnectorManager,
  type ConnectorFactory,
  type ConnectorHost,
  type ConnectorSnapshot,
  type ConnectorState,
  type DeliveryReceipt,
  type IConnector,
  type RejectionHandler,
} from '../index.js';

/** A connector whose starts go as the script says, one entry a start; the last entry repeats. */
class ScriptedConnector implements IConnector, RejectionHandler {
  readonly capabilities = Object.freeze({
    text: { maxLength: 10, unit: 'utf16', multiline: true },
    attachments: { inbound: false, maxOutbound: 0 },
    directMessages: false,
    replies: false,
    receipts: false,
    edits: false,
    formatting: 'none',
    duplicateProtection: 'none',
  } as const);
  hasLeftovers = false;
  starts = 0;
  stops = 0;
  sent: string[] = [];

  constructor(
    readonly name: string,
    readonly host: ConnectorHost,
    private readonly script: readonly ('connect' | 'hang' | ConnectorError)[],
  ) {}

  async start(signal: AbortSignal): Promise<void> {
    const step = this.script[Math.min(this.starts, this.script.length - 1)] ?? 'connect';
    this.starts += 1;
    if (step === 'hang') {
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new ConnectorError('TIMEOUT', 'aborted'));
        });
      });
    }
    if (step instanceof ConnectorError) throw step;
    void this.host.stateChanged({ status: 'connected', since: 'then' });
  }

  stop(): Promise<void> {
    this.stops += 1;
    void this.host.stateChanged({ status: 'stopped', since: 'then' });
    return Promise.resolve();
  }

  sendText(text: string): Promise<{ platformMessageIds: string[]; duplicate: boolean }> {
    this.sent.push(text);
    return Promise.resolve({ platformMessageIds: [`id-${this.sent.length}`], duplicate: false });
  }

  claimRejection(reason: unknown): boolean {
    return reason instanceof Error && reason.message.startsWith(this.name);
  }

  isLeftover(): boolean {
    return this.hasLeftovers;
  }

  getSnapshot(): ConnectorSnapshot {
    return {
      name: this.name,
      state: { status: 'connected', since: 'then' },
      counters: { received: 0, ignored: 0, sent: this.sent.length, sendFailures: 0, reconnects: 0 },
      details: {},
    };
  }

  breakDown(code: 'UPSTREAM_UNAVAILABLE' | 'AUTH_FAILED'): void {
    void this.host.stateChanged({
      status: 'failed',
      since: 'then',
      error: { code, message: 'broken', retryable: code !== 'AUTH_FAILED' },
      hint: 'mend it',
    });
  }
}

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

interface World {
  readonly manager: ConnectorManager;
  readonly states: [string, ConnectorState['status']][];
  connector(name: string): ScriptedConnector;
}

function aWorld(
  scripts: Record<string, readonly ('connect' | 'hang' | ConnectorError)[]>,
  published: IngressEnvelope[] = [],
  receiptReceived?: (name: string, receipt: DeliveryReceipt) => Promise<void>,
): World {
  const connectors = new Map<string, ScriptedConnector>();
  const states: World['states'] = [];
  const registrations = Object.entries(scripts).map(([name, script]) => {
    const create: ConnectorFactory = (host) => {
      const connector = new ScriptedConnector(name, host, script);
      connectors.set(name, connector);
      return connector;
    };
    return { name, create };
  });
  const manager = new ConnectorManager(registrations, {
    publish: (envelope) => {
      published.push(envelope);
      return Promise.resolve();
    },
    ...(receiptReceived === undefined ? {} : { receiptReceived }),
    egressTopic: 'egress',
    cursorsFor: () => ({ load: () => Promise.resolve(undefined), save: () => Promise.resolve() }),
    clock: systemClock,
    logger: silent,
    random: () => 0.999_999,
    onStateChanged: (name, state) => {
      states.push([name, state.status]);
      return Promise.resolve(true);
    },
  });
  const connector = (name: string): ScriptedConnector => {
    const found = connectors.get(name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  return { manager, states, connector };
}

const unavailable = new ConnectorError('UPSTREAM_UNAVAILABLE', 'down');
const statusOf = ({ manager }: World, name: string): string | undefined => manager.getStates()[name]?.status;

describe('ConnectorManager', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('starts all side by side, and one that hangs holds up no other', async () => {
    const world = aWorld({ one: ['hang'], two: ['connect'] });
    void world.manager.startAll();
    await jest.advanceTimersByTimeAsync(0);
    expect(statusOf(world, 'one')).toBe('starting');
    expect(statusOf(world, 'two')).toBe('connected');
    await world.manager.stopAll(1_000);
    expect([statusOf(world, 'one'), statusOf(world, 'two')]).toEqual(['stopped', 'stopped']);
  });

  it('hands on delivery receipts with the name of the connector, to services that want them', async () => {
    const receipts: [string, DeliveryReceipt][] = [];
    const take = (name: string, receipt: DeliveryReceipt): Promise<void> => {
      receipts.push([name, receipt]);
      return Promise.resolve();
    };
    const receipt: DeliveryReceipt = {
      eventId: 'e1',
      part: 1,
      parts: 1,
      destination: 'c1',
      platformMessageId: 'm1',
      status: 'read',
      occurredAt: '2026-01-01T00:00:00Z',
    };
    await aWorld({ one: ['connect'] }, [], take)
      .connector('one')
      .host.receiptReceived?.(receipt);
    expect(receipts).toEqual([['one', receipt]]);
    expect(aWorld({ one: ['connect'] }).connector('one').host).not.toHaveProperty('receiptReceived');
  });

  it('tries again with growing waits while the error is retryable', async () => {
    const world = aWorld({ one: [unavailable, unavailable, 'connect'] });
    await world.manager.startAll();
    expect(statusOf(world, 'one')).toBe('reconnecting');
    await jest.advanceTimersByTimeAsync(998);
    expect(world.connector('one').starts).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(world.connector('one').starts).toBe(2);
    await jest.advanceTimersByTimeAsync(1_998);
    expect(world.connector('one').starts).toBe(2);
    await jest.advanceTimersByTimeAsync(1);
    expect(statusOf(world, 'one')).toBe('connected');
    await world.manager.stopAll(1_000);
  });

  it('waits as long as the platform asks for', async () => {
    const asked = new ConnectorError('RATE_LIMITED', 'slow down', { retryAfterMs: 30_000 });
    const world = aWorld({ one: [asked, 'connect'] });
    await world.manager.startAll();
    await jest.advanceTimersByTimeAsync(29_999);
    expect(world.connector('one').starts).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(world.connector('one').starts).toBe(2);
    await world.manager.stopAll(1_000);
  });

  it('says why a connector has failed, and starts it at once when asked to', async () => {
    const world = aWorld({ one: [new ConnectorError('AUTH_FAILED', 'wrong key'), 'connect'] });
    await world.manager.startAll();
    await jest.advanceTimersByTimeAsync(59_999);
    expect(world.connector('one').starts).toBe(1);
    expect(world.manager.getStates()['one']).toMatchObject({
      status: 'failed',
      error: { code: 'AUTH_FAILED', message: 'wrong key', retryable: false },
      hint: expect.stringContaining('credentials') as string,
      nextAttemptAt: expect.any(String) as string,
    });
    await world.manager.restart('one');
    expect(statusOf(world, 'one')).toBe('connected');
    await world.manager.stopAll(1_000);
  });

  it('starts a connector again that fails while it is connected', async () => {
    const world = aWorld({ one: ['connect'] });
    await world.manager.startAll();
    world.connector('one').breakDown('UPSTREAM_UNAVAILABLE');
    await jest.advanceTimersByTimeAsync(0);
    expect(statusOf(world, 'one')).toBe('reconnecting');
    expect(world.connector('one').stops).toBe(1);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(statusOf(world, 'one')).toBe('connected');
    world.connector('one').breakDown('AUTH_FAILED');
    await jest.advanceTimersByTimeAsync(0);
    expect(world.manager.getStates()['one']).toMatchObject({ status: 'failed', hint: 'mend it' });
    await world.manager.stopAll(1_000);
  });

  it('begins the back-off anew after a connection that held', async () => {
    const world = aWorld({ one: [unavailable, unavailable, unavailable, 'connect'] });
    await world.manager.startAll();
    await jest.advanceTimersByTimeAsync(8_000);
    expect(statusOf(world, 'one')).toBe('connected');
    await jest.advanceTimersByTimeAsync(60_000);
    world.connector('one').breakDown('UPSTREAM_UNAVAILABLE');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(world.connector('one').starts).toBe(5);
    await world.manager.stopAll(1_000);
  });

  it('gives up a start that hangs and tries again', async () => {
    const world = aWorld({ one: ['hang', 'connect'] });
    void world.manager.startAll();
    await jest.advanceTimersByTimeAsync(60_000 + 1_000);
    expect(statusOf(world, 'one')).toBe('connected');
    await world.manager.stopAll(1_000);
  });

  it('claims the rejection of an SDK for the connector it belongs to, and starts only that one again', async () => {
    const world = aWorld({ one: ['connect'], two: ['connect'] });
    await world.manager.startAll();
    expect(world.manager.claimFault(new Error('nobody knows'), 'unhandledRejection')).toBeUndefined();
    expect(world.manager.claimFault(new Error('two broke'), 'uncaughtException')).toBe('two');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(world.connector('one').starts).toBe(1);
    expect(world.connector('two').starts).toBe(2);
    await world.manager.stopAll(1_000);
  });

  it('claims what a client has left that the connector has put away, and starts nothing again', async () => {
    const world = aWorld({ one: ['connect'] });
    await world.manager.startAll();
    world.connector('one').hasLeftovers = true;
    expect(world.manager.claimFault(new Error('one broke'), 'unhandledRejection')).toBe('one');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(world.connector('one').starts).toBe(1);
    await world.manager.stopAll(1_000);
  });

  it('reports each change of state in order, and `stopped` only when it was told to stop', async () => {
    const world = aWorld({ one: [unavailable, 'connect'] });
    await world.manager.startAll();
    await jest.advanceTimersByTimeAsync(1_000);
    await world.manager.stop('one');
    expect(world.states.map(([, status]) => status)).toEqual([
      'starting',
      'reconnecting',
      'connected',
      'stopped',
    ]);
  });

  it('routes by exact name and names what is there when it is unknown', async () => {
    const world = aWorld({ one: ['connect'] });
    const options = { idempotencyKey: 'k', mayHaveBeenSent: false };
    await expect(world.manager.sendText('one', 'hi', 'there', options)).resolves.toEqual({
      platformMessageIds: ['id-1'],
      duplicate: false,
    });
    await expect(world.manager.sendText('On', 'hi', 'there', options)).rejects.toMatchObject({
      code: 'TARGET_NOT_FOUND',
      message: 'there is no connector named On (enabled: one)',
    });
    await expect(world.manager.restart('two')).rejects.toMatchObject({ code: 'TARGET_NOT_FOUND' });
  });

  it('ends within the deadline though a connector does not stop', async () => {
    const world = aWorld({ one: ['connect'] });
    await world.manager.startAll();
    jest.spyOn(world.connector('one'), 'stop').mockReturnValue(new Promise(() => undefined));
    const stopped = world.manager.stopAll(3_000);
    await jest.advanceTimersByTimeAsync(3_000);
    await expect(stopped).resolves.toBeUndefined();
  });

  it('refuses two connectors of one name and one that calls itself otherwise', () => {
    const create: ConnectorFactory = (host) => new ScriptedConnector('one', host, []);
    const services = {
      publish: () => Promise.resolve(),
      egressTopic: 'egress',
      cursorsFor: () => ({ load: () => Promise.resolve(undefined), save: () => Promise.resolve() }),
      clock: systemClock,
      logger: silent,
      random: Math.random,
      onStateChanged: () => Promise.resolve(true),
    };
    const row = { name: 'one', create };
    expect(() => new ConnectorManager([row, row], services)).toThrow('two connectors are named one');
    expect(() => new ConnectorManager([{ name: 'two', create }], services)).toThrow('calls itself one');
  });

  it('shows the supervisor’s state in snapshots', async () => {
    const world = aWorld({ one: [unavailable] });
    await world.manager.startAll();
    expect(world.manager.getSnapshot('one')?.state.status).toBe('reconnecting');
    expect(world.manager.getSnapshots()).toHaveLength(1);
    expect(world.manager.getSnapshot('two')).toBeUndefined();
    await world.manager.stopAll(1_000);
  });
});
