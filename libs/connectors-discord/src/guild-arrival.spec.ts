import { ManualClock } from '@bitbrat/connectors-core/testing';
import { RecordingLogger } from '@bitbrat/connectors-testing';
import { GuildArrival } from './guild-arrival.js';

const LIMIT_MS = 10_000;

describe('GuildArrival', () => {
  let clock: ManualClock;
  let settled: number;
  let logger: RecordingLogger;
  let guilds: GuildArrival;

  beforeEach(() => {
    clock = new ManualClock(0);
    settled = 0;
    logger = new RecordingLogger();
    guilds = new GuildArrival({ guildIds: ['1', '2'], clock, logger, onSettled: () => (settled += 1) });
  });

  it('is settled when the last one is there', async () => {
    guilds.begin();
    guilds.arrived('1');
    expect([settled, guilds.awaited]).toEqual([0, ['2']]);
    guilds.arrived('2');
    await clock.advance(LIMIT_MS);
    expect([settled, guilds.awaited, logger.entries]).toEqual([1, [], []]);
  });

  it('does not wait for ever, and says for which', async () => {
    guilds.begin();
    guilds.arrived('1');
    await clock.advance(LIMIT_MS);
    expect(settled).toBe(1);
    expect(logger.entries).toEqual([
      { level: 'warn', event: 'discord.guilds-unavailable', fields: { guilds: ['2'] } },
    ]);
  });

  it('is settled again when one comes back', () => {
    guilds.begin();
    guilds.arrived('1');
    guilds.arrived('2');
    guilds.gone('2');
    expect(guilds.awaited).toEqual(['2']);
    guilds.arrived('2');
    expect(settled).toBe(2);
  });

  it('waits no more when it is stopped, and for all when a session begins anew', async () => {
    guilds.begin();
    guilds.arrived('1');
    guilds.stop();
    await clock.advance(LIMIT_MS);
    expect([settled, clock.pendingTimers]).toEqual([0, 0]);
    guilds.begin();
    expect(guilds.awaited).toEqual(['1', '2']);
  });
});
