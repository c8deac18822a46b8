import { escapeTagValue, formatIrcLine, parseIrcLine, splitLines, unescapeTagValue } from './irc-line.js';

describe('tag values', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['a b', 'a\\sb'],
    ['a;b', 'a\\:b'],
    ['back\\slash', 'back\\\\slash'],
    ['line\r\nbreak', 'line\\r\\nbreak'],
    ['all ; \\ \r\n', 'all\\s\\:\\s\\\\\\s\\r\\n'],
    ['\\s is no space', '\\\\s\\sis\\sno\\sspace'],
    ['sécond 🚀=,', 'sécond\\s🚀=,'],
  ])('writes and reads %j as %j', (value, written) => {
    expect(escapeTagValue(value)).toBe(written);
    expect(unescapeTagValue(written)).toBe(value);
  });

  it.each([
    ['unknown\\b', 'unknownb'],
    ['at the end\\', 'at the end'],
  ])('reads the unusual %j as %j', (written, value) => {
    expect(unescapeTagValue(written)).toBe(value);
  });
});

describe('parseIrcLine', () => {
  it.each([
    ['PING', { command: 'PING', params: [] }],
    ['ping :a b', { command: 'PING', params: ['a b'] }],
    ['PRIVMSG #c :', { command: 'PRIVMSG', params: ['#c', ''] }],
    ['PRIVMSG #c ::)', { command: 'PRIVMSG', params: ['#c', ':)'] }],
    ['PRIVMSG #c :a :b', { command: 'PRIVMSG', params: ['#c', 'a :b'] }],
    ['PRIVMSG #c  word', { command: 'PRIVMSG', params: ['#c', 'word'] }],
    [':a!a@a JOIN #c', { prefix: 'a!a@a', command: 'JOIN', params: ['#c'] }],
    ['CAP REQ :twitch.tv/tags twitch.tv/commands', { params: ['REQ', 'twitch.tv/tags twitch.tv/commands'] }],
  ])('reads %j', (line, expected) => {
    expect(parseIrcLine(line)).toMatchObject(expected);
  });

  it('reads tags, with and without a value, whatever they are called', () => {
    const line = parseIrcLine('@a=1;b=;c;__proto__=x;d=a\\sb\\:=c :p PRIVMSG #c :hi');
    expect([...(line?.tags ?? [])]).toEqual([
      ['a', '1'],
      ['b', ''],
      ['c', ''],
      ['__proto__', 'x'],
      ['d', 'a b;=c'],
    ]);
    expect(line).toMatchObject({ prefix: 'p', command: 'PRIVMSG', params: ['#c', 'hi'] });
  });

  it.each(['', '   ', ':prefix', '@tags=1', '@tags=1 :prefix'])('finds no command in %j', (line) => {
    expect(parseIrcLine(line)).toBeUndefined();
  });
});

describe('formatIrcLine', () => {
  const message = {
    tags: { b: 'x y', a: '' },
    prefix: 'tmi.twitch.tv',
    command: 'NOTICE',
    params: ['#c'],
    text: 'no',
  };

  it('writes tags in order, where they are wanted', () => {
    expect(formatIrcLine(message, true)).toBe('@a=;b=x\\sy :tmi.twitch.tv NOTICE #c :no');
    expect(formatIrcLine(message, false)).toBe(':tmi.twitch.tv NOTICE #c :no');
    expect(formatIrcLine({ command: 'PONG' }, true)).toBe('PONG');
  });

  it('is read back as it was', () => {
    const parsed = parseIrcLine(formatIrcLine(message, true));
    expect(Object.fromEntries(parsed?.tags ?? [])).toEqual(message.tags);
    expect(parsed?.params).toEqual(['#c', 'no']);
  });
});

describe('splitLines', () => {
  it.each([
    ['one', ['one']],
    ['one\r\n', ['one']],
    ['one\r\ntwo', ['one', 'two']],
    ['one\ntwo\rthree\n\r\n', ['one', 'two', 'three']],
    ['\r\n', []],
  ])('splits %j', (frame, lines) => {
    expect(splitLines(frame)).toEqual(lines);
  });
});
