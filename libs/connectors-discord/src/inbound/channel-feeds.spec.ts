import { RecordingHost } from '@bitbrat/connectors-testing';
import { ManualClock, settle } from '@bitbrat/foundation/testing';
import { ChannelFeeds } from './channel-feeds.js';
import { snowflakeAt } from '../platform/snowflake.js';
import { type GuildChannel } from '../platform/wire-guild.js';

const START = Date.UTC(2026, 10, 20);
const LAST = snowflakeAt(START - 60_000);

/** What stands in the cursor store after the first sight of a guild. */
async function firstSight(channels: readonly GuildChannel[]): Promise<Record<string, string>> {
  const host = new RecordingHost({ clock: new ManualClock(START) });
  const feeds = new ChannelFeeds({
    config: { guildIds: ['2'], channelIds: [], directMessages: false, historyHours: 24 },
    host,
    random: () => 0,
    source: () => ({
      resolve: (id) => Promise.resolve({ id, kind: 'channel', guildId: '2', readable: true }),
      history: () => Promise.reject(new Error('nothing to read')),
    }),
    take: () => Promise.resolve(),
    onGap: () => undefined,
    onProblem: () => undefined,
    onSolved: () => undefined,
  });
  feeds.onGuild({ id: '2', channels });
  await settle();
  expect(feeds.counts).toMatchObject({ channels: channels.length, behind: 0 });
  const stopping = feeds.stop(1_000);
  await settle();
  await stopping;
  return Object.fromEntries(host.cursors.entries);
}

describe('the first sight of a guild', () => {
  it("is at Discord's last message rather than at the machine's time, which may be ahead", async () => {
    const older = snowflakeAt(START - 90_000);
    const channels = [
      { id: '3', newest: older },
      { id: '4', newest: LAST },
    ];
    expect(await firstSight(channels)).toEqual({ 'since:2': LAST });
  });

  it("is at the machine's time where there is no message", async () => {
    expect(await firstSight([{ id: '3', newest: '0' }])).toEqual({ 'since:2': snowflakeAt(START) });
  });
});
