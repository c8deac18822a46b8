import { readNews } from '../session/gateway-events.js';
import { toNativeMessage } from './native-message.js';
import { toGuildSnapshot, toReadyFacts } from './wire-guild.js';

const wire = {
  id: '1307000000000000001',
  channel_id: '1200000000000000003',
  author: { id: '1200000000000000011', username: 'ada' },
  content: 'hi',
  timestamp: '2026-11-20T09:15:30.123000+00:00',
  type: 0,
};

describe('toNativeMessage', () => {
  it.each([
    ['nothing', undefined],
    ['text', 'hello'],
    ['a message without an author', { ...wire, author: undefined }],
    ['a message whose id is no number', { ...wire, id: 'x' }],
    ['a message whose content is a number', { ...wire, content: 5 }],
  ])('takes no %s', (_name, input) => {
    expect(toNativeMessage(input)).toBeUndefined();
  });

  it.each([
    ['an embed', { embeds: [{}] }],
    ['a component', { components: [{}] }],
    ['a poll', { poll: { question: {} } }],
    ['a forwarded message', { message_reference: { type: 1, message_id: '1' } }],
  ])('sees that a message has %s', (_name, fields) => {
    expect(toNativeMessage({ ...wire, ...fields })?.hasExtras).toBe(true);
  });

  it('takes the guild from the message, else from the caller', () => {
    expect(toNativeMessage(wire)?.guildId).toBeUndefined();
    expect(toNativeMessage(wire, '1')?.guildId).toBe('1');
    expect(toNativeMessage({ ...wire, guild_id: '2' }, '1')?.guildId).toBe('2');
  });

  it.each([
    ['a size that is none', { url: 'https://x.example/a', size: -1 }],
    ['a type that is null', { url: 'https://x.example/a', content_type: null }],
  ])('leaves out of an attachment %s', (_name, attachment) => {
    const message = toNativeMessage({ ...wire, attachments: [attachment] });
    expect(message?.attachments).toEqual([{ url: 'https://x.example/a' }]);
  });
});

describe('readNews', () => {
  it('reads a deletion of many as one for each', () => {
    const news = readNews('MESSAGE_DELETE_BULK', { ids: ['1', '2'], channel_id: '3', guild_id: '4' });
    const message = { channelId: '3', guildId: '4' };
    expect(news).toEqual([
      { kind: 'event', guildId: '4', event: { kind: 'deleted', message: { id: '1', ...message } } },
      { kind: 'event', guildId: '4', event: { kind: 'deleted', message: { id: '2', ...message } } },
    ]);
  });

  it('wants an edit fetched that does not bring the whole message', () => {
    const message = { id: '1', channelId: '3' };
    expect(readNews('MESSAGE_UPDATE', { id: '1', channel_id: '3', embeds: [] })).toEqual([
      { kind: 'partial-edit', message },
    ]);
  });

  it.each(['MESSAGE_CREATE', 'MESSAGE_UPDATE', 'MESSAGE_DELETE'] as const)(
    'says that a %s is unreadable',
    (dispatch) => {
      expect(readNews(dispatch, { nonsense: true })).toEqual([{ kind: 'unreadable' }]);
    },
  );
});

describe('toGuildSnapshot', () => {
  it('keeps the channels and threads that hold messages', () => {
    const guild = {
      id: '1',
      channels: [
        { id: '2', type: 0, last_message_id: '9' },
        { id: '3', type: 4, name: 'a category' },
        { id: '4', type: 15, name: 'a forum', last_message_id: '8' },
        { id: '5', type: 2, last_message_id: null },
        'nonsense',
      ],
      threads: [{ id: '6', type: 11, parent_id: '4', last_message_id: 'nonsense' }],
    };
    expect(toGuildSnapshot(guild)).toEqual({
      id: '1',
      channels: [
        { id: '2', newest: '9' },
        { id: '5', newest: '0' },
        { id: '6', parentId: '4' },
      ],
    });
  });

  it.each([
    ['a guild that is down', { id: '1', unavailable: true }],
    ['nonsense', 5],
  ])('takes no %s', (_name, wireGuild) => {
    expect(toGuildSnapshot(wireGuild)).toBeUndefined();
  });
});

describe('toReadyFacts', () => {
  it('reads the bot and its guilds', () => {
    const ready = { user: { id: '1' }, guilds: [{ id: '2', unavailable: true }], session_id: 'x' };
    expect(toReadyFacts(ready)).toEqual({ botUserId: '1', guildIds: ['2'] });
    expect(toReadyFacts({})).toBeUndefined();
  });
});
