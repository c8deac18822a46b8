import { ConnectorError } from '@bitbrat/connectors-core';
import { RecordingLogger } from '@bitbrat/connectors-testing';
import { ManualClock } from '@bitbrat/foundation/testing';
import { GatewayStanding } from './gateway-standing.js';

const OPEN_LIMIT_MS = 1_000;
const RECONNECT_LIMIT_MS = 300_000;

describe('GatewayStanding', () => {
  let clock: ManualClock;
  let told: string[];
  let logger: RecordingLogger;
  let standing: GatewayStanding;

  beforeEach(() => {
    clock = new ManualClock(0);
    told = [];
    logger = new RecordingLogger();
    const events = {
      onConnected: () => void told.push('connected'),
      onReconnecting: ({ message }: ConnectorError) => void told.push(message),
      onFailed: ({ code }: ConnectorError) => void told.push(code),
    };
    standing = new GatewayStanding({ clock, logger, events });
  });

  const open = (logIn = (): Promise<void> => Promise.resolve()): Promise<void> =>
    standing.open(logIn, OPEN_LIMIT_MS, new AbortController().signal);

  async function opened(): Promise<void> {
    const opening = open();
    standing.back();
    await opening;
  }

  it('is open when the session is there for the first time, and tells nobody', async () => {
    await opened();
    standing.back();
    expect([standing.isOpen, standing.isConnected, told]).toEqual([true, true, []]);
  });

  it('does not open for ever', async () => {
    const opening = expect(open()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await clock.advance(OPEN_LIMIT_MS);
    await opening;
  });

  it('does not open after a fault, or a refused login', async () => {
    const opening = expect(open()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    standing.fail(new ConnectorError('FORBIDDEN', 'not in the guild'));
    await opening;
    const refused = new ConnectorError('AUTH_FAILED', 'refused');
    await expect(open(() => Promise.reject(refused))).rejects.toBe(refused);
    expect(told).toEqual([]);
  });

  it('tells once that it is away, and that it is back', async () => {
    await opened();
    standing.lost(4000);
    standing.lost(1006);
    expect([standing.isOpen, standing.isConnected]).toEqual([true, false]);
    standing.back();
    await clock.advance(RECONNECT_LIMIT_MS);
    expect(told).toEqual(["the gateway's socket was closed: 4000", 'connected']);
  });

  it('fails when it is away for five minutes, and then tells nothing more', async () => {
    await opened();
    standing.lost(1006);
    await clock.advance(RECONNECT_LIMIT_MS - 1);
    standing.lost(1006);
    expect(standing.isOpen).toBe(true);
    await clock.advance(1);
    standing.fail(new ConnectorError('INTERNAL', 'again'));
    standing.guard(() => told.push('a listener'));
    expect([told.slice(1), standing.isOpen]).toEqual([['UPSTREAM_UNAVAILABLE'], false]);
  });

  it('outlives what a listener throws', async () => {
    await opened();
    standing.guard(() => {
      throw new Error('a fault of ours');
    });
    expect(logger.entries).toEqual([
      { level: 'error', event: 'discord.listener-failed', fields: { reason: 'a fault of ours' } },
    ]);
  });

  it('is closed once, and silent from then on', async () => {
    await opened();
    standing.lost(1006);
    expect([standing.close(), standing.close()]).toEqual([true, false]);
    standing.guard(() => told.push('a listener'));
    await clock.advance(RECONNECT_LIMIT_MS);
    expect([told.length, standing.isConnected, clock.pendingTimers]).toEqual([1, false, 0]);
  });
});
