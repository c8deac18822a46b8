import { ManualClock } from '@bitbrat/foundation/testing';
import { GuildArrival } from './guild-arrival.js';

const LIMIT_MS = 10_000;

describe('GuildArrival', () => {
  let clock: ManualClock;
  let events: string[];
  let guilds: GuildArrival;

  beforeEach(() => {
    clock = new ManualClock(0);
    events = [];
    guilds = new GuildArrival({
      guildIds: ['1', '2'],
      clock,
      onSettled: () => events.push('settled'),
      onMissing: (id, absence) => events.push(`${id}: ${absence}`),
      onArrived: (id) => events.push(`${id}: there`),
    });
  });

  it('is settled when the last one is there', async () => {
    guilds.begin(['1', '2']);
    guilds.arrived('1');
    expect(guilds.absent).toEqual(['2']);
    guilds.arrived('2');
    await clock.advance(LIMIT_MS);
    expect([events, guilds.absent]).toEqual([['1: there', '2: there', 'settled'], []]);
  });

  it('does not wait for ever, and reports which is missing', async () => {
    guilds.begin(['1', '2']);
    guilds.arrived('1');
    await clock.advance(LIMIT_MS);
    expect(events).toEqual(['1: there', '2: outage', 'settled']);
  });

  it('does not wait for one that the bot is no member of', () => {
    guilds.begin(['2', '3']);
    guilds.arrived('2');
    expect(events).toEqual(['1: no-member', '2: there', 'settled']);
    expect(guilds.absent).toEqual(['1']);
  });

  it('is settled at once where the bot is in none of them', () => {
    guilds.begin([]);
    expect(events).toEqual(['1: no-member', '2: no-member', 'settled']);
  });

  it('does not wait for one that goes before it has come', () => {
    guilds.begin(['1', '2']);
    guilds.arrived('1');
    guilds.gone('2', 'no-member');
    expect(events).toEqual(['1: there', '2: no-member', 'settled']);
  });

  it('reports one that comes back, and nothing of a stranger', () => {
    guilds.begin(['1', '2']);
    guilds.arrived('1');
    guilds.arrived('2');
    events.length = 0;
    guilds.gone('2', 'no-member');
    guilds.gone('3', 'no-member');
    expect(guilds.absent).toEqual(['2']);
    guilds.arrived('3');
    guilds.arrived('2');
    expect(events).toEqual(['2: no-member', '2: there']);
  });

  it('waits no more when it is stopped, and goes on where the session does', async () => {
    guilds.begin(['1', '2']);
    guilds.arrived('1');
    guilds.stop();
    await clock.advance(LIMIT_MS);
    expect([events, clock.pendingTimers]).toEqual([['1: there'], 0]);
    guilds.resume();
    await clock.advance(LIMIT_MS);
    expect(events).toEqual(['1: there', '2: outage', 'settled']);
  });
});
