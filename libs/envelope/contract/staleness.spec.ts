import { findStaleFiles } from './staleness.js';

const generated = new Map([
  ['README.md', 'one\ntwo\nthree\n'],
  ['schemas/a.schema.json', '{}\n'],
]);

it('finds nothing where all is fresh', () => {
  expect(findStaleFiles(generated, new Map(generated))).toEqual([]);
});

it.each([
  ['a changed line', [...generated, ['README.md', 'one\n2\nthree\n']], 'README.md: differs at line 2'],
  ['a line less', [...generated, ['README.md', 'one\ntwo']], 'README.md: differs at line 3'],
  ['a line more', [...generated, ['README.md', 'one\ntwo\nthree\n\n']], 'README.md: differs at line 5'],
  ['a missing file', [...generated].slice(0, 1), 'schemas/a.schema.json: missing'],
  [
    'a file left over',
    [...generated, ['schemas/b.json', '']],
    'schemas/b.json: is generated no more, delete it',
  ],
] as [string, [string, string][], string][])('names %s', (_, committed, fault) => {
  expect(findStaleFiles(generated, new Map(committed))).toEqual([fault]);
});
