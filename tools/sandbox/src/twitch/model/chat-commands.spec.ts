import { parseChatCommand } from './chat-commands.js';

describe('parseChatCommand', () => {
  it.each([
    ['/ban alice', { name: 'ban', rest: 'alice' }],
    ['.timeout alice 10', { name: 'timeout', rest: 'alice 10' }],
    ['/ME waves', { name: 'me', rest: 'waves' }],
    ['/clear', { name: 'clear', rest: '' }],
    ['/', { name: '', rest: '' }],
    ['/ ban alice', { name: '', rest: 'ban alice' }],
    ['.5 liters', { name: '5', rest: 'liters' }],
  ])('reads %j as a command', (text, command) => {
    expect(parseChatCommand(text)).toEqual(command);
  });

  it.each([
    'hello /ban alice',
    '...',
    '..ban alice',
    '. ban alice',
    '.',
    ' /ban alice',
    '\u200b/ban alice',
    '',
  ])('reads %j as a message', (text) => {
    expect(parseChatCommand(text)).toBeUndefined();
  });
});
