import { type AllowedMentions, resolvePings } from './mentions.js';

const none = { everyone: false, users: [], roles: [] };

describe('resolvePings', () => {
  const resolve = (content: string, allowed?: AllowedMentions, repliedUser?: string): unknown =>
    resolvePings(content, allowed, {
      isUser: (id) => id === '1' || id === '2',
      isRole: (id) => id === '7',
      repliedUser,
    });
  const text = '@everyone <@1> <@!2> <@1> <@3> <@&7> <@&8>';

  it.each<[string, AllowedMentions | undefined, unknown]>([
    ['all without a word', undefined, { everyone: true, users: ['1', '2'], roles: ['7'] }],
    ['none with an empty object', {}, none],
    ['none with an empty parse', { parse: [] }, none],
    ['users only', { parse: ['users'] }, { ...none, users: ['1', '2'] }],
    ['listed users', { users: ['2', '3'] }, { ...none, users: ['2'] }],
    ['listed roles', { parse: ['everyone'], roles: ['7', '8'] }, { ...none, everyone: true, roles: ['7'] }],
  ])('pings %s', (_name, allowed, expected) => expect(resolve(text, allowed)).toEqual(expected));

  it.each<[string, AllowedMentions | undefined, string, readonly string[]]>([
    ['unless told otherwise', undefined, 'hi', ['2']],
    ['once', undefined, '<@2>', ['2']],
    ['when asked to', { parse: [], replied_user: true }, 'hi', ['2']],
    ['not by default when mentions are restricted', { parse: [] }, 'hi', []],
    ['not when forbidden', { replied_user: false }, 'hi', []],
  ])('pings whom a reply answers %s', (_name, allowed, content, users) =>
    expect(resolve(content, allowed, '2')).toEqual({ ...none, users }),
  );

  it.each(['@here', 'x @everyone!'])('sees %p as everyone', (content) =>
    expect(resolve(content)).toEqual({ ...none, everyone: true }),
  );
  it.each(['everyone', '@everyones', '<@>', '<@ 1>'])('sees nobody in %p', (content) =>
    expect(resolve(content)).toEqual(none),
  );

  it('refuses to parse and list the same kind', () => {
    expect(() => resolve('x', { parse: ['users'], users: ['1'] })).toThrow('Invalid Form Body');
  });
});
