import { type BotStanding, type ChannelRights, missingRights, type Right } from './channel-rights.js';
import { judgeChannels, judgeIntents, judgeSessionStarts } from './diagnosis.js';

const containing = (text: string): unknown => expect.stringContaining(text);

const VIEW = 1n << 10n;
const SEND = 1n << 11n;
const ATTACH = 1n << 15n;
const HISTORY = 1n << 16n;
const SEND_IN_THREADS = 1n << 38n;
const EVERYTHING = VIEW | SEND | ATTACH | HISTORY | SEND_IN_THREADS;

const GUILD = '100';
const BOT_ROLE = '200';
const BOT = '300';

function bot(everyone: bigint, role: bigint, ownerId = '999'): BotStanding {
  const roles = [
    { id: GUILD, permissions: everyone },
    { id: BOT_ROLE, permissions: role },
    { id: '201', permissions: 1n << 3n },
  ];
  return {
    userId: BOT,
    guild: { id: GUILD, name: 'A guild', owner_id: ownerId, roles },
    roleIds: [BOT_ROLE],
  };
}

function channel(...overwrites: [id: string, allow: bigint, deny: bigint][]): ChannelRights {
  return {
    id: '400',
    type: 0,
    name: 'general',
    guild_id: GUILD,
    permission_overwrites: overwrites.map(([id, allow, deny]) => ({ id, allow, deny })),
  };
}

describe('missingRights', () => {
  it.each<[string, BotStanding, ChannelRights, Right[]]>([
    ['of @everyone', bot(EVERYTHING, 0n), channel(), []],
    ['of its role', bot(0n, EVERYTHING), channel(), []],
    [
      'of a role that it does not have',
      bot(0n, 0n),
      channel(),
      ['View Channel', 'Send Messages', 'Attach Files', 'Read Message History'],
    ],
    ['of the owner', bot(0n, 0n, BOT), channel([GUILD, 0n, EVERYTHING]), []],
    ['of an administrator', bot(0n, 1n << 3n), channel([GUILD, 0n, EVERYTHING]), []],
    ['denied to @everyone', bot(EVERYTHING, 0n), channel([GUILD, 0n, SEND]), ['Send Messages']],
    [
      'denied to @everyone, allowed to its role',
      bot(EVERYTHING, 0n),
      channel([GUILD, 0n, SEND], [BOT_ROLE, SEND, 0n]),
      [],
    ],
    [
      'allowed to its role, denied to itself',
      bot(EVERYTHING, 0n),
      channel([BOT_ROLE, HISTORY, 0n], [BOT, 0n, HISTORY]),
      ['Read Message History'],
    ],
    [
      'allowed to somebody else',
      bot(EVERYTHING, 0n),
      channel([GUILD, 0n, VIEW], ['555', VIEW, 0n]),
      ['View Channel'],
    ],
  ])('knows the rights %s', (_, standing, where, expected) => {
    expect(missingRights(standing, where, where)).toEqual(expected);
  });

  it('asks for another right in a thread, by the overwrites of its parent', () => {
    const thread = { ...channel(), id: '401', type: 11, parent_id: '400' };
    const parent = channel([GUILD, 0n, SEND_IN_THREADS]);
    expect(missingRights(bot(EVERYTHING, 0n), thread, parent)).toEqual(['Send Messages in Threads']);
    expect(missingRights(bot(EVERYTHING, 0n), thread, channel([GUILD, 0n, SEND]))).toEqual([]);
  });
});

describe('judgeChannels', () => {
  it.each<[string, ChannelRights[], string, string]>([
    ['all', [channel()], 'ok', 'sees 1 of 1'],
    [
      'hidden ones, which are the affair of the guild',
      [channel(), channel([GUILD, 0n, VIEW])],
      'ok',
      'sees 1 of 2',
    ],
    ['none', [channel([GUILD, 0n, VIEW])], 'fault', 'sees 0 of 1'],
    [
      'one to read only',
      [channel(), channel([GUILD, 0n, SEND])],
      'warning',
      'without Send Messages: #general',
    ],
    ['categories, which hold no messages', [channel(), { ...channel(), type: 4 }], 'ok', 'sees 1 of 1'],
  ])('knows %s', (_, channels, status, found) => {
    expect(judgeChannels(bot(EVERYTHING, 0n), channels)).toMatchObject({
      status,
      found: containing(found),
    });
  });
});

describe('judgeIntents', () => {
  it.each<[number, string]>([
    [1 << 18, 'ok'],
    [1 << 19, 'ok'],
    [(1 << 12) | (1 << 14), 'fault'],
    [0, 'fault'],
  ])('flags %i: %s', (flags, status) => {
    expect(judgeIntents({ flags }).status).toBe(status);
  });
});

describe('judgeSessionStarts', () => {
  it.each<[number, string]>([
    [1_000, 'ok'],
    [99, 'warning'],
    [19, 'fault'],
  ])('%i left: %s', (remaining, status) => {
    expect(judgeSessionStarts({ remaining, total: 1_000, reset_after: 60_000 }, 20).status).toBe(status);
  });
});
