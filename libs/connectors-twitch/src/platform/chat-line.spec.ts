import { channelOf, formatMessage, toChatLine } from './chat-line.js';

const parsed = { raw: '', tags: {}, prefix: null, command: 'PING', params: [] };

describe('toChatLine', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['0', '0'],
    ['1', '1'],
    ['semi\\:colon', 'semi;colon'],
    ['two\\swords', 'two words'],
    ['back\\\\slash', 'back\\slash'],
    ['line\\r\\nbreak', 'line\r\nbreak'],
    ['\\\\s', '\\s'],
    ['un\\known', 'unknown'],
    ['lone\\', 'lone'],
  ])('reads the tag %j as %j', (value, expected) => {
    expect(toChatLine({ ...parsed, tags: { tag: value } }).tags).toEqual({ tag: expected });
  });

  it('gives a tag without a value as empty', () => {
    expect(toChatLine({ ...parsed, tags: { color: true } }).tags).toEqual({ color: '' });
  });

  it.each([
    ['alice!alice@alice.tmi.twitch.tv', 'alice'],
    ['tmi.twitch.tv', 'tmi.twitch.tv'],
    [null, ''],
  ])('takes the source from %j', (prefix, source) => {
    expect(toChatLine({ ...parsed, prefix }).source).toBe(source);
  });
});

describe('channelOf', () => {
  it.each([
    [['#BitBrat', 'text'], 'bitbrat'],
    [['*', 'text'], undefined],
    [[], undefined],
  ])('%j: %j', (params, expected) => {
    expect(channelOf(toChatLine({ ...parsed, params }))).toBe(expected);
  });
});

describe('formatMessage', () => {
  it('writes one line', () => {
    expect(formatMessage('bitbrat', 'hello: you', { 'client-nonce': 'n', 'reply-parent-msg-id': 'p' })).toBe(
      '@client-nonce=n;reply-parent-msg-id=p PRIVMSG #bitbrat :hello: you',
    );
  });

  it.each([
    ['bitbrat', 'a\r\nJOIN #x', 'n'],
    ['bitbrat', 'a\nb', 'n'],
    ['bitbrat', 'a\0b', 'n'],
    ['bit\nbrat', 'a', 'n'],
    ['bitbrat', 'a', 'n PRIVMSG #x :y'],
    ['bitbrat', 'a', 'n;badges=broadcaster/1'],
  ])('refuses what would be more: %j %j %j', (channel, text, nonce) => {
    expect(() => formatMessage(channel, text, { 'client-nonce': nonce })).toThrow('one line');
  });
});
