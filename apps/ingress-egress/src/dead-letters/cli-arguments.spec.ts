import { parseCliArguments } from './cli-arguments.js';

describe('parseCliArguments', () => {
  it.each([
    [['list'], { kind: 'list' }],
    [['show', 'a'], { kind: 'show', id: 'a', full: false }],
    [['show', 'a', '--full'], { kind: 'show', id: 'a', full: true }],
    [['replay', 'a', 'b'], { kind: 'replay', selection: { ids: ['a', 'b'] } }],
    [['replay', '--reason', 'TIMEOUT'], { kind: 'replay', selection: { reason: 'TIMEOUT' } }],
    [['--help'], { kind: 'help' }],
    [['list', '-h'], { kind: 'help' }],
  ])('%j', (argv, command) => {
    expect(parseCliArguments(argv).command).toEqual(command);
  });

  it('takes the last of several, so that defaults can stand in front', () => {
    const argv = [
      '--url',
      'http://a',
      '--token',
      '',
      'list',
      '--url',
      'https://b/',
      '--token',
      't',
      '--json',
    ];
    expect(parseCliArguments(argv)).toMatchObject({ url: 'https://b', token: 't', json: true });
    expect(parseCliArguments(['--token', '', 'list']).token).toBeUndefined();
  });

  it.each([
    [[], 'expected a command: list, show or replay'],
    [['drop'], 'there is no command drop'],
    [['list', 'a'], 'did you mean show?'],
    [['show'], 'show expects one id'],
    [['show', 'a', 'b'], 'show expects one id'],
    [['replay'], 'ids or --reason CODE'],
    [['replay', 'a', '--reason', 'TIMEOUT'], 'one of the two'],
    [['list', '--reason', 'TIMEOUT'], '--reason goes with replay only'],
    [['list', '--full'], '--full goes with show only'],
    [['list', '--force'], "Unknown option '--force'"],
    [['list', '--url', 'localhost:3000'], '--url: expected a URL'],
  ])('refuses %j', (argv, message) => {
    expect(() => parseCliArguments(argv)).toThrow(message);
  });
});
