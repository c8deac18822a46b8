import { decodeEntries, encodeEntries } from './file-format.js';

describe('file format', () => {
  it('reads what it has written', () => {
    const entries = new Map([
      ['discord/channel:1', '1234'],
      ['__proto__', 'own'],
      ['42', ''],
      ['ü\u0000\u2028', '👍🏽'],
    ]);
    expect(new Map(decodeEntries(encodeEntries(entries), 'x'))).toEqual(entries);
  });

  it.each([
    ['empty', '', /it is empty/],
    ['cut', '{"version": 1, "entries": {"a": "secr', /it is not JSON/],
    ['filled with zeros', '\u0000'.repeat(512), /it is not JSON/],
    ['of another kind', '[]', /it is not a state file/],
    ['without entries', '{"version": 1}', /it is not a state file/],
    ['with a list of entries', '{"version": 1, "entries": []}', /it is not a state file/],
    ['of another version', '{"version": 2, "entries": {}}', /its version is not 1/],
    ['with a number', '{"version": 1, "entries": {"a": 1}}', /the value of "a" is not a text/],
  ])('refuses a file that is %s, by its path and without its content', (_what, content, reason) => {
    const decode = (): unknown => decodeEntries(content, '/data/state.json');
    expect(decode).toThrow(expect.objectContaining({ code: 'CORRUPT' }) as Error);
    expect(decode).toThrow(reason);
    expect(decode).toThrow(/"\/data\/state\.json".*move it away/);
    expect(decode).not.toThrow(/secr/);
  });
});
