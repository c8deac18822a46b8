import { readNews } from './gateway-events.js';

const reference = { id: '30', channel_id: '20', guild_id: '10' };
const deleted = {
  kind: 'event',
  guildId: '10',
  event: { kind: 'deleted', message: { id: '30', channelId: '20', guildId: '10' } },
};

describe('readNews', () => {
  it.each<[Parameters<typeof readNews>[0], unknown, unknown[]]>([
    [
      'READY',
      { user: { id: '1' }, guilds: [{ id: '10' }] },
      [{ kind: 'ready', ready: { botUserId: '1', guildIds: ['10'] } }],
    ],
    ['READY', {}, [{ kind: 'ready', ready: undefined }]],
    ['RESUMED', {}, [{ kind: 'resumed' }]],
    ['GUILD_CREATE', { id: '10' }, [{ kind: 'guild', guild: { id: '10', channels: [] } }]],
    ['GUILD_CREATE', { id: '10', unavailable: true }, []],
    ['GUILD_DELETE', { id: '10' }, [{ kind: 'guild-gone', guildId: '10', isOutage: false }]],
    [
      'GUILD_DELETE',
      { id: '10', unavailable: true },
      [{ kind: 'guild-gone', guildId: '10', isOutage: true }],
    ],
    ['GUILD_DELETE', 'no guild', []],
    ['CHANNEL_DELETE', { id: '20' }, [{ kind: 'channel-gone', channelId: '20' }]],
    ['THREAD_DELETE', { id: '20' }, [{ kind: 'channel-gone', channelId: '20' }]],
    ['THREAD_DELETE', {}, []],
    ['MESSAGE_CREATE', { id: 'no message' }, [{ kind: 'unreadable' }]],
    ['MESSAGE_UPDATE', reference, [{ kind: 'partial-edit', message: deleted.event.message }]],
    ['MESSAGE_UPDATE', {}, [{ kind: 'unreadable' }]],
    ['MESSAGE_DELETE', reference, [deleted]],
    ['MESSAGE_DELETE', {}, [{ kind: 'unreadable' }]],
    ['MESSAGE_DELETE_BULK', { ...reference, ids: ['30'] }, [deleted]],
  ])('%s %j', (dispatch, wire, news) => {
    expect(readNews(dispatch, wire)).toEqual(news);
  });
});
